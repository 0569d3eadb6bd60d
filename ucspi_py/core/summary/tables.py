"""A report -> tables, which are shown in a terminal or on a page. Never makes a text safe for either."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ..text import shown
from .hours import DAY, Counts, by_clock, by_day, filled
from .report import Clients, Report, Row
from .returns import Returns
from .zones import ZoneRow

#: Hours that are shown one by one; of a longer log its days are.
_HOURS = 48
_LONGEST = 80

Cell = str | int | float


class Table(NamedTuple):
    """A table. Numbers among the cells are numbers.

    bars: which columns are also drawn, one behind the other. note: a sentence under the title, "" = none.
    """

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    bars: tuple[int, ...] = ()
    note: str = ""


def span(report: Report) -> str:
    """Tell of what a report is, in a sentence."""
    clock = "no line has a stamp"
    if report.first is not None and report.last is not None:
        clock = f"{_minute(report.first)} to {_minute(report.last)}"
    lost = f", and {report.lost:,} lost when it was written" if report.lost else ""
    return f"{clock}; {report.understood:,} of {report.lines:,} lines tell something{lost}"


def tables(report: Report) -> list[Table]:
    """List the tables of a report; those without a row are left out."""
    found = [
        _overview(report),
        *_times(report),
        _counted("refusals by reason", "reason", report.reasons),
        _counted("refusals by restriction", "restriction", report.restrictions),
        _counted("header and body checks, and milters", "action and part", report.checks),
        _zones(report),
        _pairs(report),
        *_greylists(report),
        *_relays(report),
        *_clients("connections", report.connecting),
        *_clients("refusals", report.refused),
        *_clients("messages", report.delivering),
        _counted("sessions that ended early", "how", report.left),
        _counted("warnings", "warning", report.warnings),
    ]
    return [table for table in found if table.rows]


def _overview(report: Report) -> Table:
    total = report.total
    rows = [
        ("connections that the rules let in", total.connections),
        ("denied by a rule", total.denied),
        ("turned away over a limit, or without TLS or a proxy's header", total.turned_away),
        ("refused by a screen", total.screened),
        ("commands refused by the gate", total.rejected),
        ("would be refused, but for a dry run or warn_if_reject", total.spared),
        ("messages taken", total.messages),
        ("their recipients", total.recipients),
        ("their kilobytes", total.size // 1000),
        ("messages refused", total.unsent),
        ("most backends at once", report.peak.running),
        ("backends allowed at once", report.peak.limit),
    ]
    return Table("in all", ("what", "number"), [row for row in rows if row[1]])


def _times(report: Report) -> list[Table]:
    hours, total = filled(report.hours), report.total
    by = _by_mail if total.messages or total.unsent or total.rejected else _by_clients
    if len(hours) <= _HOURS:
        return [by("by hour", "hour", ((_minute(hour * 3600), one) for hour, one in hours.items()))]
    days = ((_minute(day * 3600)[:10], one) for day, one in filled(by_day(report.hours), DAY).items())
    clock = ((f"{hour:02}:00", one) for hour, one in by_clock(report.hours).items())
    return [by("by day", "day", days), by("by hour of the day", "hour", clock)]


def _by_mail(title: str, unit: str, counts: Iterable[tuple[str, Counts]]) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, one.connections, one.messages, one.refused) for name, one in counts]
    note = "A refused command counts as well as a refused client."
    return Table(title, (unit, "connections", "messages", "refusals"), rows, (2, 3), note)


def _by_clients(title: str, unit: str, counts: Iterable[tuple[str, Counts]]) -> Table:
    """Without the gate nobody tells of mail."""
    rows: list[tuple[Cell, ...]] = [
        (name, one.connections, max(one.connections - one.screened, 0), one.refused) for name, one in counts
    ]
    return Table(title, (unit, "connections", "let in", "refusals"), rows, (2, 3))


def _counted(title: str, what: str, rows: Sequence[Row]) -> Table:
    return Table(title, (what, "number"), [(_named(row.name), row.number) for row in rows], (1,))


def _zones(report: Report) -> Table:
    headings = ("zone", "asked", "together", "alone", "decided", "delivered", "failed", "late", "mean ms", "remark")
    rows: list[tuple[Cell, ...]] = [
        (
            _named(row.zone),
            row.asked,
            row.listed - row.alone,
            row.alone,
            row.decided,
            row.delivered,
            row.failed,
            row.pending,
            round(row.ms, 1),
            _remark(row),
        )
        for row in report.zones
    ]
    note = (
        "Clients that are listed together with another zone, and alone. Decided: commands that the gate has refused by "
        "it. Delivered: clients that it alone lists, and of which a message was taken all the same."
    )
    return Table("zones", headings, rows, (3, 2), note)


def _remark(row: ZoneRow) -> str:
    if row.is_doubtful:
        return "lists senders of mail"
    return "adds nothing" if row.is_useless else ""


def _pairs(report: Report) -> Table:
    listed = {row.zone: row.listed for row in report.zones}
    rows: list[tuple[Cell, ...]] = [
        (
            _named(pair.first),
            _named(pair.second),
            pair.both,
            _percent(pair.both, listed.get(pair.first, 0)),
            _percent(pair.both, listed.get(pair.second, 0)),
        )
        for pair in report.pairs
    ]
    headings = ("zone", "and zone", "both list", "of the first", "of the second")
    return Table("zones together", headings, rows, (2,))


def _greylists(report: Report) -> list[Table]:
    kinds = (("greylist by triplet", report.triplets), ("greylist by network", report.networks))
    return [table for title, one in kinds if one.new or one.passed or one.known for table in _greylist(title, one)]


def _greylist(title: str, one: Returns) -> list[Table]:
    rows: list[tuple[Cell, ...]] = [
        ("first visits", one.new),
        ("back too early", one.early),
        ("back in time", one.passed),
        ("not back in this log", one.stayed_away),
        ("too many to remember", one.forgotten),
        ("need not wait", one.known),
    ]
    delays: list[tuple[Cell, ...]] = [(_bound(bound), count) for bound, count in one.delays.items()]
    while delays and not delays[-1][1]:
        delays.pop()
    reasons = [Row(*row) for row in one.reasons]
    return [
        Table(title, ("what", "number"), [row for row in rows if row[1]], (1,)),
        Table(f"{title}: delay", ("seconds", "number"), delays, (1,)),
        _counted(f"{title}: why it was passed", "reason", reasons),
    ]


def _relays(report: Report) -> list[Table]:
    relays = report.relays
    how: list[tuple[Cell, ...]] = [
        ("a login", relays.by_login),
        ("a grant", relays.by_grant),
        ("an address or a certificate", relays.by_address),
    ]
    users: list[tuple[Cell, ...]] = [
        (_named(row.user), row.messages, row.recipients, row.size // 1000, row.logins, row.failed)
        for row in relays.users
    ]
    headings = ("user", "messages", "recipients", "kilobytes", "logins", "failed")
    grants: list[tuple[Cell, ...]] = [(_named(row.user), _named(row.how), row.given, row.used) for row in relays.grants]
    return [
        Table("messages of those who may relay", ("by", "messages"), how if any(row[1] for row in how) else [], (1,)),
        Table("users who log in, or try to", headings, users, (1,)),
        Table("grants", ("user", "by", "given", "sessions"), grants, (3,)),
    ]


def _clients(what: str, clients: Clients) -> list[Table]:
    note = f"Each may be up to {clients.missed:,} too low." if clients.missed else ""
    return [
        _counted(f"clients by {what}", "client", clients.clients)._replace(note=note),
        _counted(f"networks by {what}", "network", clients.networks)._replace(note=note),
    ]


def _named(name: bytes) -> str:
    text = shown(name[: 4 * _LONGEST])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _percent(part: int, whole: int) -> str:
    return f"{100 * part // whole} %" if whole else ""


def _bound(seconds: int | None) -> str:
    if seconds is None:
        return "longer"
    return f"to {seconds // 60} min" if seconds < 7200 else f"to {seconds // 3600} h"


def _minute(seconds: int) -> str:
    """Write a time as the log's clock had it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
