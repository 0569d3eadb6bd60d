"""pyrelaytest: who may relay through a service, tried with one client of each class, or a server over the network."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click

from ..core.errors import AskedWrongly, unable
from ..core.relaytest import verdict
from ..core.relaytest.clients import MOST
from ..core.relaytest.probes import Addresses, Probe
from ..core.relaytest.verdict import Verdict
from ..core.rules.explain import key_text
from ..core.smtp.path import parse_path
from ..core.smtp.reply import Reply
from ..core.text import shown
from ..system.accept import listener
from ..system.relaytest import host, service
from . import djb_click, service_from, tables

USAGE = (
    "relaytest [ --from file [ --login user ] | [ --trusted ] host:port ] [ --own address ] [ --elsewhere address ] "
    "[ --json ]"
)

#: Nobody's: mail to it is never sent on.
_ELSEWHERE = "relaytest@example.com"
_HEADINGS = ("verdict", "client", "class", "probe", "sender", "recipient", "reply")


class Row(NamedTuple):
    """A line of the table, by its headings."""

    verdict: Verdict
    client: str
    of: str
    probe: str
    sender: str
    recipient: str
    reply: str


@click.command(context_settings=djb_click.CONTEXT_SETTINGS | {"allow_interspersed_args": True})
@djb_click.version_option
@click.option("--from", "file", metavar="FILE", help="The run script of a service, whose program is started.")
@click.option("--trusted", is_flag=True, help="HOST:PORT has to let us relay.")
@click.option("--own", metavar="ADDRESS", help="One for which mail is taken (postmaster at one of its domains).")
@click.option("--elsewhere", metavar="ADDRESS", default=_ELSEWHERE, help=f"One of another host ({_ELSEWHERE}).")
@click.option("--login", metavar="USER", help="Who logs in, where the service of FILE lets users (that of --own).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.argument("server", metavar="[HOST:PORT]", required=False)
def relaytest(
    file: str | None,
    trusted: bool,
    own: str | None,
    elsewhere: str,
    login: str | None,
    as_json: bool,
    server: str | None,
) -> None:
    """Try who may relay: one client of each class that the rules of FILE know, or ourselves at HOST:PORT.

    Recipients of the host's own, elsewhere, and elsewhere by %, !, quotes and source routes, and forged senders are
    asked about, up to RCPT; no message is sent. The exit code is 1 where somebody may relay who should not, or may not
    who should.

    Example: pyrelaytest --from /service/smtpd/run

    Example: pyrelaytest --own postmaster@example.org mx.example.org:25
    """
    if (file is None) == (server is None) or (trusted and server is None):
        raise AskedWrongly("either --from FILE or HOST:PORT is wanted, --trusted only with the latter")
    if login is not None and file is None:
        raise AskedWrongly("--login is for --from: no password is sent to HOST:PORT")
    addresses = Addresses(None if own is None else _address(own), _address(elsewhere))
    rows = _of_service(file, addresses, login) if file else _of_host(str(server), addresses, trusted=trusted)
    lines = [(row.verdict.value, *row[1:]) for row in rows]
    if as_json:
        tables.as_json([dict(zip(_HEADINGS, line, strict=True)) for line in lines])
    else:
        tables.table(_HEADINGS, lines)
    sys.exit(verdict.exit_code([row.verdict for row in rows]))


def main() -> None:
    """Run pyrelaytest."""
    djb_click.run("relaytest", USAGE, lambda args: djb_click.invoke(relaytest, "pyrelaytest", args))


def _of_service(file: str, addresses: Addresses, login: str | None) -> list[Row]:
    path = os.path.abspath(file)
    try:
        os.chdir(os.path.dirname(path))  # where its supervisor starts it
    except OSError as error:
        raise unable(f"read {file}", error) from None
    asked = service_from.read(path)
    found = service.test(asked.settings, addresses, None if login is None else os.fsencode(login))
    _note(f"only a shell knows {option}" for option in asked.left_out)
    _note(map(shown, found.warnings))
    if len(found.tried) == MOST:
        _note([f"there may be more than {MOST} classes of clients: no other was tried"])
    rows = [row for tried in found.tried for row in _of_tried(tried, keeps=found.keeps)]
    _note_missing(rows)
    return rows


def _of_tried(tried: service.Tried, *, keeps: bool) -> Iterator[Row]:
    client, key, said, _ = tried.known
    name = " ".join(shown(word) for word in client if word is not None)
    rule = "" if key is None else f" ({key_text(key)})"
    if said.deny:
        yield Row(Verdict.OK, name, f"denied{rule}", "", "", "", "")
    yield from (_row(name, tried.trust.value + rule, probe, reply, keeps=keeps) for probe, reply in tried.replies)


def _of_host(server: str, addresses: Addresses, *, trusted: bool) -> list[Row]:
    name, colon, port = server.rpartition(":")
    if not colon or not name:
        raise AskedWrongly(f"'{server}' is not HOST:PORT")
    told = host.test(name.removeprefix("[").removesuffix("]"), listener.port_number(port), addresses, relays=trusted)
    of = "trusted" if trusted else "unknown"
    rows = [_row("ourselves", of, probe, reply, keeps=False) for probe, reply in told]
    _note_missing(rows)
    return rows


def _row(client: str, of: str, probe: Probe, reply: Reply | None, *, keeps: bool) -> Row:
    judged = verdict.judge(probe, reply, keeps=keeps)
    said = "no reply" if reply is None else shown(reply.line)
    return Row(judged, client, of, probe.what, shown(b"<%b>" % probe.sender), shown(b"<%b>" % probe.recipient), said)


def _note_missing(rows: list[Row]) -> None:
    if not any(row.probe == "own" for row in rows) and any(row.probe for row in rows):
        _note(["no domain of its own is known, and none was tried: name an address by --own"])


def _note(lines: Iterable[str]) -> None:
    djb_click.complain(*(f"relaytest: {line}" for line in lines))


def _address(word: str) -> bytes:
    """Parse an address. Raises AskedWrongly: it has to have a domain, and no route."""
    found = parse_path(b"<%b>" % os.fsencode(word), strict=True, utf8=False)
    if found is None or found[1] or found[0].domain is None or found[0].address != os.fsencode(word):
        raise AskedWrongly(f"'{word}' is no address")
    return found[0].address
