"""The log of connections as events, of every story: one id a connection, nothing kept behind its end."""

import json
from collections.abc import Callable

import pytest

from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.smtp.loglines import refused
from ucspi_py.system.accept.scoreboard import Scoreboard
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.report.events.connection_events import ConnectionEvents
from ucspi_py.system.report.events.event_log import EventLog
from ucspi_py.system.report.forms import DJB, connection_log, open_log
from ucspi_py.system.report.log import ERRORS, VERBOSE

CLIENT = Endpoints(b"127.0.0.1", b"25", b"192.0.2.7", b"4711")
NAMES = Names(None, b"mx.example", b"")
WHO = {"ip": "192.0.2.7", "port": 4711, "local_ip": "127.0.0.1", "local_port": 25}


class Told:
    """A scoreboard of two slots, a log, and the events in it."""

    def __init__(self, verbosity: int = VERBOSE) -> None:
        self.board = Scoreboard(2, 0)
        self.log = ConnectionEvents(EventLog(verbosity, "json", self._write), self.board, 2)
        self.events: list[dict[str, object]] = []

    def _write(self, data: bytes) -> int:
        self.events += map(json.loads, data.splitlines())
        return len(data)

    @property
    def only(self) -> dict[str, object]:
        """The one event."""
        (event,) = self.events
        return event


Story = Callable[[ConnectionEvents], None]
#: Each with what it tells, beside who it is.
STORIES: dict[str, tuple[Story, dict[str, object]]] = {
    "denied": (lambda log: log.denied(CLIENT, NAMES), {"decision": "deny", "host": "mx.example", "info": ""}),
    "parted": (lambda log: log.parted(CLIENT, NAMES), {"decision": "ok", "running": 0, "limit": 2}),
    "refused": (
        lambda log: log.refused(CLIENT, NAMES, refused(b"rblsmtpd", b"192.0.2.7", 7, b"451 listed")),
        {"event": "refused", "decision": "refused", "code": 451, "reply": "listed", "host": "mx.example"},
    ),
    "dropped": (
        lambda log: log.dropped(CLIENT, "no rules"),
        {"decision": "drop", "msg": "no rules", "level": "warning"},
    ),
    "crashed": (
        lambda log: log.crashed(CLIENT, "oops"),
        {"decision": "drop", "msg": "internal error: oops", "level": "error"},
    ),
    "not run": (
        lambda log: log.not_run(CLIENT, NAMES, "unable to run x"),
        {"decision": "drop", "msg": "unable to run x"},
    ),
    "no TLS": (lambda log: log.unsecured(CLIENT, "no cipher"), {"decision": "tls_error", "event": "connection"}),
    "no TLS any more": (
        lambda log: log.unsecured(CLIENT, "no cipher", has_program=True),
        {"decision": "tls_error", "event": "tls"},
    ),
    "over a limit": (lambda log: log.turned_away(CLIENT, b"5/4 x"), {"decision": "limit", "msg": "5/4 x"}),
    "no slot": (lambda log: log.turned_away(CLIENT, b"all slots are taken"), {"decision": "shed"}),
}
#: What is told without -v too.
ALWAYS = {"refused", "dropped", "crashed", "not run", "no TLS", "no TLS any more"}


@pytest.mark.parametrize("name", STORIES)
def test_what_becomes_of_a_connection_is_one_event(name: str) -> None:
    """With both ends of it."""
    story, fields = STORIES[name]
    told = Told()
    story(told.log)

    assert {**told.only, **WHO, **fields} == told.only
    assert told.only["cid"]


@pytest.mark.parametrize("name", STORIES)
def test_what_is_told_without_v_is_what_c_tells(name: str) -> None:
    """Refusals and whatever is wrong."""
    told = Told(ERRORS)
    STORIES[name][0](told.log)
    assert bool(told.events) == (name in ALWAYS)


def test_all_of_a_connection_has_one_id_and_its_program_knows_it() -> None:
    """From its arrival to the end of its program, which may outlive it; another one has another id."""
    told, environment = Told(), {b"UNIQUE_ID": b"of our parent"}
    told.log.arrived(CLIENT, b"192.0.2.1", b"")
    told.log.ruled(CLIENT, b"tcp.smtp:3")
    told.log.mark(CLIENT, environment)
    told.log.started(42, CLIENT, NAMES)
    told.log.left(CLIENT)
    told.log.ended(42, 111 << 8)
    told.log.arrived(CLIENT, None, b"")
    told.log.denied(CLIENT, NAMES)

    first, end, other = told.events
    assert environment[b"UNIQUE_ID"].decode() == first["cid"] == end["cid"] != other["cid"]
    assert {**first, "decision": "ok", "pid": 42, "rule": "tcp.smtp:3", "proxy_ip": "192.0.2.1"} == first
    assert {**end, "event": "end", "pid": 42, "status": 111, "running": 0, "limit": 2} == end
    assert "proxy_ip" not in other


def test_the_id_of_a_proxy_is_that_of_the_connection() -> None:
    """So that it is found in the proxy's log, too."""
    told = Told()
    told.log.arrived(CLIENT, b"192.0.2.1", b"7F000001:1")
    told.log.denied(CLIENT, NAMES)
    assert told.only["cid"] == "7F000001:1"
    assert told.log.id_of(CLIENT) == b"7F000001:1"


def test_a_program_that_a_signal_ends_has_its_number() -> None:
    """Below 0; and one of which nobody knows when it began, as its worker was killed, has no time."""
    told = Told()
    told.log.started(42, CLIENT, NAMES)
    told.log.ended(42, 9)
    told.log.ended(43, 0)

    _, killed, unknown = told.events
    assert killed["status"] == -9
    assert isinstance(killed["ms"], int)
    assert "ms" not in unknown
    assert "cid" not in unknown


def test_nothing_is_kept_of_who_has_left() -> None:
    """A worker serves millions."""
    told = Told()
    told.log.arrived(CLIENT, None, b"")
    told.log.started(42, CLIENT, NAMES)
    told.log.left(CLIENT)
    told.log.ended(42, 0)
    told.log.turned_away(CLIENT, b"all slots are taken")

    assert told.log.kept == 0


def test_who_connects_without_a_proxys_header_is_told_once_a_minute() -> None:
    """By its own address."""
    told = Told()
    for _ in range(3):
        told.log.without_header(b"192.0.2.9", "no header")
    assert {**told.only, "ip": "192.0.2.9", "decision": "proxy_error", "msg": "no header"} == told.only


@pytest.mark.parametrize("form", [DJB, "json", "logfmt"])
def test_the_form_is_the_one_that_is_asked_for(form: str) -> None:
    """Of the whole log of a process."""
    log = open_log(VERBOSE, form)
    made = connection_log(log, Scoreboard(1, 0), 1)
    assert isinstance(made, ConnectionLog)
    assert isinstance(made, ConnectionEvents) == (form != DJB)
