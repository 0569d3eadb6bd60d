"""What a line of a log tells, whoever wrote and stamped it."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import sample_log
from ucspi_py.core.dnsbl import loglines as dnsbl
from ucspi_py.core.log.event import event_of
from ucspi_py.core.log.forms import FORMS, Stamp
from ucspi_py.core.postgrey import loglines as postgrey
from ucspi_py.core.service import loglines as server
from ucspi_py.core.smtp.loglines import refused
from ucspi_py.core.summary.events import (
    Came,
    Checked,
    Connected,
    Denied,
    Ended,
    Event,
    Finding,
    Granted,
    GrantUsed,
    Judged,
    Left,
    LinesLost,
    Load,
    LoggedIn,
    LoginFailed,
    Message,
    Rejected,
    Screened,
    Spared,
    Tallied,
    TurnedAway,
    Visited,
    Warned,
)
from ucspi_py.core.summary.lines.reader import Reader, Told
from ucspi_py.core.summary.tables import span, tables
from ucspi_py.core.summary.totals import Totals

TODAY = date(2026, 11, 27)
#: 2026-11-26 05:00:00.
FIVE = 1795669200
TAI64N = b"@%016x00000000 " % ((1 << 62) + 10 + FIVE)
STAMPS = {
    TAI64N: FIVE,
    b"2026-11-26_05:00:00.12345 ": FIVE,
    b"2026-11-26 05:00:00.123456789  ": FIVE,
    b"2026-11-26T05:00:00.123456+01:00 mx smtpd[123]: ": FIVE,
    b"2026-11-26T05:00:00.123456789Z stderr F ": FIVE,
    b"Nov 26 05:00:00 mx smtpd: ": FIVE,
    b"Nov 26 05:00:00 mx smtpd[7]: ": FIVE,
    b"Nov 26 06:00:00 mx smtpd: " + TAI64N: FIVE,
    b"Nov 26 06:00:00 mx smtpd: %d.485077 " % FIVE: FIVE,
    b"smtp-1  | 2026-11-26T05:00:00Z ": FIVE,
    b"<4>": None,
    b"": None,
}


def read(line: bytes) -> Told:
    """What a line tells."""
    return Reader(TODAY).read(line.rstrip(b"\n"))


def test_every_kind_of_line_is_understood() -> None:
    """As our programs write them today."""
    silent = [line for line in sample_log.every_kind() if not read(line).events]

    assert silent == []


@pytest.mark.parametrize("stamp", STAMPS, ids=repr)
def test_any_stamp_is_read(stamp: bytes) -> None:
    """The one nearest to the program counts."""
    assert read(stamp + sample_log.connected(b"192.0.2.7")) == (STAMPS[stamp], (Connected(b"192.0.2.7", 7),))


def test_a_stamp_without_a_year_is_of_the_past() -> None:
    """In January, a line of December is of last year."""
    reader = Reader(date(2027, 1, 1))
    line = sample_log.connected(b"192.0.2.7").rstrip()

    assert reader.read(b"Nov 26 05:00:00 mx smtpd: " + line).seconds == FIVE


@pytest.mark.parametrize(
    "stamp",
    [
        b"@ffffffffffffffff00000000 ",
        b"@0000000000000000ffffffff ",
        b"1969-12-31 05:00:00 ",
        b"2026-02-30 05:00:00 ",
        b"Feb 30 05:00:00 mx smtpd: ",
        b"Foo 11 05:00:00 mx smtpd: ",
    ],
    ids=repr,
)
def test_a_stamp_that_is_no_time_is_not_believed(stamp: bytes) -> None:
    """The line is."""
    assert read(stamp + sample_log.connected(b"192.0.2.7")) == (None, (Connected(b"192.0.2.7", 7),))


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (server.status(3, 40), Load(3, 40)),
        (sample_log.connected(b"2001:db8::7"), Connected(b"2001:db8::7", 7)),
        (sample_log.connected(b"192.0.2.7", word=b"deny"), Denied(b"192.0.2.7")),
        (server.ended(7, 0), Ended(7)),
        (server.turned_away(7, b"192.0.2.7", b"4/3 x"), TurnedAway(b"192.0.2.7", b"limit", b"4/3 x")),
        (server.unsecured(7, b"192.0.2.7", "no"), TurnedAway(b"192.0.2.7", b"tls", b"no")),
        (server.without_header(7, b"192.0.2.7", "no"), TurnedAway(b"192.0.2.7", b"proxy", b"no")),
        (server.warning("no rules"), Warned(b"no rules")),
        (server.lost(12), LinesLost(12)),
        (refused(b"rblsmtpd", b"192.0.2.7", 7, b"451 x"), Screened(b"192.0.2.7", b"rblsmtpd", 451, b"x")),
        (
            refused(b"greylist", b"192.0.2.7", 7, b"451 x; from=<a> to=<b> id=1"),
            Screened(b"192.0.2.7", b"greylist", 451, b"x"),
        ),
        (
            sample_log.zones(b"192.0.2.7", b"451 x", bl=b"127.0.0.2", al=b"clean"),
            Judged(b"192.0.2.7", (Finding(b"bl", b"127.0.0.2", 12), Finding(b"al", b"clean", 12)), True),
        ),
        (
            dnsbl.zone_totals(
                b"bl", {"asked": 9, "listed": 7, "unique": 4, "overlap": 3, "milliseconds": 60, "odd": 1}
            ),
            Tallied(b"bl", 9, 7, 4, 3, 0, 0, 60),
        ),
        (
            sample_log.rejected(b"192.0.2.7", 550, b"5.1.1 <r@example.org>: x"),
            Rejected(b"192.0.2.7", b"RCPT", 550, b"5.1.1 <r@example.org>: x"),
        ),
        (
            sample_log.message(sample_log.visitor(b"192.0.2.7", b"joe", relays=True)),
            Message(b"192.0.2.7", 250, b"ok 1764162253 qp 77", 2000, 1, True, b"joe", b"permit_mynetworks"),
        ),
        (
            b"smtpgate[1]: NOQUEUE: reject: header Subject: (x) from a from mx[192.0.2.7]; from=<a> to=<b>: 5.7.1 no\n",
            Checked(b"reject", b"header"),
        ),
        (
            b"smtpgate: NOQUEUE: reject: mime-error MIME nesting exceeds safety limit: x from m[192.0.2.7]; from=<a>\n",
            Checked(b"reject", b"mime-error"),
        ),
        (
            b"smtpgate: NOQUEUE: reject_warning: RCPT from mx[192.0.2.7]: 554 5.7.1 no; from=<a> to=<b>\n",
            Spared(b"192.0.2.7", b"5.7.1 no"),
        ),
        (sample_log.greylisted(b"action=greylist, reason=new"), Visited(Came.NEW, b"new")),
        (
            sample_log.greylisted(b"action=greylist, reason=early-retry (77s missing)"),
            Visited(Came.EARLY, b"early-retry"),
        ),
        (sample_log.policy(b"pass", b"triplet found", b"delay=400"), Visited(Came.PASSED, b"triplet found", 400)),
        (sample_log.policy(b"pass", b"client AWL"), Visited(Came.KNOWN, b"client AWL")),
        (sample_log.used(b"192.0.2.7", b"joe"), GrantUsed(b"192.0.2.7", b"joe", b"pop3")),
        (sample_log.granted(b"joe"), Granted(b"joe", b"imap")),
        (
            b"smtpgate[1]: client=mx[192.0.2.7], sasl_method=PLAIN, sasl_username=joe",
            LoggedIn(b"192.0.2.7", b"joe", b"PLAIN"),
        ),
        (
            b"smtpgate[1]: warning: mx[192.0.2.7]: SASL PLAIN authentication failed: no, sasl_username=joe",
            LoginFailed(b"192.0.2.7", b"joe"),
        ),
        (b"smtpgate[1]: timeout after DATA (77 bytes) from mx[192.0.2.7]", Left(b"192.0.2.7", b"timeout")),
        (
            b"smtpgate: non-SMTP command after CONNECT from mx[192.0.2.7]: GET /",
            Left(b"192.0.2.7", b"non-SMTP command"),
        ),
    ],
)
def test_a_line_in_djbs_form(line: bytes, event: Event) -> None:
    """Written by us or by hand."""
    assert read(line).events == (event,)


@pytest.mark.parametrize(
    "line",
    [
        postgrey.starting(1),
        b"qmail-smtpd: said tcpserver: deny 7 a:192.0.2.1:25 b:192.0.2.7::1",
        TAI64N + b"it says: rblsmtpd: 192.0.2.7 pid 7: 451 x",
        TAI64N + b"qmail-smtpd: rblsmtpd: 192.0.2.7 pid 7: 451 x",
        b"tcpserver: ok 7 nonsense",
        b"rblsmtpd: 192.0.2.7 pid 7 bl.example: 451 x",
        b"smtpgate: NOQUEUE: reject: RCPT from nobody",
        b"{",
        b'{"a":' * 2000,
        b"ts=1 and so on",
        b"\xff\x00",
        b"",
    ],
    ids=repr,
)
def test_what_is_no_line_of_ours_tells_nothing(line: bytes) -> None:
    """Nor what another program quotes."""
    assert read(line).events == ()


def test_a_message_tells_who_relays() -> None:
    """By its login, or by its address."""
    joe, other, stranger = (
        read(sample_log.message(one)).events[0]
        for one in (
            sample_log.visitor(b"192.0.2.7", b"joe"),
            sample_log.visitor(b"192.0.2.7", relays=True),
            sample_log.visitor(b"192.0.2.7"),
        )
    )

    assert isinstance(joe, Message)
    assert isinstance(other, Message)
    assert isinstance(stranger, Message)
    assert (joe.user, other.user, other.relayed, stranger.relayed) == (b"joe", b"", True, False)


@given(st.binary(max_size=300))
def test_no_line_is_a_surprise(line: bytes) -> None:
    """Whatever is in it."""
    for front in (b"", TAI64N, b"smtpgate[1]: ", b"dnsbl: zones for 192.0.2.7 pid 7: ", b"tcpserver: ok ", b"ts="):
        read(front + line.replace(b"\n", b""))


#: Surrogates, too, of which UTF-8 has none.
_ANY = st.characters()
_NAMES = {"ip", "pid", "decision", "code", "reply", "zones", "user", "method", "how", "rule", "running", "limit", "msg"}
_NAMES |= {"size", "recipients", "delay", "ts", "log", "MESSAGE", "__REALTIME_TIMESTAMP", "stage", "lost"}
_EVENTS = {"end", "status", "spared", "reject", "message", "greylist", "grant", "relay", "login", "login_failed"}
_EVENTS |= {"left", "warning", "lost", "zones"}
_TEXTS = st.text(_ANY)
_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.dictionaries(_TEXTS, _TEXTS), st.just("2147483648")
)


@given(st.dictionaries(st.sampled_from(sorted(_NAMES)), _VALUES), st.sampled_from(sorted(_EVENTS)))
def test_no_field_is_a_surprise(fields: dict[str, object], event: str) -> None:
    """Whatever it holds: what is made of it can be summed up and shown."""
    totals = Totals()
    totals.add(read(json.dumps({"event": event, **fields}).encode()))

    report = totals.report(5)
    texts = [span(report), *(str(cell) for table in tables(report) for row in table.rows for cell in row)]
    assert [text for text in texts if not text.isprintable() or len(text) > 200] == []


def test_what_a_backend_says_is_no_field() -> None:
    """Nor what it repeats of a client's words."""
    forged = b"ok <x>; from=<a> nrcpt=99 size=99 relay=yes sasl_username=joe"

    found = read(sample_log.message(sample_log.visitor(b"192.0.2.7"), 250, forged)).events

    assert found == (Message(b"192.0.2.7", 250, forged, 2000, 1, False, b"", b"permit_mynetworks"),)


