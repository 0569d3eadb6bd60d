"""Parameters of milters at Postfix and at our gate: the same macros, the same choice by address, the same checks."""

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import Gate, controls, gated
from tests.support.milter import CONTINUE, ScriptedMilter, scripted_milter
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.milter.packet import number, packed

from . import postfix

HEADERS = b"From: a@b\r\nDate: Thu, 26 Nov 2026 21:26:28 +0000\r\nMessage-Id: <1@b>\r\nSubject: x\r\n\r\n"
MACROS = (
    "milter_macro_daemon_name=ORIGINATING",
    "milter_macro_defaults=auth_type=none, {auth_authen}={x}, { {cipher} = a, b } { mail_host = unseen }",
    "milter_connect_macros=j v {daemon_name}, _ {client_addr} {client_ptr} {client_name}",
    "milter_helo_macros={cipher} {tls_version}",
    "milter_mail_macros={auth_type} {auth_authen} {auth_author} {mail_host} {mail_addr}",
    "milter_rcpt_macros=",
    "milter_data_macros={unknown} {mail_addr}",
    "milter_end_of_header_macros=j",
    "milter_end_of_data_macros=v",
)
#: Whether {client_connections} counts by what is limited of a client.
LIMITS = {
    "at once": ("connection_count", 9),
    "connections": ("connection_rate", 99),
    "messages": ("message_rate", 99),
    "nothing": ("connection_count", 0),
}
#: Of cleanup, too.
VERSION = "milter_macro_v=$mail_name of $myhostname"
CHECKS = r"""
/^X-Reject: plain/ REJECT
/^X-Reject: text/ REJECT no spam here
/^X-Reject: code/ REJECT 5.7.9 no spam here
/^X-Reject: four/ REJECT 4.7.9 no spam now
/^X-Reject: two/ REJECT 2.7.9 no spam now
/^X-Ignore/ IGNORE
/ignored$/ IGNORE
/^X-Strip/ STRIP because
/^X-Replace: a/ REPLACE X-New: b
/^Subject: other/ REPLACE X-Other: other
/^X-Warn/ WARN w
/^X-Info/ INFO i
/^X-Dunno/ DUNNO
/^X-Folded: one..two/ REPLACE X-Folded: joined
"""
_OWN_RECEIVED = re.compile(rb"(?m)^Received: from [^\n]*\n(?:[ \t][^\n]*\n)*")
_NOTED = re.compile(rb"(?:[0-9A-F]{6,}|NOQUEUE): (milter-header-.*)")


def added(name: bytes, value: bytes) -> bytes:
    """A milter adds a header."""
    return packed(b"h", name + b"\0" + value + b"\0")


def inserted(at: int, name: bytes, value: bytes) -> bytes:
    """A milter inserts a header."""
    return packed(b"i", number(at) + name + b"\0" + value + b"\0")


def changed(name: bytes, value: bytes) -> bytes:
    """A milter changes the first header of a name."""
    return packed(b"m", number(1) + name + b"\0" + value + b"\0")


ASKED = {
    **{f"reject {word}": added(b"X-Reject", word.encode()) for word in ("plain", "text", "code", "four", "two")},
    **{name: added(f"X-{name}".encode(), b"1") for name in ("Ignore", "Strip", "Warn", "Info", "Dunno", "Else")},
    "replace": added(b"X-Replace", b"a"),
    "insert": inserted(1, b"X-Replace", b"a"),
    "another subject": changed(b"Subject", b"other"),
    "no other subject": changed(b"Subject", b"ignored"),
    "no subject": changed(b"Subject", b""),
    "one that is not there": changed(b"X-Replace", b"a"),
    "folded": added(b"X-Folded", b"one\n two"),
    "large letters": added(b"X-REJECT", b"TEXT"),
    "the first counts": added(b"X-Warn", b"1") + added(b"X-Reject", b"text") + added(b"X-Reject", b"four"),
    "then the envelope": added(b"X-Info", b"1") + packed(b"+", b"<s@example.org>\0"),
}


class Peers(NamedTuple):
    """Both servers with the same parameters, and the milters that they ask. main: Postfix's file."""

    theirs: Mapping[str, int]
    main: Path
    log: Path
    ours: Mapping[str, Gate]
    milter: ScriptedMilter
    other: ScriptedMilter
    backend: NotQmail

    def forget(self) -> None:
        """Let the milters forget what they have heard, once the last client is gone."""
        for milter in (self.milter, self.other):
            until(lambda milter=milter: not milter.heard or milter.commands.endswith((b"Q", b"K")))  # type: ignore[misc]
            milter.heard.clear()


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    """One gate and one smtpd for each set of parameters; Postfix keeps what it takes in its queue."""
    folder = tmp_path_factory.mktemp("parameters")
    (folder / "checks").write_text(CHECKS)
    checks = f"milter_header_checks=regexp:{folder}/checks"
    main = f"{postfix.PLAIN}{checks}\n{VERSION}\ndefer_transports = discard\n"
    with ExitStack() as stack:
        milter, other = stack.enter_context(scripted_milter()), stack.enter_context(scripted_milter())
        sets = _sets(milter, other)
        running = stack.enter_context(postfix.running(sets, main=main))
        backend = NotQmail(folder / "backend", controls(folder / "control"))
        ours = {
            name: stack.enter_context(
                gated(
                    backend.argv,
                    folder / name,
                    parameters=(*words, "myhostname=mx.example.org", checks, VERSION),
                    rules=":allow\n",
                    variables={**backend.environment, "DNSCACHEIP": "127.0.0.1"},
                )
            )
            for name, words in sets.items()
        }
        found = Peers(running.ports, running.main, running.log, ours, milter, other, backend)
        until(lambda: milter.commands.endswith(b"Q"))  # of whoever has looked whether Postfix listens
        found.forget()
        yield found


