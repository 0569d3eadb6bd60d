"""What is made of many lines."""

from collections.abc import Iterable
from datetime import date

import pytest

from tests.support import sample_log
from ucspi_py.core.dnsbl import loglines as dnsbl
from ucspi_py.core.service import loglines as server
from ucspi_py.core.smtp.loglines import refused
from ucspi_py.core.summary import reasons, tables
from ucspi_py.core.summary.lines.reader import Reader
from ucspi_py.core.summary.networks import network
from ucspi_py.core.summary.recent import Recent
from ucspi_py.core.summary.report import Report
from ucspi_py.core.summary.top import Top
from ucspi_py.core.summary.totals import Totals

HOUR = 1795669200 // 3600


def summed(lines: Iterable[bytes | int], number: int = 10) -> Report:
    """The report of lines, one a second from five o'clock on. A number among them: so many seconds pass."""
    reader, totals = Reader(date(2026, 11, 27)), Totals()
    now = HOUR * 3600
    for line in lines:
        if isinstance(line, int):
            now += line
        else:
            totals.add(reader.read(b"@%016x00000000 %b" % ((1 << 62) + 10 + now, line.rstrip(b"\n"))))
            now += 1
    return totals.report(number)


def test_every_kind_is_counted_once() -> None:
    total = summed(sample_log.every_kind()).total

    assert (total.connections, total.denied, total.turned_away, total.screened) == (1, 1, 2, 2)
    assert (total.rejected, total.spared, total.messages, total.unsent) == (2, 1, 2, 1)
    assert (total.recipients, total.size, total.refused) == (2, 4000, 8)


def test_each_hour_has_its_own() -> None:
    """An empty one is shown as well."""
    first, second = sample_log.connected(b"192.0.2.1"), sample_log.connected(b"192.0.2.2")

    report = summed([first, 7200, second, second])

    assert [(hour - HOUR, one.connections) for hour, one in report.hours.items()] == [(0, 1), (2, 2)]
    assert report.total.connections == 3
    by_hour = next(table for table in tables.tables(report) if table.title == "by hour")
    assert [row[:2] for row in by_hour.rows] == [
        ("2026-11-26 05:00", 1),
        ("2026-11-26 06:00", 0),
        ("2026-11-26 07:00", 2),
    ]


def test_a_long_log_is_shown_by_day_and_by_hour_of_the_day() -> None:
    """A short one by its hours."""
    lines = [sample_log.connected(b"192.0.2.1")] * 2
    short, long = summed(lines), summed([line for one in lines * 25 for line in (one, 3600)])

    assert [table.title for table in tables.tables(short) if table.title.startswith("by ")] == ["by hour"]
    by_day, by_clock = (table for table in tables.tables(long) if table.title.startswith("by "))
    assert [row[:2] for row in by_day.rows] == [("2026-11-26", 19), ("2026-11-27", 24), ("2026-11-28", 7)]
    assert sum(int(row[1]) for row in by_clock.rows) == 50


def test_without_the_gate_who_is_let_in_is_shown() -> None:
    """Nobody tells of mail then."""
    by_screen = [sample_log.connected(b"192.0.2.1"), refused(b"rblsmtpd", b"192.0.2.1", 7, b"451 x")]
    clients = [*by_screen, sample_log.connected(b"192.0.2.2")]
    mail = sample_log.message(sample_log.visitor(b"192.0.2.3"))

    without, behind = (
        next(table for table in tables.tables(summed(lines)) if table.title == "by hour")
        for lines in (clients, [*clients, mail])
    )

    assert (without.headings[2:], without.rows[0][1:]) == (("let in", "refusals"), (2, 1, 1))
    assert (behind.headings[2:], behind.rows[0][1:]) == (("messages", "refusals"), (2, 1, 1))


def test_a_zone_is_seen_alone_and_together() -> None:
    """One that others only repeat adds nothing."""
    lists = [
        {"bl": b"127.0.0.2", "copy": b"127.0.0.4", "slow": b"pending"},
        {"bl": b"127.0.0.2", "copy": b"clean", "slow": b"failed"},
        {"bl": b"clean", "copy": b"clean", "slow": b"clean"},
    ]

    report = summed([sample_log.zones(b"192.0.2.7", b"451 x", **words) for words in lists])

    rows = {row.zone: row for row in report.zones}
    assert (rows[b"bl"].listed, rows[b"bl"].alone, rows[b"bl"].is_useless) == (2, 1, False)
    assert (rows[b"copy"].listed, rows[b"copy"].alone, rows[b"copy"].is_useless) == (1, 0, True)
    assert (rows[b"slow"].pending, rows[b"slow"].failed, rows[b"slow"].asked) == (1, 1, 3)
    assert report.pairs == [(b"bl", b"copy", 1)]


