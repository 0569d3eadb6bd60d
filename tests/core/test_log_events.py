"""What each line of the programs tells as an event, beside what it says in djb's form."""

import inspect
import json
from types import ModuleType

import pytest

from ucspi_py.core.auth.sasl import Fault
from ucspi_py.core.dnsbl import loglines as dnsbl
from ucspi_py.core.gate import loglines as gate
from ucspi_py.core.gate.content.checked import HEADER, Note
from ucspi_py.core.gate.logins import loglines as logins
from ucspi_py.core.gate.loglines import Course
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.restrictions.services.greylisting import words
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.greylist.attempt import Deferred, Passed
from ucspi_py.core.ledger import loglines as ledger
from ucspi_py.core.ledger.grant import Grant, How
from ucspi_py.core.log.event import Event, Line, Value, event_of, of_connection
from ucspi_py.core.log.forms import Stamp, json_line
from ucspi_py.core.service import loglines as service
from ucspi_py.core.smtp import loglines as smtp
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import ExchangeFailed, RecipientGiven
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.tls.facts import TlsFacts

SAID = b"a\xff <b>\n"
CLIENT = Visitor(b"pc[1]", b"192.0.2.7", unique_id=b"1f")
USER = CLIENT._replace(login=b"joe", method=b"PLAIN", tls=TlsFacts(b"TLSv1.3", b"AES", 256))
RECIPIENT = Path(b"r", b"example.org")
ENVELOPE = Envelope(SAID, True, Path(b"s", b"example.net"), (), (RECIPIENT,))
DENIED = reply(554, b"5.7.1 no")
ABOUT = {"helo": SAID, "sender": b"s@example.net"}


def noted(kind: bytes, text: bytes) -> bytes:
    """A line that a list has to say."""
    return gate.noted(b"RCPT", CLIENT, LogLine(kind, text), ENVELOPE, RECIPIENT)


TOLD: list[tuple[bytes, str, dict[str, Value]]] = [
    (
        gate.rejected(b"RCPT", CLIENT, DENIED, ENVELOPE, RECIPIENT),
        "reject",
        {"stage": b"RCPT", "code": 554, "reply": b"5.7.1 no", **ABOUT, "recipient": b"r@example.org"},
    ),
    (gate.rejected(b"EHLO", CLIENT, DENIED, SAID), "reject", {"stage": b"EHLO", "helo": SAID, "recipient": None}),
    (gate.rejected(b"CONNECT", CLIENT, DENIED, None), "reject", {"stage": b"CONNECT", "helo": None}),
    (noted(b"warning", b"a table"), "warning", {"msg": b"a table"}),
    (noted(b"reject_warning", b"554 5.7.1 no"), "spared", {"code": 554, "reply": b"5.7.1 no"}),
    (noted(b"reject_warning", b"a text"), "spared", {"reply": b"a text"}),
    (noted(b"discard", SAID), "discard", {"text": SAID}),
    (noted(b"info", words(Deferred(300, True))), "greylist", {"how": "new", "msg": b"new"}),
    (noted(b"info", words(Deferred(7, False))), "greylist", {"how": "early", "msg": b"early-retry"}),
    (noted(b"info", words(Passed(b"triplet found", 301))), "greylist", {"how": "passed", "delay": 301}),
    (noted(b"info", words(Passed(b"client AWL"))), "greylist", {"how": "known", "msg": b"client AWL"}),
    (noted(b"info", b"rblsmtpd: 192.0.2.1 pid 7: 553 no"), "info", {"text": b"rblsmtpd: 192.0.2.1 pid 7: 553 no"}),
    (
        gate.screened(b"rblsmtpd", 7, CLIENT, reply(451, b"listed"), RecipientGiven(ENVELOPE, RECIPIENT)),
        "refused",
        {"decision": "refused", "how": b"rblsmtpd", "code": 451, "reply": b"listed", "pid": 7, **ABOUT},
    ),
    (
        gate.screened(b"greylist", 7, CLIENT, reply(451, b"wait"), None),
        "refused",
        {"decision": "greylisted", "how": b"greylist"},
    ),
    (
        gate.message(USER, ENVELOPE, 77, reply(250, b"ok"), Course(0.25, "permit_sasl_authenticated")),
        "message",
        {"code": 250, "size": 77, "recipients": 1, "how": "auth", "user": b"joe", "tls": b"TLSv1.3", "ms": 250},
    ),
    (gate.message(CLIENT, ENVELOPE, 77, DENIED, Course()), "message", {"code": 554, "how": None, "rule": None}),
    (
        gate.checked(CLIENT, Note(b"reject", HEADER, b"Subject: x", b""), ENVELOPE),
        "checked",
        {"action": b"reject", "part": b"header", "content": b"Subject: x"},
    ),
    (
        gate.filtered(b"RCPT", CLIENT, DENIED, ENVELOPE, RECIPIENT),
        "milter",
        {"action": "reject", "stage": b"RCPT", "code": 554, **ABOUT},
    ),
    (gate.filtered(b"DATA", CLIENT, None, ENVELOPE), "milter", {"action": "discard", "code": None}),
    (gate.lost(CLIENT, b"DATA", 7), "left", {"msg": "lost connection", "stage": b"DATA", "size": 7}),
    (gate.timed_out(CLIENT, b"RCPT"), "left", {"msg": "timeout", "size": None}),
    (gate.too_many_errors(CLIENT, b"RCPT"), "left", {"msg": "too many errors"}),
    (gate.improper_pipelining(CLIENT, b"EHLO", SAID), "left", {"content": SAID}),
    (gate.not_smtp(CLIENT, b"CONNECT", SAID), "left", {"msg": "non-SMTP command"}),
    (
        gate.disconnected(CLIENT, {b"EHLO": [1, 1], b"RCPT": [0, 2]}),
        "disconnect",
        {"accepted": 1, "commands": 3, "verbs": b"ehlo=1/1 rcpt=0/2"},
    ),
    (gate.disconnected(CLIENT, {}), "disconnect", {"commands": 0}),
    (gate.exceeded(CLIENT, b"Connection rate", 9, b"smtp"), "warning", {"ip": b"192.0.2.7"}),
    (gate.warning("a file", CLIENT), "warning", {"msg": b"a file", "program": "smtpgate"}),
    (logins.tls_failed(CLIENT, "no cipher"), "tls", {"decision": "tls_error", "msg": "no cipher"}),
    (logins.exchange_failed(CLIENT, ExchangeFailed(b"PLAIN", Fault.ABORTED)), "warning", {"method": b"PLAIN"}),
    (logins.logged_in(USER), "login", {"user": b"joe", "method": b"PLAIN"}),
    (logins.login_failed(CLIENT, b"PLAIN", SAID, "wrong"), "login_failed", {"user": SAID, "msg": "wrong"}),
    (logins.login_not_tried(CLIENT, b"PLAIN", SAID, "many"), "login_not_tried", {"user": SAID}),
    (logins.too_many_recipients(USER, 9), "warning", {"user": b"joe"}),
]
OF_SCREENS: list[tuple[bytes, str, dict[str, Value]]] = [
    (
        smtp.refused(b"rblsmtpd", b"192.0.2.7", 7, b"553 listed by x"),
        "refused",
        {"ip": b"192.0.2.7", "pid": 7, "code": 553, "reply": b"listed by x", "how": b"rblsmtpd"},
    ),
    (dnsbl.would_refuse(b"192.0.2.7", 7, b"451 listed"), "spared", {"code": 451, "reply": b"listed"}),
    (
        dnsbl.zone_results(b"192.0.2.7", 7, [(b"a", b"127.0.0.2", 0.003), (b"b", b"clean", 0.0)], b"451 listed"),
        "zones",
        {"zones": {b"a": b"127.0.0.2/3ms", b"b": b"clean/0ms"}, "code": 451, "reply": b"listed"},
    ),
    (dnsbl.zone_results(b"192.0.2.7", 7, [(b"a", b"clean", 0.0)], b"accepted"), "zones", {"ip": b"192.0.2.7"}),
    (
        dnsbl.said(b"192.0.2.7", 7, {b"helo": b"x", b"mail": b"FROM:<%b>" % SAID[:2]}),
        "said",
        {"helo": b"x", "sender": b"a\xff"},
    ),
    (
        ledger.relays(b"192.0.2.7", 7, Grant(1900, 1000, 1000, 1, How.POP3, b"joe", b"pop"), 1000),
        "relay",
        {"user": b"joe", "how": "pop3", "seconds": 900},
    ),
]