def _sets(milter: ScriptedMilter, other: ScriptedMilter) -> dict[str, tuple[str, ...]]:
    asks = f"smtpd_milters={milter.service}"
    maps = {
        "disabled": "static:disable",
        "another": f"inline:{{ {{127.0.0.1={other.service}}} }}",
        "nobody's": "inline:{ {127.0.0.2=DISABLE} }",
        "unread": "cidr:/nowhere",
    }
    return {
        "macros": (asks, *MACROS),
        "plain": (asks,),
        **{name: (asks, *_limited(*limit)) for name, limit in LIMITS.items()},
        **{name: (asks, f"smtpd_milter_maps={table}") for name, table in maps.items()},
    }


def _limited(what: str, most: int) -> tuple[str, ...]:
    limits = {"connection_count": 0, what: most}
    words = (f"smtpd_client_{limit}_limit={number}" for limit, number in limits.items())
    return "milter_connect_macros={client_connections}", "smtpd_client_event_limit_exceptions=", *words


def say(port: int, host: str = "127.0.0.1") -> bytes:
    """Say a message -> what is heard of it."""
    with Client(socket.create_connection((host, port), timeout=PATIENCE)) as client:
        client.reply()
        for command in (b"EHLO c.example", b"MAIL FROM:<a@b.example>", b"RCPT TO:<r@example.org>"):
            assert client.ask(command).startswith(b"250"), command
        assert client.ask(b"DATA").startswith(b"354")
        client.socket.sendall(HEADERS + b"body\r\n.\r\n")
        heard = client.reply()
        client.ask(b"QUIT")
        return heard


def told(milter: ScriptedMilter) -> list[bytes]:
    """The macros that a milter has been sent."""
    until(lambda: milter.commands.endswith((b"Q", b"K")))
    found = [heard.data for heard in milter.heard if heard.command == b"D"]
    milter.heard.clear()
    return found


def test_the_same_macros(peers: Peers) -> None:
    """Those that the lists name, with texts and defaults of the configuration."""
    say(peers.theirs["macros"])
    expected = told(peers.milter)
    gate = peers.ours["macros"]
    say(gate.port, gate.host)

    assert told(peers.milter) == expected
    assert any(b"{auth_authen}\0{x}" in data for data in expected)


@pytest.mark.parametrize("name", LIMITS)
def test_connections_are_counted_where_anything_is_limited(peers: Peers, name: str) -> None:
    """Of a client that is there twice, also where others are limited than those at once."""
    gate, found = peers.ours[name], []
    for port, host in ((peers.theirs[name], "127.0.0.1"), (gate.port, gate.host)):
        peers.forget()
        with Client(socket.create_connection((host, port), timeout=PATIENCE)) as first:
            first.reply()
            say(port, host)
        found.append([data for data in told(peers.milter) if data.startswith(b"C")])

    assert found[0] == found[1]
    assert len(found[0]) == 2


@pytest.mark.parametrize("name", ["disabled", "another", "nobody's", "unread"])
def test_the_same_milters(peers: Peers, name: str) -> None:
    """By the address of a client."""
    gate, chosen = peers.ours[name], []
    for port, host in ((peers.theirs[name], "127.0.0.1"), (gate.port, gate.host)):
        peers.forget()
        say(port, host)
        chosen.append((b"E" in peers.milter.commands, b"E" in peers.other.commands))
    peers.forget()

    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("name", ASKED)
def test_the_same_becomes_of_headers(peers: Peers, name: str) -> None:
    """The same reply, the same line of the log, and the same headers of a message that is taken."""
    peers.milter.says[b"E"] = ASKED[name] + CONTINUE
    gate = peers.ours["plain"]
    their_mark, our_mark, count = peers.log.stat().st_size, gate.mark(), len(peers.backend.messages())
    theirs, ours = say(peers.theirs["plain"]), say(gate.port, gate.host)
    peers.forget()
    messages = peers.backend.messages()[count:]

    assert ours[:3] == theirs[:3]
    if theirs.startswith(b"250"):
        queue_file = theirs.split()[-1].decode()
        command = ["postcat", "-c", str(peers.main.parent), "-qh", queue_file]
        headers = subprocess.run(command, capture_output=True, check=True).stdout
        assert _OWN_RECEIVED.sub(b"", headers) == messages[0].text.partition(b"\n\n")[0] + b"\n"
    else:
        assert ours == theirs
        assert not messages
    assert _noted(gate.log()[our_mark:]) == _noted(peers.log.read_bytes()[their_mark:])


def _noted(log: bytes) -> list[bytes]:
    """What is said of headers, without who it is about."""
    return [re.sub(rb" from [^;]*; .*helo=<[^>]*>", b"", line) for line in _NOTED.findall(log)]