FIELDS: list[tuple[dict[str, object], Event]] = [
    ({"event": "connection", "decision": "ok", "ip": "192.0.2.7", "pid": 7}, Connected(b"192.0.2.7", 7)),
    ({"decision": "deny", "ip": "192.0.2.7"}, Denied(b"192.0.2.7")),
    ({"decision": "limit", "ip": "192.0.2.7", "msg": "4/3 x"}, TurnedAway(b"192.0.2.7", b"limit", b"4/3 x")),
    ({"decision": "proxy_error", "ip": "192.0.2.7"}, TurnedAway(b"192.0.2.7", b"proxy", b"proxy")),
    (
        {"decision": "refused", "ip": "192.0.2.7", "code": 451, "reply": "451 see x"},
        Screened(b"192.0.2.7", b"rblsmtpd", 451, b"see x"),
    ),
    (
        {"decision": "greylisted", "ip": "192.0.2.7", "reply": "451 wait"},
        Screened(b"192.0.2.7", b"greylist", 451, b"wait"),
    ),
    ({"event": "status", "running": 3, "limit": 40}, Load(3, 40)),
    ({"event": "end", "pid": 7, "status": 0, "ms": 12}, Ended(7)),
    (
        {"event": "zones", "ip": "192.0.2.7", "code": 451, "zones": {"bl": "127.0.0.2/12ms", "al": "clean"}},
        Judged(b"192.0.2.7", (Finding(b"bl", b"127.0.0.2", 12), Finding(b"al", b"clean", 0)), True),
    ),
    (
        {"event": "reject", "ip": "192.0.2.7", "stage": "RCPT", "code": 550, "reply": "5.1.1 no", "rule": "reject"},
        Rejected(b"192.0.2.7", b"RCPT", 550, b"5.1.1 no", b"reject"),
    ),
    (
        {"event": "message", "ip": "::1", "code": 250, "reply": "ok", "size": 9, "recipients": 2, "user": "joe\xe9"},
        Message(b"::1", 250, b"ok", 9, 2, False, b"joe\xc3\xa9"),
    ),
    (
        {"event": "greylist", "how": "passed", "msg": "triplet found", "delay": 5},
        Visited(Came.PASSED, b"triplet found", 5),
    ),
    ({"event": "login", "ip": "::1", "user": "joe", "method": "PLAIN"}, LoggedIn(b"::1", b"joe", b"PLAIN")),
    ({"event": "login_failed", "ip": "::1", "user": 'a "b"\n'}, LoginFailed(b"::1", b'a "b"\n')),
    ({"event": "grant", "user": "joe", "how": "imap"}, Granted(b"joe", b"imap")),
    ({"event": "relay", "ip": "::1", "user": "joe", "how": "pop3"}, GrantUsed(b"::1", b"joe", b"pop3")),
    ({"event": "checked", "ip": "::1", "action": "reject", "part": "header"}, Checked(b"reject", b"header")),
    (
        {"event": "milter", "ip": "::1", "action": "reject", "stage": "MAIL", "code": 550, "reply": "5.7.1 no"},
        Rejected(b"::1", b"MAIL", 550, b"5.7.1 no"),
    ),
    (
        {
            "event": "milter",
            "ip": "::1",
            "action": "reject",
            "stage": "END-OF-MESSAGE",
            "code": 550,
            "reply": "5.7.1 no",
        },
        Checked(b"milter-reject", b"END-OF-MESSAGE"),
    ),
    ({"event": "warning", "msg": "no rules"}, Warned(b"no rules")),
]