def _tally(asked: int, listed: int = 0, unique: int = 0) -> bytes:
    """What a service tells of a zone each hour."""
    return dnsbl.zone_totals(b"bl", {"asked": asked, "listed": listed, "unique": unique, "overlap": listed - unique})


def test_without_lines_of_clients_a_zones_totals_are_used() -> None:
    """What was before the log is not in it; a service that has begun anew counts from nothing."""
    told = [_tally(100, 50, 20), _tally(110, 55, 22), _tally(5, 5, 5), _tally(8, 6, 5)]

    (row,) = summed(told).zones

    assert (row.asked, row.listed, row.alone) == (10 + 5 + 3, 5 + 5 + 1, 2 + 5 + 0)


def test_totals_that_are_told_once_are_all_that_is_known() -> None:
    (row,) = summed([_tally(100, 50, 20)]).zones

    assert (row.asked, row.listed, row.alone) == (100, 50, 20)


def test_a_zone_is_not_counted_by_its_clients_and_by_its_totals() -> None:
    client = sample_log.zones(b"192.0.2.7", b"451 x", bl=b"127.0.0.2")

    (row,) = summed([_tally(100, 50, 20), client, _tally(101, 51, 21)]).zones

    assert (row.asked, row.listed, row.alone) == (1, 1, 1)


def test_a_zone_that_lists_who_delivers_mail_is_doubtful() -> None:
    """Seen where its listing alone refuses nobody."""
    let_in = sample_log.zones(b"192.0.2.7", b"accepted", bl=b"127.0.0.2", al=b"clean")
    taken = sample_log.message(sample_log.visitor(b"192.0.2.7"))

    row = summed([let_in, taken, taken]).zones[0]

    assert (row.zone, row.alone, row.delivered, row.is_doubtful) == (b"bl", 1, 1, True)


def test_a_zone_of_the_gates_lists_is_counted() -> None:
    text = b"5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.example; http://x"

    report = summed([sample_log.rejected(b"192.0.2.7", 554, text)] * 2)

    assert [(row.zone, row.decided) for row in report.zones] == [(b"zen.example", 2)]
    assert report.reasons == [(b"blocked using zen.example", 2)]
    assert report.restrictions == [(b"reject_rbl_client", 2)]


def test_who_is_refused_by_a_screen_before_the_gate_counts_once() -> None:
    """The gate says to each recipient what the screen has said of the client."""
    screen = refused(b"rblsmtpd", b"192.0.2.7", 7, b"451 listed; from=<a> to=<b>")
    recipient = sample_log.rejected(b"192.0.2.7", 451, b"listed")

    total = summed([screen, recipient, recipient]).total

    assert (total.screened, total.rejected) == (1, 0)


def test_a_network_comes_back_to_the_greylist() -> None:
    """Its delay is counted from its first visit, also of another address."""
    first, again = (refused(b"greylist", ip, 7, b"451 later") for ip in (b"192.0.2.7", b"192.0.2.8"))
    never = refused(b"greylist", b"198.51.100.1", 7, b"451 later")
    connection = [sample_log.connected(b"192.0.2.9", 8), server.ended(8, 0)]
    turned = [sample_log.connected(b"192.0.2.7"), first, server.ended(7, 0)]

    returns = summed([*turned, never, again, 400, *connection]).networks

    assert (returns.new, returns.early, returns.passed, returns.stayed_away) == (2, 1, 1, 1)
    assert returns.delays[600] == 1


def test_behind_a_gate_who_delivers_has_come_back() -> None:
    """A session alone does not tell."""
    waits = refused(b"greylist", b"192.0.2.7", 7, b"451 later")
    gate = sample_log.rejected(b"198.51.100.1", 550, b"x")
    session = [sample_log.connected(b"192.0.2.7", 8), server.ended(8, 0)]
    taken = sample_log.message(sample_log.visitor(b"192.0.2.7"))

    assert summed([gate, waits, *session]).networks.passed == 0
    assert summed([gate, waits, *session, taken]).networks.passed == 1


def test_triplets_come_back() -> None:
    words = [
        b"action=greylist, reason=new",
        b"action=greylist, reason=new",
        b"action=greylist, reason=early-retry (9s missing)",
        b"action=pass, reason=triplet found, delay=301",
        b"action=pass, reason=client AWL",
    ]

    returns = summed(map(sample_log.greylisted, words)).triplets

    assert (returns.new, returns.early, returns.passed, returns.known, returns.stayed_away) == (2, 1, 1, 1, 1)
    assert returns.delays[600] == 1
    assert dict(returns.reasons) == {b"triplet found": 1, b"client AWL": 1}


