"""pyrules explain and preview: what rules mean for one client, and for all clients of a log."""

import sys
from typing import Any

import click

from ...core import address
from ...core.errors import AskedWrongly, NoClients
from ...core.rules.dump import instructions_text
from ...core.rules.explain import Explanation, explain, key_text
from ...core.rules.log_replay import Replay
from ...core.rules.preview import Shift, shifts
from ...core.text import shown
from ...system.rules import log_input
from ...system.rules.table import Table
from .. import tables
from ..progress import Progress


@click.command("explain")
@tables.json_option
@click.option("--host", metavar="NAME", help="The client's name; without it, rules about names are not looked up.")
@click.option("--info", metavar="TEXT", help="The client's ident answer; without it, user@ rules are not looked up.")
@click.option("--session", is_flag=True, help="Tell the client's whole way through the service of --from.")
@click.option("--from", "file", metavar="FILE", help="The run script of a service.")
@click.option("--helo", metavar="NAME", help="What the client calls itself; by default its name, or its address.")
@click.option("--sender", metavar="ADDRESS", help="The sender; empty, or none before a recipient: the null sender.")
@click.option("--recipient", "recipients", metavar="ADDRESS", multiple=True, help="A recipient; may be repeated.")
@click.option("--login", metavar="USER", help="Who logs in, and is believed; by default nobody.")
@click.option(
    "--message", metavar="MESSAGE", help="A file with the message, which milters hear; by default an empty one."
)
@click.argument("ip")
@click.argument("cdb", required=False)
def explain_client(
    ip: str, cdb: str | None, host: str | None, info: str | None, *, as_json: bool, session: bool, **said: Any
) -> None:
    """Say which rule of CDB decides about a client, or what a whole service does with it.

    Every key that tcpserver looks up for the client IP is shown in its order, up to the one that is there and
    decides; then what the client gets, and where the rule was written if it was compiled with --provenance.

    \b
    Example:
      $ pyrules explain 10.1.2.3 --host mail.example.org tcp.smtp.cdb
      looked up          found
      10.1.2.3           -
      =mail.example.org  -
      10.1.2.            -
      10.1.              deny
      10.1.2.3 is denied by the rule 10.1. (tcp.smtp:12)

    With --session the client is led through the service that the run script FILE starts: names, rules, limits, zones,
    the greylist, each restriction of each list, and what the client sees at each command. Only name servers are asked.
    Nothing is started, and nothing is written.

    \b
    Example:
      $ pyrules explain --session --from /service/smtpd/run 192.0.2.7 --recipient joe@example.org
    """
    client = _canonical(ip)
    if session:
        from . import sessions  # loads asyncio, dns and the gate

        if cdb is not None or host is not None or info is not None:
            raise AskedWrongly("--session takes the rules of --from and asks for names: no CDB, --host or --info")
        sessions.explain(client, sessions.Said(**said), as_json=as_json)
        return
    if cdb is None or any(said.values()):
        raise AskedWrongly("a CDB is needed, or --session and --from")
    _show(client, explain(Table(cdb, whole=False).get, client, _bytes(host), _bytes(info)), as_json=as_json)


@click.command("preview")
@tables.json_option
@click.argument("old")
@click.argument("new")
@click.pass_context
def preview(ctx: click.Context, old: str, new: str, *, as_json: bool) -> None:
    """Say whom a change of rules would affect.

    The log of a tcpserver on standard input is replayed against the CDBs OLD and NEW, and each client who would gain
    or lose access or RELAYCLIENT is listed, the most frequent first. Clients are those of the log's ok and deny
    lines, with the names that were known, or of its pid lines if it has no others. Stamps of multilog, syslog,
    journalctl and docker do not matter, a line may be a bare address, and the log compressed with gzip. The logs of
    sslserver, tcpsvd and s6-tcpserver are read too. A log without a client is an error: exit 100.

    \b
    Example:
      $ cat /var/log/smtpd/@* /var/log/smtpd/current | pyrules preview tcp.smtp.cdb new.cdb
      connections  client     name              what
      1042         10.1.2.3   mail.example.org  loses access
      7            192.0.2.1                    gains access and RELAYCLIENT
      2 of 310 clients change
    """
    before, after = Table(old), Table(new)
    progress = Progress(sys.stderr)
    replay = _replayed(progress)
    clients = list(replay.clients())
    if not clients:
        raise NoClients(f"no line of a tcpserver about a client in {replay.lines} lines: it writes them with -v")
    found = shifts(progress.along("clients looked up", clients), before, after)
    progress.end()
    if as_json:
        tables.as_json([_shift(one) for one in found])
    else:
        rows = [(str(one.connections), shown(one.client.ip), shown(one.client.host or b""), one.words) for one in found]
        tables.table(("connections", "client", "name", "what"), rows)
        click.echo(f"{len(found)} of {len(clients)} clients change")
    ctx.exit(1 if found else 0)


COMMANDS: tuple[click.Command, ...] = (explain_client, preview)


def _canonical(ip: str) -> bytes:
    """Normalise an address as tcpserver does before a look-up. Raises AskedWrongly."""
    try:
        return address.canonical(ip if ":" in ip else f"::ffff:{ip}")
    except ValueError:
        raise AskedWrongly(f"{ip} is no address") from None


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _verdict(client: bytes, found: Explanation) -> str:
    verdict = f"{shown(client)} is {'denied' if found.said.deny else 'allowed'}"
    if not found.decided:
        return f"{verdict}: there is no rule about it"
    by = f"the rule {key_text(found.decided.key)}" + (f" ({shown(found.source)})" if found.source else "")
    variables = ", ".join(f"{shown(name)}={shown(value)!r}" for name, value in found.said.variables)
    got = f" and gets {variables}" if variables and not found.said.deny else ""
    return f"{verdict}{got} by {by}"


def _show(client: bytes, found: Explanation, *, as_json: bool) -> None:
    if as_json:
        tables.as_json(_for_programs(client, found))
        return
    rows = [(key_text(key), "-") for key in found.asked]
    if found.decided:
        rows[-1] = (rows[-1][0], instructions_text(found.decided.value))
    tables.table(("looked up", "found"), rows)
    click.echo(_verdict(client, found))


def _for_programs(client: bytes, found: Explanation) -> dict[str, object]:
    return {
        "client": shown(client),
        "looked_up": [key_text(key) for key in found.asked],
        "rule": key_text(found.decided.key) if found.decided else None,
        "source": shown(found.source) if found.source else None,
        "allowed": not found.said.deny,
        "variables": {} if found.said.deny else {shown(name): shown(value) for name, value in found.said.variables},
    }


def _shift(one: Shift) -> dict[str, object]:
    return {
        "connections": one.connections,
        "client": shown(one.client.ip),
        "name": None if one.client.host is None else shown(one.client.host),
        "what": one.words,
        "old": one.old._asdict(),
        "new": one.new._asdict(),
    }


def _replayed(progress: Progress) -> Replay:
    replay = Replay()
    for line in progress.along("lines of the log", log_input.standard_input()):
        replay.read(line)
    return replay
