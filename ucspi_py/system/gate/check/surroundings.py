"""What stands around a configuration: its tables, qmail's domains, the container, its zones. Never judges them."""

import encodings.ascii  # noqa: F401  the user of a service may be able to import nothing
import os
import stat
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from ....core.errors import AskedWrongly, CorruptRules, Failure, error_words
from ....core.gate.check.entries import Contents, Entry, entries
from ....core.gate.check.reading import Reading
from ....core.gate.check.subject import Keys, PasswordsSeen, Subject, Surroundings
from ....core.gate.check.zones import zones
from ....core.gate.maps.names import UNFILED, Broken, MapName
from ....core.gate.settings import QMAIL_CONTROL
from ....core.store import url
from ...dnsbl.check import tested
from ...rules.table import Table
from ...rules.whole_file import read_whole
from ..control import Control
from ..tables import Tables
from . import passwords, services

if TYPE_CHECKING:
    from ....core.gate.milter.check.seen import Seen
    from ....core.gate.milter.settings import Milter

#: Seconds for the tests of all zones.
_PATIENCE = 1.5
#: Files that Docker and Podman put into each container.
_MARKS = ("/.dockerenv", "/run/.containerenv")
_ROUTES4, _ROUTES6 = "/proc/net/route", "/proc/net/ipv6_route"
_NOWHERE = "0" * 32


class Privileged(NamedTuple):
    """What a start looks at while it may still read whatever root may."""

    keys: Keys
    passwords: PasswordsSeen


def privileged(reading: Reading, uid: int | None = None, gid: int | None = None) -> Privileged:
    """Look at what a worker need not be able to read, and import what of() needs. uid, gid: as of of()."""
    if reading.greylists:
        from . import greylist  # noqa: F401
    if reading.configuration.has_milters:
        from . import milters  # noqa: F401
    return Privileged(_keys(reading), passwords.seen(reading, uid, gid))


def of(
    reading: Reading,
    uid: int | None = None,
    gid: int | None = None,
    seen: Privileged | None = None,
    *,
    asks: bool = True,
) -> Surroundings:
    """Look at all that a configuration names.

    uid, gid: what a worker becomes, None = what we are. seen: what was looked at before; None = nothing was. asks:
    whether zones, policy services and milters are asked. Raises AskedWrongly for a word in $DNSCACHEIP that is no name
    server.
    """
    seen = seen or privileged(reading, uid, gid)
    tables = Tables(_quiet)
    contents = {name: _contents(name, tables) for name in reading.tables if name.kind not in UNFILED}
    wanted = [one.zone for one in zones(reading)] if asks else []
    file = _ledger_file(reading)
    return Surroundings(
        tables=contents,
        holds=Control(reading.text("qmail_control") or QMAIL_CONTROL, _quiet).holds,
        gateways=tuple(_gateways()) if any(map(os.path.exists, _MARKS)) else (),
        zones=tested(wanted, _PATIENCE) if wanted else {},
        passwords=seen.passwords,
        ledger=_unreadable(file) if file else None,
        is_ledger_open=bool(file) and any(map(_is_open, (file, os.path.dirname(os.path.abspath(file))))),
        keys=seen.keys,
        services=services.unreachable(reading, uid, gid) if asks else {},
        greylist=_greylist(reading, uid, gid),
        milters=_milters(Subject(reading, Surroundings(contents)), uid, gid) if asks else {},
    )


def _keys(reading: Reading) -> Keys:
    """What has no TLS needs no OpenSSL."""
    if not reading.configuration.has_tls:
        return Keys()
    from . import keys

    return keys.look(reading.configuration)


def _greylist(reading: Reading, uid: int | None, gid: int | None) -> tuple[str, ...]:
    """Where nobody is greylisted, nothing of it is loaded."""
    if not reading.greylists:
        return ()
    from . import greylist

    return greylist.flaws(reading, uid, gid)


def _milters(subject: Subject, uid: int | None, gid: int | None) -> "dict[Milter, Seen]":
    """Where no milter is named, nothing of them is loaded."""
    if not subject.reading.configuration.has_milters:
        return {}
    from . import milters

    return milters.seen(subject, uid, gid)


def _quiet(_sentence: str) -> None:
    """Of a look that is none of a server's."""


def _contents(name: MapName, tables: Tables) -> Contents:
    found = tables.inspect(name)
    if isinstance(found, Broken):
        return found
    path = name.path_or_text
    try:
        if name.kind == "cdb":
            return tuple(Entry(key, value) for key, value in Table(f"{path}.cdb").records())
        return entries(name.kind, read_whole(path)[0])
    except OSError as error:
        return Broken(f"table {name}: {error_words(error.errno)}")
    except (CorruptRules, Failure) as failure:
        return Broken(f"table {name}: {failure.sentence}")


def _ledger_file(reading: Reading) -> str:
    """The file of relay_store; "" = there is none."""
    try:
        place = reading.configuration.text("relay_store") if reading.configuration.is_given("relay_store") else ""
    except AskedWrongly:
        return ""
    return "" if url.is_url(place) else place


def _unreadable(path: str) -> str | None:
    """Why a file cannot be read; None = it can."""
    try:
        with open(path, "rb"):
            return None
    except OSError as error:
        return error_words(error.errno)


def _is_open(path: str) -> bool:
    """Whether anybody may write a file, or put another one in its place."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _gateways() -> Iterator[bytes]:
    """The ways out by default; proc(5): numbers in hexadecimal, those of IPv4 as the host has them in memory."""
    for interface, target, gateway, *_ in _rows(_ROUTES4):
        if target == _NOWHERE[:8] and gateway != target and interface != "Iface":
            yield str(IPv4Address(bytes.fromhex(gateway)[::-1])).encode("ascii")
    for target, length, _, _, gateway, *_ in _rows(_ROUTES6):
        if target == _NOWHERE and length == "00" and gateway != _NOWHERE:
            yield str(IPv6Address(bytes.fromhex(gateway))).encode("ascii")


def _rows(path: str) -> list[list[str]]:
    try:
        with open(path, encoding="ascii") as file:
            return [line.split() for line in file]
    except OSError:
        return []