def test_relays_are_told_by_user_and_by_grant() -> None:
    joe = sample_log.visitor(b"192.0.2.7", b"joe")
    guest = sample_log.visitor(b"192.0.2.8", relays=True)
    local = sample_log.visitor(b"192.0.2.9", relays=True)
    lines = [*map(sample_log.message, (joe, joe, guest, local))]

    relays = summed([sample_log.granted(b"jane"), sample_log.used(b"192.0.2.8", b"jane"), *lines]).relays

    assert (relays.by_login, relays.by_grant, relays.by_address) == (2, 1, 1)
    assert relays.users == [(b"joe", 0, 0, 2, 2, 4000)]
    assert sorted(relays.grants) == [(b"jane", b"imap", 1, 0), (b"jane", b"pop3", 0, 1)]


def test_a_refused_message_names_what_has_refused_it() -> None:
    """What let its recipient pass has not."""
    client = sample_log.visitor(b"192.0.2.7")
    by_list, by_backend = (
        sample_log.message(client, 554, b"5.7.1 spam").replace(b"permit_mynetworks", name)
        for name in (b"reject_rbl_client", b"permit_mynetworks")
    )

    report = summed([by_list, by_backend])

    assert report.reasons == [(b"message: spam", 2)]
    assert report.restrictions == [(b"reject_rbl_client", 1)]


def test_a_limit_is_named_without_its_counts() -> None:
    lines = [server.turned_away(7, b"192.0.2.7", b"%d/3 connections of the client" % count) for count in (4, 5)]

    assert summed(lines).reasons == [(b"limit: connections of the client", 2)]


def test_clients_and_networks_are_told_apart() -> None:
    ips = [b"192.0.2.1", b"192.0.2.2", b"192.0.2.2", b"2001:db8::1"]

    connecting = summed(map(sample_log.connected, ips), number=2).connecting

    assert connecting.clients == [(b"192.0.2.2", 2), (b"192.0.2.1", 1)]
    assert connecting.networks == [(b"192.0.2.0/24", 3), (b"2001:db8::/64", 1)]


@pytest.mark.parametrize("ip", [b"unknown", b"", b"1:2:3:4:5:6:7:8:9"])
def test_what_is_no_address_is_its_own_network(ip: bytes) -> None:
    assert network(ip) == ip


def test_only_the_most_frequent_are_remembered() -> None:
    """However many there are; no count is by more too low than is said."""
    top = Top(10)
    for number in range(1000):
        top.add(b"%d" % number)
        top.add(b"often")

    assert len(top) <= 20
    assert top.most(1) == [(b"often", 1000)]
    assert 0 < top.missed <= 100


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"5.1.1 <a@b>: Recipient address rejected: User unknown", b"Recipient address rejected: User unknown"),
        (b"4.7.1 <h>: Helo command rejected: Host not found", b"Helo command rejected: Host not found"),
        (
            b"4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]",
            b"Client host rejected: cannot find your hostname",
        ),
        (b"Listed, see http://bl.example/?ip=192.0.2.7", b"Listed"),
        (b"http://bl.example/query/192.0.2.7", b"http://bl.example/query/IP"),
        (b"192.0.2.7 is listed", b"IP is listed"),
        (b"2001:db8::7 is listed", b"IP is listed"),
        (b"", b"no reason"),
        (b"x" * 5000, b"x" * 80),
    ],
)
def test_a_reason_is_what_refusals_have_in_common(text: bytes, reason: bytes) -> None:
    assert reasons.reason(text) == reason


def test_a_restriction_is_known_by_its_words() -> None:
    """Or not at all."""
    told = b"4.2.0 <r@example.org>: Recipient address rejected: Greylisted, see http://x"

    assert reasons.restriction(told) == b"check_greylist"
    assert reasons.restriction(b"5.7.1 go away") == b""


def test_only_the_newest_are_remembered() -> None:
    """And one that is put anew is no other one."""
    recent = Recent[int, str](2)

    forgets = [recent.put(number, str(number)) for number in (1, 2, 2, 3)]

    assert forgets == [False, False, False, True]
    assert (recent.get(1), recent.get(2), recent.take(3), recent.take(3), len(recent)) == (None, "2", "3", None, 1)


def test_first_visits_too_many_to_remember_are_told() -> None:
    """Of which is not known whether they came back."""
    visits = (refused(b"greylist", b"10.%d.%d.1" % divmod(number, 256), 7, b"451 later") for number in range(50_003))

    returns = summed(visits).networks

    assert (returns.new, returns.forgotten, returns.stayed_away) == (50_003, 3, 50_000)