@pytest.mark.parametrize(("fields", "event"), FIELDS)
def test_json_and_logfmt_tell_the_same(fields: dict[str, object], event: Event) -> None:
    """With the time of the line in it."""
    fields = {"ts": "2026-11-26T05:00:00.123456Z", "level": "info", **fields}

    assert read(json.dumps(fields).encode()) == (FIVE, (event,))
    assert read(_logfmt(fields)) == (FIVE, (event,))


@pytest.mark.parametrize("form", FORMS)
def test_what_a_line_tells_does_not_depend_on_its_form(form: str) -> None:
    """But for the user of a failed login, who is shown as the client has said it where that can be."""
    for line in (*sample_log.every_kind(), *sample_log.of_odd_sessions()):
        if line != server.lost(12):  # a form has an event of its own for it
            written = FORMS[form](Stamp("2026-11-26T05:00:00.123456Z", 7), event_of(line))
            assert list(map(_nameless, read(written).events)) == list(map(_nameless, read(line).events)), line


def test_what_is_wrong_with_clients_has_words_in_common() -> None:
    """Their names, addresses and users are not in a warning."""
    found = [event for line in sample_log.of_odd_sessions() for event in read(line).events]

    assert [event.text for event in found if isinstance(event, Warned)] == [
        b"Connection rate limit exceeded: 9 for service smtp",
        b"policy service unix:/spf: timed out",
        b"a table is old",
        b"SASL authentication aborted",
        b"SASL authentication not tried: too many failures",
        b"Hourly recipient limit exceeded: 9",
    ]
    assert TurnedAway(b"192.0.2.14", b"tls", b"no shared cipher") in found


