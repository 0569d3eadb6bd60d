"""Deadlines are those of the monotonic clock: a clock that is stepped back an hour must not keep anybody waiting."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "ucspi_py"

#: Records of greylisting and grants outlive the machine's start, so no other clock will do (core/greylist/network.py,
#: core/ledger/grant.py).
#: The time of a file's last change is the wall clock's, and held against it; a step costs one more look at the file.
#: Certificates are valid by the wall clock; nothing but a line in the log hangs on it.
#: Tickets are checked by another process, and whoever has one may keep it until after the machine's next start.
#: Ids of connections are to be others than those before the machine's start.
#: Messages to syslog have the time in them, as syslog(3) writes it.
#: Times in a log are shown as the log's clock had them.
WALL_CLOCK = {
    "system/screens/greylist.py",
    "system/screens/relay.py",
    "system/explain/screens.py",
    "system/greylist/greylister.py",
    "system/ledger/ledger.py",
    "system/greylist/records.py",
    "system/store/redis.py",
    "system/postgrey/answering.py",
    "system/postgrey/importing.py",
    "system/recorder/tickets.py",
    "system/recorder/visitor.py",
    "system/rules/whole_file.py",
    "system/report/connection_ids.py",
    "system/report/events/event_log.py",
    "system/report/syslog.py",
    "core/tls/validity.py",
    "core/summary/tables.py",
    "core/summary/lines/stamps.py",
    "core/summary/lines/reader.py",
    "cli/summ/for_programs.py",
    "cli/summ/commands.py",
    "system/tls/contexts.py",
}

ASKS_THE_WALL = re.compile(r"\btime\.time(_ns)?\b|\bdatetime\b|\blocaltime\(|\bgmtime\(|CLOCK_REALTIME")


def test_only_what_is_stamped_by_the_wall_clock_asks_it() -> None:
    asking = {
        str(source.relative_to(PACKAGE))
        for source in PACKAGE.rglob("*.py")
        if ASKS_THE_WALL.search(source.read_text(encoding="utf-8"))
    }

    assert asking == WALL_CLOCK
