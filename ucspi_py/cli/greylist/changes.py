"""pygreylist forget and allow: the records as an operator changes them."""

import asyncio

import click

from ...core.client.limits import NETWORK, Prefixes
from ...core.errors import AskedWrongly
from ...core.greylist.records import where as places
from ...core.greylist.records.kinds import Kind
from ...core.greylist.records.where import Letter, Network, Wanted
from ...system.greylist.records import GreylistRecords
from .. import djb_click
from ..chain.store_option import store_option
from . import where_options

#: Networks that are let in at once.
_MOST = 256


@click.command("forget")
@store_option
@where_options.kind_option
@where_options.meaning
@click.pass_context
def forget(
    ctx: click.Context, store: str, kind: Kind | None, where: str, sender: str | None, recipient: str | None
) -> None:
    """Forget what is remembered of WHERE, a network, an address or a domain, or of one triplet there.

    It has to wait once more. Of an address the records of the networks around it go, too.

    \b
    Example:
      $ pygreylist forget -s /var/lib/greylist/db 192.0.2.0/24
      forgot 3
    """
    forgotten = asyncio.run(_forget(GreylistRecords(store), where_options.wanted(kind, where, sender, recipient)))
    click.echo(f"forgot {forgotten}")
    ctx.exit(0 if forgotten else 1)


@click.command("allow")
@store_option
@click.option(
    "-n",
    "prefixes",
    metavar="V4[/V6]",
    type=djb_click.Numbers("V4[/V6]", "/", (NETWORK.ipv6,)),
    default=NETWORK,
    help="Prefix lengths of the networks, as the greylist has them (24/64).",
)
@where_options.meaning
def allow(store: str, prefixes: tuple[int, int], where: str, sender: str | None, recipient: str | None) -> None:
    """Let WHERE in from now on, a network or an address with its network, or one triplet from there.

    Any greylist over STORE lets it in, for 35 days from its last visit. Its prefixes make the network. A triplet may be
    one of a domain.

    \b
    Example:
      $ pygreylist allow -s /var/lib/greylist/db 192.0.2.7
      allowed 192.0.2.0/24
    """
    letter = where_options.letter(sender, recipient)
    place, identities = _meant(where, Prefixes(*prefixes))
    if letter is None and isinstance(place, str):
        raise AskedWrongly("of a domain, triplets alone can be let in: a SENDER and a RECIPIENT are needed")
    records = GreylistRecords(store)
    asyncio.run(_allow(records, identities, letter) if letter else _allow_clients(records, place, identities))
    for one in identities:
        click.echo(f"allowed {one}")


COMMANDS: tuple[click.Command, ...] = (forget, allow)


async def _forget(records: GreylistRecords, wanted: list[Wanted]) -> int:
    return sum([await records.forget(one) for one in wanted])


async def _allow(records: GreylistRecords, identities: list[str], letter: Letter) -> None:
    for one in identities:
        await records.allow(Kind.TRIPLET, places.key_of(one, letter))


async def _allow_clients(records: GreylistRecords, place: Network | str, networks: list[str]) -> None:
    for one in networks:
        await records.allow(Kind.NETWORK, one)
        await records.allow(Kind.CLIENT, one)
    if not isinstance(place, str) and place.prefixlen == place.max_prefixlen:
        await records.allow(Kind.CLIENT, str(place.network_address))  # pypostgrey counts addresses


def _meant(where: str, prefixes: Prefixes) -> tuple[Network | str, list[str]]:
    """The place, and the networks of a greylist there, or the domain that it is. Raises AskedWrongly."""
    if not 1 <= prefixes.ipv4 <= 32 or not 1 <= prefixes.ipv6 <= 128:
        raise AskedWrongly("-n takes prefix lengths from 1 to 32 and from 1 to 128")
    try:
        place = places.place(where)
        return place, [place] if isinstance(place, str) else list(map(str, places.parts(place, prefixes, _MOST)))
    except ValueError as wrong:
        raise AskedWrongly(str(wrong)) from None