def _nameless(event: Event) -> Event:
    return event._replace(user=b"") if isinstance(event, LoginFailed) else event


def test_a_connection_in_one_event_tells_all_that_djbs_lines_tell() -> None:
    """With how many backends run. Of the gate's refusal there is a connection beside it."""
    said = {"decision": "refused", "ip": "192.0.2.7", "pid": 7, "code": 451, "reply": "no", "how": "rblsmtpd"}
    refusal = Screened(b"192.0.2.7", b"rblsmtpd", 451, b"no")

    by_server, by_gate, at_end = (
        read(json.dumps(fields).encode()).events
        for fields in ({**said, "port": 4321}, said, {"event": "end", "pid": 7, "running": 3, "limit": 40})
    )

    assert by_server == (Connected(b"192.0.2.7", 7), refusal, Ended(7))
    assert by_gate == (refusal,)
    assert at_end == (Ended(7), Load(3, 40))


@pytest.mark.parametrize("name", ["log", "MESSAGE", "message", "msg"])
def test_a_line_in_an_object_of_json_is_read(name: str) -> None:
    """As docker and journalctl have them, with their time if it has none."""
    line = sample_log.connected(b"192.0.2.7").decode()
    around = json.dumps({name: line, "__REALTIME_TIMESTAMP": f"{FIVE}123456"}).encode()
    within = json.dumps({name: TAI64N.decode() + line, "time": "2026-11-26T06:00:00Z"}).encode()

    assert read(around) == (FIVE, (Connected(b"192.0.2.7", 7),))
    assert read(within) == (FIVE, (Connected(b"192.0.2.7", 7),))


def _logfmt(fields: dict[str, object]) -> bytes:
    return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items()).encode()


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        value = " ".join(f"{name}={word}" for name, word in value.items())
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"' if any(one in ' "=' for one in text) else text
