"""Every way in which a backend or a client can die: cases 38, 40 to 44, 50."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail, Scripted
from tests.support.gate import MAIL, PATIENT, RCPT, Gate, controls, gated
from tests.support.smtp_client import Client, Content, Manner, Step, every_manner, short, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
LONG = Content(b"Subject: x\r\n\r\n" + b"line\r\n" * 200_000 + b".\r\n")


@pytest.fixture(scope="module")
def gate(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate whose clients wait for nothing."""
    parameters = PATIENT
    with gated(backend.argv, tmp_path_factory.mktemp("gate"), parameters=parameters) as gate:
        yield gate


@pytest.fixture(autouse=True)
def _as_ever(backend: Scripted) -> None:
    """Each test begins with the default script."""
    backend.does()


@pytest.fixture(scope="module")
def qmail(tmp_path_factory: pytest.TempPathFactory) -> NotQmail:
    """What would queue a message that somebody has ended."""
    folder = tmp_path_factory.mktemp("qmail")
    return NotQmail(folder / "backend", controls(folder / "control"))


@pytest.fixture(scope="module")
def queuing(qmail: NotQmail, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate before it, with little patience."""
    folder = tmp_path_factory.mktemp("queuing")
    parameters = ("smtpd_timeout=1",)
    with gated(qmail.argv, folder, parameters=parameters, variables=qmail.environment) as gate:
        yield gate


#: Parts of a message, none of which ends it.
HALVES = [b"Subject: x\r\n\r\nhalf", b"Subject: x\r\n\r\nwhole\r\n", b"x\r\n.", b"x\r\n.\r"]


class TestStart:
    """Case 38."""

    @pytest.mark.parametrize(
        "start",
        [
            ["421 busy"],
            ["450 4.3.2 later"],
            ["!exit 111"],
            ["!exit 0"],
            ["hello there"],
            ["!raw \x00\xff\r\n"],
            ["!raw 22", "!exit 1"],
        ],
        ids=repr,
    )
    @every_manner
    def test_case_38_a_backend_that_does_not_begin(
        self, gate: Gate, backend: Scripted, manner: Manner, start: list[str]
    ) -> None:
        """451 4.3.0, the client is kept, the next recipient tries again; after three in vain 421 and the end."""
        backend.does({"start": [start]})
        runs, mark = len(backend.visits()), gate.mark()
        replies = gate.converse([EHLO, MAIL, RCPT, b"NOOP", RCPT, RCPT, RCPT], manner)
        assert [short(reply)[:9] for reply in replies[2:]] in (
            ["451 4.3.0", "250 2.0.0", "451 4.3.0", "421 4.3.0"],
            ["451 4.3.0", "250 2.0.0", "451 4.3.0", "451 4.3.0", "421 4.3.0"],
        )
        assert len(backend.since(runs)) == 3
        until(lambda: b"smtpgate: warning: " in gate.log(), "a warning")
        assert b"Traceback" not in gate.since(mark)

    def test_case_38_one_that_comes_up_again(self, gate: Gate, backend: Scripted) -> None:
        """The second recipient starts one that works."""
        backend.does({"start": [["!exit 111"]]})
        with gate.client() as client:
            assert shorts(client.converse([EHLO, MAIL, RCPT]))[2] == "451 4.3.0"
            backend.does()
            assert shorts(client.converse([RCPT, b"DATA", BODY, b"QUIT"])) == ["250", "354", "250", "221 2.0.0"]

    @every_manner
    def test_case_38_a_backend_that_refuses_everybody(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """A 5xx banner is the reply to all recipients of the session; it is not started again."""
        backend.does({"start": [["553 5.7.1 no, not you"]]})
        runs = len(backend.visits())
        replies = gate.converse([EHLO, MAIL, RCPT, RCPT, b"RSET", MAIL, RCPT, b"DATA", b"QUIT"], manner)
        told = [replies[place] for place in (2, 3, 6)]
        assert told == [b"553 5.7.1 no, not you"] * 3
        assert shorts(replies)[7] == "554 5.5.1"
        assert len(backend.since(runs)) == 1

    def test_case_38_the_exit_code_is_logged(self, tmp_path: Path) -> None:
        """Once a minute, and what it has said on its standard error is there unaltered."""
        with gated(("sh", "-c", "echo softlimit too low >&2; exit 111"), tmp_path) as gate:
            gate.converse([EHLO, MAIL, RCPT, RCPT])
            gate.wait_log(b"softlimit too low\n", b"111")
            assert gate.log().count(b"smtpgate: warning: ") == 1

    def test_a_program_that_is_not_there(self, tmp_path: Path) -> None:
        """451 4.3.0 and a line with its name."""
        with gated((str(tmp_path / "missing"),), tmp_path) as gate:
            assert shorts(gate.converse([EHLO, MAIL, RCPT]))[2] == "451 4.3.0"
            gate.wait_log(b"missing")

    @pytest.mark.parametrize("ehlo", [["!exit 1"], ["what?"], ["421 4.3.2 no"]], ids=repr)
    def test_a_backend_that_dies_at_ehlo(self, gate: Gate, backend: Scripted, ehlo: list[str]) -> None:
        """451 4.3.0; what it has said there is not the client's."""
        backend.does({"EHLO": [ehlo], "HELO": [ehlo]})
        assert shorts(gate.converse([EHLO, MAIL, RCPT, b"NOOP"]))[2:] == ["451 4.3.0", "250 2.0.0"]


class TestBackendDies:
    """Cases 40 and 41."""

    @pytest.mark.parametrize(
        "last", [["!exit 111"], ["!raw 250", "!exit 1"], ["junk"], ["!raw 250-more\r\n", "!exit 0"]], ids=repr
    )
    @pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA"])
    @every_manner
    def test_case_40_dies_before_content(
        self, gate: Gate, backend: Scripted, manner: Manner, point: str, last: list[str]
    ) -> None:
        """451 4.3.0 in the place of its answer, and never 354."""
        backend.does({point: [last]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", b"RSET", b"QUIT"], manner)
        assert shorts(replies)[3 if point == "DATA" else 2] == "451 4.3.0"
        assert [short(reply)[:3] for reply in replies[3:]] in (["451", "250", "221"], ["554", "250", "221"])

    @every_manner
    def test_case_40_dies_between_two_commands(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """DATA hears 451 4.3.0; the next message gets another backend."""
        backend.does({"RCPT": [["250 ok", "!exit 0"]]})
        with gate.client() as client:
            client.converse([EHLO, MAIL, RCPT], manner)
            assert backend.last().end == "exit 0"
            backend.does()
            replies = client.converse([b"DATA", MAIL, b"RSET", MAIL, RCPT, b"DATA", BODY, b"QUIT"], manner)
        assert shorts(replies)[0] == "451 4.3.0"
        assert [short(reply)[:3] for reply in replies[-4:]] == ["250", "354", "250", "221"]

    @pytest.mark.parametrize("body", [BODY, LONG], ids=["short", "long"])
    @pytest.mark.parametrize("manner", [Manner.STEPS, Manner.SEGMENT])
    def test_case_40_dies_inside_content(self, gate: Gate, backend: Scripted, manner: Manner, body: Content) -> None:
        """The client is read to its CRLF.CRLF, nothing of it is a command, 451, and the session goes on."""
        backend.does({"content": [["!exit 111"]]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", body, b"NOOP", b"QUIT"], manner)
        assert [short(reply)[:3] for reply in replies[3:]] == ["354", "451", "250", "221"]
        assert b".\r\n" not in backend.last().input[-5:] or body is BODY

    @every_manner
    def test_case_40_dies_with_the_whole_message(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """451, and the log says that nobody knows what became of it."""
        backend.does({".": [["!exit 1"]]})
        mark = gate.mark()
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", BODY, b"NOOP"], manner)
        assert [short(reply)[:3] for reply in replies[3:]] == ["354", "451", "250"]
        wanted = rb"message from unknown\[192.0.2.7\]: 451 .*outcome unknown; from=<s@example.net> nrcpt=1 size="
        until(lambda: re.search(wanted, gate.since(mark)), "the line")

    @pytest.mark.parametrize(
        ("point", "words"),
        [
            ("content", "451 See https://cr.yp.to/docs/smtplf.html."),
            (".", "451 qq trouble (#4.3.0)"),
            (".", "554 5.3.0 mail server permanently rejected message"),
            ("RCPT", "451 4.4.2 timeout"),
            ("MAIL", "421 out of memory (#4.3.0)"),
            ("RCPT", "421 unable to read controls (#4.3.0)"),
            (".", "421 4.3.0 in trouble"),
        ],
    )
    def test_case_41_last_words_are_the_clients(self, gate: Gate, backend: Scripted, point: str, words: str) -> None:
        """With the end behind them; a 421 ends the session as the backend did."""
        backend.does({point: [[words, "!exit 1"]]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", BODY, b"QUIT"])
        told = replies[2 if point in ("MAIL", "RCPT") else 4]
        assert told == words.encode()
        assert (replies[-1] == told) == words.startswith("421")

    def test_case_41_554_to_the_dot(self, gate: Gate, backend: Scripted) -> None:
        """Passed, logged, and the next message goes to the same backend."""
        backend.does({".": [["554 5.7.1 spam"], ["250 ok"]]})
        runs, mark = len(backend.visits()), gate.mark()
        message: list[Step] = [MAIL, RCPT, b"DATA", BODY]
        replies = gate.converse([EHLO, *message, *message, b"QUIT"], Manner.SEGMENT)
        assert replies[4] == b"554 5.7.1 spam"
        assert shorts(replies)[8] == "250"
        assert len(backend.since(runs)) == 1
        until(
            lambda: b"smtpgate: message from unknown[192.0.2.7]: 554 5.7.1 spam; from=<s" in gate.since(mark), "a line"
        )


class TestClientDies:
    """Cases 42 to 44."""

    @pytest.mark.parametrize("how", ["FIN", "RST"])
    @pytest.mark.parametrize("said", HALVES)
    def test_case_42_a_client_that_goes_inside_content(
        self, qmail: NotQmail, queuing: Gate, how: str, said: bytes
    ) -> None:
        """The backend is left without a dot, nothing is queued, and the log has the bytes."""
        mark = queuing.mark()
        with _inside_content(queuing, said) as client:
            if how == "FIN":
                client.socket.shutdown(socket.SHUT_WR)
                client.rest()
            else:
                client.reset()
        wanted = b"smtpgate: lost connection after DATA ("
        until(lambda: wanted in queuing.since(mark), f"{wanted!r} in {queuing.since(mark)!r}")
        assert qmail.messages() == []

    def test_case_42_clients_that_are_silent_inside_content(self, qmail: NotQmail, queuing: Gate) -> None:
        """The same for those that smtpd_timeout leaves; each hears of it."""
        mark = queuing.mark()
        with contextlib.ExitStack() as stack:
            for client in [stack.enter_context(_inside_content(queuing, said)) for said in HALVES]:
                assert shorts(client.rest()) == ["421 4.4.2"]
        wanted = b"smtpgate: timeout after DATA ("
        until(lambda: queuing.since(mark).count(wanted) == len(HALVES), f"{wanted!r} in {queuing.since(mark)!r}")
        assert qmail.messages() == []

    def test_case_42_the_backend_is_left_too(self, gate: Gate, backend: Scripted) -> None:
        """It reads its end, and no dot."""
        with gate.client() as client:
            client.converse([EHLO, MAIL, RCPT, b"DATA"])
            client.say(b"x\r\n")
        assert backend.last().end == "eof"
        assert b"\r\n." not in backend.last().input

    def test_case_43_a_half_closed_client_hears_the_end(self, gate: Gate, backend: Scripted) -> None:
        """Message and QUIT, then our FIN: delivered, 250 and 221."""
        backend.does({".": [["!until half-closed", "250 ok"]]})
        with gate.client() as client:
            client.converse([EHLO, MAIL, RCPT, b"DATA"])
            client.say(BODY.data + b"QUIT\r\n")
            client.socket.shutdown(socket.SHUT_WR)
            backend.last().wait_input(b"\r\n.\r\n")
            backend.go_on("half-closed")
            assert [short(reply)[:3] for reply in client.rest()] == ["250", "221"]

    @pytest.mark.parametrize("how", ["RST", "FIN"])
    def test_case_44_a_client_that_goes_behind_the_dot(self, gate: Gate, backend: Scripted, how: str) -> None:
        """The backend's answer is waited for and logged."""
        name = f"gone-{how}"
        backend.does({".": [[f"!until {name}", "250 ok late"]]})
        mark = gate.mark()
        with gate.client() as client:
            client.converse([EHLO, MAIL, RCPT, b"DATA"])
            client.say(BODY.data)
            backend.last().wait_input(b"\r\n.\r\n")
            if how == "RST":
                client.reset()
        backend.go_on(name)
        wanted = b"smtpgate: message from unknown[192.0.2.7]: 250 ok late; from=<s@example.net>"
        until(lambda: wanted in gate.since(mark), "the line")


class TestReplies:
    """Case 50."""

    @pytest.mark.parametrize(
        ("said", "heard"),
        [
            ("!raw 250 ok\n", b"250 ok"),
            ("!raw 250-one\n250-two\r\n250 three\n", b"250-one\r\n250-two\r\n250 three"),
            ("!raw 250 \x01\x7f\xe9\r\r\n", None),
            ("!raw 250 a\tb\xff\r\n", None),
            ("!raw 250\r\n", None),
            ("!raw 250 " + "x" * 600 + "\r\n", b"250 " + b"x" * 506),
        ],
        ids=lambda words: repr(words)[:30],
    )
    def test_case_50_replies_are_made_clean(
        self, gate: Gate, backend: Scripted, said: str, heard: bytes | None
    ) -> None:
        """CRLF behind each line, 510 bytes at most, ? for what cannot be printed, and the same code."""
        backend.does({"RCPT": [[said]]})
        reply = gate.converse([EHLO, MAIL, RCPT, b"QUIT"])[2]
        assert reply.startswith(b"250")
        assert all(32 <= byte < 127 for byte in reply.replace(b"\r\n", b""))
        assert heard is None or reply == heard

    @pytest.mark.parametrize(
        "said",
        ["!raw ok\r\n", "!raw 25\r\n", "!raw 250-a\r\n550 b\r\n", "!raw 999 x\r\n", "!raw 250x\r\n", "!raw \r\n"],
        ids=repr,
    )
    def test_case_50_what_is_no_reply(self, gate: Gate, backend: Scripted, said: str) -> None:
        """451 4.3.0, and that backend is not used any more."""
        backend.does({"RCPT": [[said]]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA"])
        assert shorts(replies)[2:] == ["451 4.3.0", "554 5.5.1"]

    def test_case_50_a_reply_line_of_5000_bytes(self, gate: Gate, backend: Scripted) -> None:
        """Cut, or 451; never more than a line has."""
        backend.does({"RCPT": [["!raw 250 " + "x" * 5000 + "\r\n"]]})
        reply = gate.converse([EHLO, MAIL, RCPT, b"QUIT"])[2]
        assert len(reply) <= 510
        assert short(reply) in ("250", "451 4.3.0")

    def test_a_reply_without_end(self, gate: Gate, backend: Scripted) -> None:
        """Is not gathered for ever."""
        backend.does({"RCPT": [["!raw " + "250-x\r\n" * 100_000]]})
        assert shorts(gate.converse([EHLO, MAIL, RCPT]))[2] == "451 4.3.0"

    def test_a_word_that_nobody_asked_for(self, gate: Gate, backend: Scripted) -> None:
        """A second reply is not taken for the answer to the next command."""
        backend.does({"RCPT": [["250 first", "250 second"]], "DATA": [["354 go on"]], ".": [["554 5.3.0 never"]]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", BODY, b"NOOP"])
        assert shorts(replies)[3:] in (["354", "554 5.3.0", "250 2.0.0"], ["451 4.3.0", "250 2.0.0"])


def _inside_content(gate: Gate, said: bytes) -> Client:
    """A client that has said so much of a message."""
    client = gate.client()
    assert shorts(client.converse([EHLO, MAIL, RCPT, b"DATA"]))[3] == "354"
    client.say(said)
    client.wait_read()
    return client
