"""pyrblcheck: query the zones about addresses, and test the zones themselves."""

import ipaddress
import json
import sys
from typing import Any

import click

from ..core.address import canonical
from ..core.dnsbl import answers, zone
from ..core.dnsbl.answers import NOT_ASKED, Failing, Finding, Listed
from ..core.errors import AskedWrongly, Failure
from ..core.service.settings import Program
from ..core.smtp.verdict import Refuse
from ..core.text import clean
from ..system.dnsbl import check as zone_check
from . import djb_click, zones_from
from .chain import program

#: The exit code of a check that has found something.
_FOUND = 1


@click.command(context_settings=djb_click.CONTEXT_SETTINGS | {"allow_interspersed_args": True})
@djb_click.version_option
@click.option("-r", "lists", metavar="ZONE", multiple=True, help="A zone that lists clients to be refused.")
@click.option("-a", "allow_lists", metavar="ZONE", multiple=True, help="A zone that lists clients to be let in.")
@click.option("--from", "file", metavar="FILE", help="Zones from a run script, or from a list, one a line.")
@click.option("--zones", is_flag=True, help="Check the zones themselves, by their test points.")
@click.option("--json", "as_json", is_flag=True, help="Speak JSON.")
@click.argument("ips", metavar="[IP]...", nargs=-1)
def check(
    lists: tuple[str, ...],
    allow_lists: tuple[str, ...],
    file: str | None,
    zones: bool,
    as_json: bool,
    ips: tuple[str, ...],
) -> None:
    """Ask the zones about each IP, and say what pyrblsmtpd would say; with --zones, whether the zones are well.

    The exit code is 0 where nobody is refused and every zone is well, 1 otherwise, 111 where it cannot be found out.

    Example: pyrblcheck --from /service/smtpd/run 192.0.2.7

    Example: pyrblcheck --zones -r bl.example.org || mail -s zones postmaster
    """
    clients = list(map(_address, ips))
    screens = _screens(lists, allow_lists, file)
    if not screens.zones or not (zones or ips):
        raise AskedWrongly("a zone is needed (-r, -a, --from), and an IP or --zones")
    rows = _zone_rows(screens) if zones else []
    rows += [row for checked in zone_check.clients(screens, clients) for row in _rows(checked)]
    djb_click.tell(1, (json.dumps(rows, indent=2) + "\n" if as_json else "".join(map(_line, rows))).encode())
    if any(row["found"] for row in rows):
        sys.exit(_FOUND)
    if any(row.get("answer") == "failed" for row in rows):
        sys.exit(Failure.exit_code)


def main() -> None:
    """Run pyrblcheck."""
    djb_click.run(
        "rblcheck", "rblcheck [ -r zone ] [ -a zone ] [ --from file ] [ --zones ] [ --json ] [ ip ... ]", _check
    )


def _check(args: list[str]) -> None:
    djb_click.invoke(check, "pyrblcheck", args)


def _address(word: str) -> bytes:
    """Normalise an address. Raises AskedWrongly: about anything else no zone has an answer."""
    try:
        ipaddress.ip_address(word)
        return canonical(word)
    except ValueError:
        raise AskedWrongly(f"'{word}' is no IP address") from None


def _screens(lists: tuple[str, ...], allow_lists: tuple[str, ...], file: str | None) -> Program:
    """Read the screens of a run script, with the zones of the options behind the last one's own."""
    *outer, last = zones_from.read(file).dnsbl_screens if file else (program.defaults(),)
    zones = [zone.parse(words) for words in lists] + [zone.parse(words, allow=True) for words in allow_lists]
    return Program((*outer, program.with_zones(last, tuple(zones))), ())


def _rows(checked: zone_check.Checked) -> list[dict[str, Any]]:
    ip = checked.ip.decode("utf-8", "replace")
    rows = [
        {
            "ip": ip,
            "zone": told.alias.decode("utf-8", "replace"),
            "answer": "not asked" if result is NOT_ASKED else answers.word(result.finding).decode(),
            "text": _text(result.finding),
            "milliseconds": round(1000 * result.seconds),
            "found": False,
        }
        for told, result in checked.results
    ]
    refused = isinstance(checked.verdict, Refuse)
    reply = checked.verdict.reply.decode() if isinstance(checked.verdict, Refuse) else "accepted"
    return [*rows, {"ip": ip, "verdict": reply, "found": refused}]


def _zone_rows(screens: Program) -> list[dict[str, Any]]:
    return [
        {
            "zone": told.alias.decode("utf-8", "replace"),
            "well": not (health.alarm or health.remark),
            "remark": health.alarm or health.remark,
            "found": bool(health.alarm or health.remark),
        }
        for told, health in zone_check.zones(screens)
    ]


def _text(finding: Finding) -> str:
    match finding:
        case Listed(text):
            return clean(text).decode()
        case Failing(reason):
            return reason
    return ""


def _line(row: dict[str, Any]) -> str:
    if "verdict" in row:
        return f"{row['ip']}: {row['verdict']}\n"
    if "ip" in row:
        return f"{row['ip']:<20} {row['zone']:<30} {row['answer']:<12} {row['milliseconds']:>5} ms  {row['text']}\n"
    return f"{row['zone']:<30} {'well' if row['well'] else row['remark']}\n"