@pytest.mark.parametrize(("line", "name", "fields"), [*TOLD, *OF_SCREENS], ids=lambda one: ascii(one)[:60])
def test_a_line_knows_what_it_tells(line: bytes, name: str, fields: dict[str, Value]) -> None:
    """With what a client has said as it has said it, where djb's form has question marks."""
    event = event_of(line)

    assert event.name == name
    assert {field: event.fields.get(field) for field in fields} == fields


@pytest.mark.parametrize("line", [line for line, *_ in TOLD], ids=ascii)
def test_every_line_of_the_gate_about_a_client_names_it(line: bytes) -> None:
    """And its connection, by the id that djb's form has in brackets."""
    assert {"cid": b"1f", "ip": b"192.0.2.7", "host": b"pc[1]"}.items() <= event_of(line).fields.items()
    assert line.startswith((b"smtpgate[1f]: ", b"rblsmtpd: ", b"greylist: "))


@pytest.mark.parametrize("module", [gate, logins], ids=lambda module: module.__name__)
def test_no_line_of_the_gate_is_without_its_event(module: ModuleType) -> None:
    """Each function that makes one gives it."""
    made = [one for name, one in inspect.getmembers(module, inspect.isfunction)
            if one.__module__ == module.__name__ and not name.startswith("_")]  # fmt: skip

    assert made
    assert [one.__name__ for one in made if "with_event(" not in inspect.getsource(one)] == []
    assert all(isinstance(line, Line) for line, *_ in (*TOLD, *OF_SCREENS))


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (service.warning("a file"), Event("warning", {"program": b"tcpserver", "msg": b"a file"}, "warning")),
        (
            dnsbl.zone_warning(b"a", "x: warning: y"),
            Event("warning", {"program": b"dnsbl", "msg": b"zone a: x: warning: y"}, "warning"),
        ),
        (service.status(1, 40), Event("note", {"msg": b"tcpserver: status: 1/40"})),
        (b"two words: warning: x\n", Event("note", {"msg": b"two words: warning: x"})),
    ],
    ids=ascii,
)
def test_another_line_is_told_whole(line: bytes, event: Event) -> None:
    """A warning as such."""
    assert event_of(line) == event


def test_of_a_connection_is_said_in_another_form_than_djbs_alone() -> None:
    """A line without an event, and one of which nobody knows the connection, stay what they are."""
    line, plain = OF_SCREENS[0][0], service.status(1, 40)

    assert of_connection(line, b"2e") == line
    assert event_of(of_connection(line, b"2e")).fields["cid"] == b"2e"
    assert of_connection(line, None) is line
    assert of_connection(plain, b"2e") is plain


def test_each_event_is_an_object_of_json() -> None:
    """With what is in its line."""
    for line, name, _ in (*TOLD, *OF_SCREENS):
        assert json.loads(json_line(Stamp("", 1), event_of(line)))["event"] == name
