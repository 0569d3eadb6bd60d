"""What is explained of a client: lists as they were evaluated, and the words of each room."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.restrictions import OURS, World, facts, settings
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.dnsbl import zone
from ucspi_py.core.dnsbl.answers import NOT_ASKED, Clean, Failing, Finding, Listed, Result
from ucspi_py.core.explain import rooms
from ucspi_py.core.explain.question import Asked, changes, commands, content
from ucspi_py.core.explain.steps import Judged, Step
from ucspi_py.core.explain.trace import Trace, Tracer
from ucspi_py.core.explain.verdict import sentence
from ucspi_py.core.explain.words import client_text, log_text
from ucspi_py.core.gate.maps.names import MapName
from ucspi_py.core.gate.restrictions.facts import NameStatus
from ucspi_py.core.gate.restrictions.judgement import Judgement
from ucspi_py.core.gate.restrictions.questions import Answer, DnsFailure, Question
from ucspi_py.core.gate.settings import EventLimits
from ucspi_py.core.greylist.network import Record
from ucspi_py.core.greylist.visit import parsed

DENIED = "554 5.7.1 <u@ours.example>: Recipient address rejected: Access denied"


def traced(world: World | None = None, /, *, classes: dict[str, str] | None = None, **lists: Any) -> Trace:
    """How lists judge a stranger."""
    traces: list[Trace] = []
    tracer, known = Tracer(traces.append), dict[Question, Answer]()
    for _ in range(100):
        found = tracer.judge(settings(classes, **lists), facts(), known)
        if isinstance(found, Judgement):
            return traces.pop()
        known.update((question, (world or World()).answer(question)) for question in found)
    raise AssertionError("there is no end of questions")


def lines(trace: Trace) -> list[tuple[int, str, str]]:
    """Depth, restriction and verdict of each."""
    return [(one.depth, one.restriction, one.verdict) for one in trace.judged]


def test_each_restriction_is_told_in_its_turn_up_to_the_one_that_decides() -> None:
    """With the list that has it."""
    found = traced(client="permit_mynetworks, permit, reject", recipient="sleep 2, reject, permit")

    assert found.judged == (
        Judged("smtpd_client_restrictions", 0, "permit_mynetworks", "dunno"),
        Judged("smtpd_client_restrictions", 0, "permit", "permit"),
        Judged("smtpd_recipient_restrictions", 0, "sleep 2", "dunno"),
        Judged("smtpd_recipient_restrictions", 0, "reject", f"reject: {DENIED}"),
    )
    assert found.pause == 2


def test_what_is_within_a_class_or_a_value_stands_below_it() -> None:
    """As deep as it is."""
    world = World(tables={"hash:/t": {"u@ours.example": "inner, permit"}})

    found = traced(world, classes={"inner": "permit_mynetworks"}, recipient="check_recipient_access hash:/t, reject")

    assert lines(found) == [
        (0, "check_recipient_access hash:/t", "permit"),
        (1, "inner", "dunno"),
        (2, "permit_mynetworks", "dunno"),
        (1, "permit", "permit"),
    ]
    assert found.judged[0].facts == ("hash:/t has u@ours.example: inner, permit",)


def test_the_facts_behind_a_verdict_are_told() -> None:
    """Name servers, zones, tables and rcpthosts, each in a line; keys that are missing are one."""
    world = World(
        dns={"far.example MX": ["mx.far.example"], "mx.far.example A": ["192.0.2.7"]},
        tables={"hash:/t": {}},
        zones={"192.0.2.7 bl.example": "go away"},
    )

    found = traced(
        world,
        sender="reject_unknown_sender_domain, check_sender_mx_access hash:/t",
        recipient="reject_rbl_client bl.example",
    )

    domain, servers, zone = found.judged
    assert domain.facts == ("far.example is not in rcpthosts", "DNS MX far.example: mx.far.example")
    assert servers.facts[-1].startswith("hash:/t has none of mx.far.example, far.example, example, 192.0.2.7, 192.0.2")
    assert zone.facts == ("bl.example about 192.0.2.7: listed, go away",)


def test_a_failure_is_a_fact() -> None:
    """And what is put off by it is said."""
    world = World(dns={"far.example MX": DnsFailure.TRY_AGAIN, "far.example A": DnsFailure.TRY_AGAIN})

    (found, *_) = traced(world, sender="reject_unknown_sender_domain").judged

    assert found.verdict.startswith("dunno, defer_if_permit: <a@far.example>: Sender address rejected: ")
    assert "DNS MX far.example: try again" in found.facts


def test_a_warning_is_no_refusal() -> None:
    """The restriction is told as it is written."""
    found = traced(recipient="warn_if_reject reject")

    assert lines(found) == [(0, "warn_if_reject reject", f"dunno, reject_warning: {DENIED}")]


def test_what_is_looked_at_behind_the_lists_is_told() -> None:
    """Whether there is such a recipient."""
    users = replace(OURS, local_recipient_maps=(MapName("hash", "/users"),))

    found = traced(World(tables={"hash:/users": {}}), relay="permit", destinations=users)

    assert found.judged[-1] == Judged(
        "",
        0,
        "unlisted addresses",
        "reject: 550 5.1.1 <u@ours.example>: Recipient address rejected: User unknown in local recipient table",
        ("hash:/users has none of u@ours.example, u, @ours.example",),
    )
    assert found.refuses


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "client: mx.far.example[192.0.2.7]"),
        (
            {"name": b"unknown", "name_status": NameStatus.FORGED, "relays": True},
            "client: unknown[192.0.2.7], name forged, mx.far.example by PTR alone, may relay",
        ),
    ],
)
def test_the_client_as_lists_see_it(given: dict[str, Any], expected: str) -> None:
    """Its verified name, and why there is none."""
    assert client_text(facts(**given)) == expected


@pytest.mark.parametrize(
    ("asked", "name", "expected"),
    [
        (Asked(b"192.0.2.7"), b"a.b", [b"EHLO a.b"]),
        (Asked(b"2001:db8::7"), None, [b"EHLO [IPv6:2001:db8::7]"]),
        (Asked(b"192.0.2.7", b"x", b"s@e"), b"a.b", [b"EHLO x", b"MAIL FROM:<s@e>"]),
        (Asked(b"192.0.2.7", recipients=(b"r", b"q")), None, [b"EHLO [192.0.2.7]", b"MAIL FROM:<>"]),
    ],
    ids=repr,
)
def test_what_a_client_says(asked: Asked, name: bytes | None, expected: list[bytes]) -> None:
    """No more than is asked about it."""
    said = list(commands(asked, name))

    assert said[: len(expected)] == expected
    assert said[len(expected) :] == [b"RCPT TO:<%b>" % one for one in asked.recipients]


@pytest.mark.parametrize(
    ("message", "expected"),
    [(None, b".\r\n"), (b"a\n.b\r\n", b"a\r\n..b\r\n.\r\n"), (b"\nc", b"\r\nc\r\n.\r\n")],
)
def test_a_message_is_framed(message: bytes | None, expected: bytes) -> None:
    """Lines end in CRLF, dots are stuffed, a last dot ends it."""
    assert content(message) == expected


@pytest.mark.parametrize(
    ("message", "came", "expected"),
    [
        (None, b"", ()),
        (b".a\n", b"..a\r\n", ()),
        (b"a: 1\nb: 2\n\n-- x\n", b"c: 3\r\na: 1\r\n\r\n", ("+c: 3", "-b: 2", "--- x")),
        (b"a\n" * 300, b"", ("-a",) * 20),
        (b"a\n" * (1 << 19), b"a\r\n", ("the gate has changed it: 3 bytes come to the program",)),
    ],
    ids=["none", "stuffed", "lines", "many", "much"],
)
def test_what_is_changed_in_a_message_is_told(message: bytes | None, came: bytes, expected: tuple[str, ...]) -> None:
    """Line by line, and no more than can be read."""
    assert changes(message, came) == expected


REFUSED, TAKEN = Step("RCPT TO:<a>", reply=("550 no",)), Step("RCPT TO:<b>", reply=("250 ok",))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Step("EHLO x", reply=("250 ok",))], "is greeted; name a recipient (--recipient) to ask on"),
        ([REFUSED], "is refused at RCPT TO:<a>: 550 no"),
        ([TAKEN], "comes to smtpd"),
        ([REFUSED, TAKEN], "comes to smtpd for 1 of 2 recipients"),
        ([TAKEN, REFUSED], "comes to smtpd for 1 of 2 recipients"),
        ([TAKEN, Step("DATA", reply=("451 later",))], "is refused at DATA: 451 later"),
    ],
    ids=repr,
)
def test_the_last_word(steps: list[Step], expected: str) -> None:
    """What a client has come to."""
    assert sentence(steps, "smtpd") == expected


def test_limits_are_told() -> None:
    """Those that there are."""
    assert rooms.limits(ClientLimits()) == ("none",)
    assert rooms.limits(ClientLimits(per_client=3, per_network=9, arrivals=60, load=250)) == (
        "load average: 2.50 at most",
        "connections at once of the client: 3 at most",
        "connections at once of its network (/24/64): 9 at most",
        "connections of the client in 60 seconds: 60 at most",
    )


def test_what_zones_say_is_told() -> None:
    """Also that one is not asked, or has no answer."""
    asked = [zone.parse(f"{name}.example") for name in "abcde"]
    findings: list[Finding] = [Listed(b"go away", bytes((127, 0, 0, 2))), Clean(), Failing("timed out")]

    assert rooms.zones(asked, [*(Result(one, 0.1, 0) for one in findings), NOT_ASKED, None]) == (
        "a.example: listed (127.0.0.2), go away",
        "b.example: not listed",
        "c.example: failed, timed out",
        "d.example: not asked about such an address",
        "e.example: not heard",
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, "192.0.2.0/24: no record"),
        (parsed(b"900 -"), "192.0.2.0/24: came first 100 seconds ago"),
        (parsed(b"100 990"), "192.0.2.0/24: let in, last noted 10 seconds ago"),
    ],
)
def test_a_record_is_told(record: Record | None, expected: str) -> None:
    """Also as Redis has it."""
    assert rooms.record("192.0.2.0/24", record, 1000) == expected


def test_limits_of_the_gate_are_told() -> None:
    """Under Postfix's names."""
    found = EventLimits(smtpd_client_connection_count_limit=9, smtpd_client_message_rate_limit=5)

    assert rooms.event_limits(EventLimits()) == ("none",)
    assert rooms.event_limits(found) == (
        "smtpd_client_connection_count_limit: 9 at most",
        "smtpd_client_message_rate_limit: 5 in 60 seconds at most",
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"smtpgate[179570]: NOQUEUE: reject: x; id=7 [1]", "smtpgate: NOQUEUE: reject: x; id=7 [1]"),
        (
            b"rblsmtpd: 192.0.2.7 pid 9: 451 pid 8: no; helo=<x> id=179570",
            "rblsmtpd: 192.0.2.7: 451 pid 8: no; helo=<x>",
        ),
        (b"rblsmtpd: 192.0.2.7 pid 9: 451 no; id=179570", "rblsmtpd: 192.0.2.7: 451 no"),
    ],
)
def test_a_line_of_the_log_is_told_without_its_session(line: bytes, expected: str) -> None:
    """Whatever else looks like an id stays."""
    assert log_text(line) == expected
