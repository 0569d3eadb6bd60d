"""pyrblcheck: what do the zones say of an address, and are the zones well?"""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from ..core import dnsbl, zone
from ..core.dnsbl import Failing, Listed
from ..core.errors import AskedWrongly, Failure, unable
from ..core.settings import ScreenSettings
from ..core.verdict import Refuse
from ..system import zone_check
from . import manners, program

#: The programs behind which a run script has its zones.
_SCREENS = (program.RBLSMTPD, "rblsmtpd")
#: The exit code of a check that has found something.
_FOUND = 1


@click.command(context_settings=manners.CONTEXT_SETTINGS | {"allow_interspersed_args": True})
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
    settings = _settings(lists, allow_lists, file)
    if not settings.zones or not (zones or ips):
        raise AskedWrongly("a zone is needed (-r, -a, --from), and an IP or --zones")
    rows = _zone_rows(settings) if zones else []
    rows += [
        row for checked in zone_check.clients(settings, list(map(os.fsencode, ips))) for row in _rows(settings, checked)
    ]
    manners.tell(1, (json.dumps(rows, indent=2) + "\n" if as_json else "".join(map(_line, rows))).encode())
    if any(row["found"] for row in rows):
        sys.exit(_FOUND)
    if any(row.get("answer") == "failed" for row in rows):
        sys.exit(Failure.exit_code)


def main() -> None:
    """The program."""
    manners.run(
        "rblcheck", "rblcheck [ -r zone ] [ -a zone ] [ --from file ] [ --zones ] [ --json ] [ ip ... ]", _check
    )


def _check(args: list[str]) -> None:
    manners.invoke(check, "pyrblcheck", args)


def _settings(lists: tuple[str, ...], allow_lists: tuple[str, ...], file: str | None) -> ScreenSettings:
    """Those of a run script, with the zones of the options behind its own."""
    found = _from_file(file) if file else program.defaults()
    zones = [zone.parse(words) for words in lists] + [zone.parse(words, allow=True) for words in allow_lists]
    return program.with_zones(found, tuple(zones))


def _from_file(file: str) -> ScreenSettings:
    try:
        text = Path(file).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise unable(f"read {file}", error) from None
    words = shlex.split(text.replace("\\\n", " "), comments=True)
    at = next((at for at, word in enumerate(words) if os.path.basename(word) in _SCREENS), None)
    if at is not None:
        return program.zone_screen(words[at + 1 :])
    return program.with_zones(program.defaults(), tuple(map(zone.parse, words)))


def _rows(settings: ScreenSettings, checked: zone_check.Checked) -> list[dict[str, Any]]:
    ip = checked.ip.decode("utf-8", "replace")
    rows = [
        {
            "ip": ip,
            "zone": told.alias.decode("utf-8", "replace"),
            "answer": dnsbl.word(heard.finding).decode(),
            "text": _text(heard.finding),
            "milliseconds": round(1000 * heard.seconds),
            "found": False,
        }
        for told, heard in zip(settings.zones, checked.heard, strict=True)
    ]
    refused = isinstance(checked.verdict, Refuse)
    reply = checked.verdict.reply.decode() if isinstance(checked.verdict, Refuse) else "accepted"
    return [*rows, {"ip": ip, "verdict": reply, "found": refused}]


def _zone_rows(settings: ScreenSettings) -> list[dict[str, Any]]:
    return [
        {
            "zone": told.alias.decode("utf-8", "replace"),
            "well": not (health.alarm or health.remark),
            "remark": health.alarm or health.remark,
            "found": bool(health.alarm or health.remark),
        }
        for told, health in zone_check.zones(settings)
    ]


def _text(finding: dnsbl.Finding) -> str:
    match finding:
        case Listed(text):
            return text.decode("ascii", "replace")
        case Failing(reason):
            return reason
    return ""


def _line(row: dict[str, Any]) -> str:
    if "verdict" in row:
        return f"{row['ip']}: {row['verdict']}\n"
    if "ip" in row:
        return f"{row['ip']:<20} {row['zone']:<30} {row['answer']:<12} {row['milliseconds']:>5} ms  {row['text']}\n"
    return f"{row['zone']:<30} {'well' if row['well'] else row['remark']}\n"
