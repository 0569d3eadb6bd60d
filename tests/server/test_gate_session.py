"""The gate's session and its states: cases 1 to 15, each dialogue step by step, byte by byte and in one segment."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, PATIENT, RCPT, RELAY, Gate, gated
from tests.support.programs import ours
from tests.support.server import talk
from tests.support.smtp_client import Content, Manner, Raw, Step, every_manner, short, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
#: Lead to each state, and what the client hears: before EHLO, idle, after MAIL, after RCPT.
STATES: dict[str, list[Step]] = {
    "before EHLO": [],
    "idle": [EHLO],
    "after MAIL": [EHLO, MAIL],
    "after RCPT": [EHLO, MAIL, RCPT],
}
#: What can be said next in each of them.
GOES_ON: dict[str, list[Step]] = {
    "before EHLO": [EHLO],
    "idle": [MAIL],
    "after MAIL": [RCPT],
    "after RCPT": [b"DATA", Content(b"x\r\n.\r\n")],
}
every_state = pytest.mark.parametrize("state", STATES)


@pytest.fixture(scope="module")
def gate(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate whose clients wait for nothing."""
    parameters = PATIENT
    with gated(backend.argv, tmp_path_factory.mktemp("gate"), parameters=parameters, options=("-v",)) as gate:
        yield gate


@pytest.fixture(scope="module")
def required(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that wants a HELO."""
    folder = tmp_path_factory.mktemp("required")
    with gated(backend.argv, folder, parameters=("smtpd_helo_required=yes",)) as gate:
        yield gate


@pytest.fixture(scope="module")
def strict(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that loses patience soon, and lets nobody wait before."""
    limits = ("smtpd_soft_error_limit=2", "smtpd_hard_error_limit=4", "smtpd_junk_command_limit=3")
    parameters = (*limits, "smtpd_error_sleep_time=0")
    with gated(backend.argv, tmp_path_factory.mktemp("strict"), parameters=parameters) as gate:
        yield gate


class TestBanner:
    """Cases 1 and 2."""

    def test_case_1_a_client_that_says_nothing_is_left_after_the_timeout(
        self, backend: Scripted, tmp_path: Path
    ) -> None:
        """The banner comes at once, then 421 4.4.2 and the end; no backend; one line in the log."""
        runs = len(backend.visits())
        with gated(backend.argv, tmp_path, parameters=("smtpd_timeout=1",)) as gate, gate.client() as client:
            begun = time.monotonic()
            assert shorts(client.rest()) == ["421 4.4.2"]
            assert time.monotonic() - begun > 0.9
            gate.wait_log(b"smtpgate: timeout after CONNECT from unknown[192.0.2.7]\n")
        assert backend.since(runs) == []

    def test_case_1_a_part_of_a_command_is_nothing(self, backend: Scripted, tmp_path: Path) -> None:
        """A client that sends a byte now and then without ever ending its line is left all the same."""
        with gated(backend.argv, tmp_path, parameters=("smtpd_timeout=1",)) as gate, gate.client() as client:
            client.socket.settimeout(0.05)
            begun, heard = time.monotonic(), b""
            while not heard and time.monotonic() < begun + 10:
                client.say(b"N")
                try:
                    heard = client.socket.recv(1000)
                except TimeoutError:
                    continue
            assert short(heard.removesuffix(b"\r\n")) == "421 4.4.2"

    def test_case_2_who_talks_before_the_banner_is_left(self, backend: Scripted, tmp_path: Path) -> None:
        """554 5.5.0 or the refusal of the screen that waits, and nothing of what it said is carried out."""
        runs = len(backend.visits())
        screen = (ours("pyrblsmtpd"), "-w", "1", "-r", "bl.invalid+notest")
        with gated(backend.argv, tmp_path, screens=screen, variables={"DNSCACHEIP": "127.0.0.1@9"}) as gate:
            with gate.connect() as early:
                early.sendall(b"EHLO x\r\n")
                heard = talk(early, b"MAIL FROM:<a@b.example>\r\nRCPT TO:<r@example.org>\r\nQUIT\r\n")
            assert re.search(rb"^(554 5\.5\.0|451 you talked before you were greeted)", heard, re.MULTILINE), heard
            assert backend.since(runs) == []
            with gate.connect(RELAY) as relay:
                relay.sendall(b"EHLO x\r\n")
                assert talk(relay, b"QUIT\r\n").startswith(b"220 mx.example.org"), "RELAYCLIENT is spared"


class TestGreetings:
    """Cases 3 to 5."""

    @every_manner
    def test_case_3_the_list_of_ehlo(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """Ours, and not what the backend has; its last line has a blank behind the code; no backend."""
        runs = len(backend.visits())
        (reply,) = gate.converse([EHLO], manner)

        *firsts, last = reply.split(b"\r\n")
        keywords = [line[4:] for line in (*firsts[1:], last)]
        assert all(line.startswith(b"250-") for line in firsts)
        assert last.startswith(b"250 ")
        assert firsts[0].startswith(b"250-mx.example.org")
        assert {b"PIPELINING", b"8BITMIME"} <= set(keywords)
        assert any(re.fullmatch(rb"SIZE( \d+)?", keyword) for keyword in keywords)
        forbidden = (b"CHUNKING", b"BINARYMIME", b"ENHANCEDSTATUSCODES", b"XCLIENT", b"XFORWARD", b"AUTH", b"STARTTLS",
                     b"ETRN", b"DSN", b"VRFY", b"EXPN")  # fmt: skip
        assert not [keyword for keyword in keywords if keyword.startswith(forbidden)]
        assert backend.since(runs) == []

    @every_manner
    def test_case_4_helo_is_answered_in_one_line(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """And EHLO or HELO without a name is 501."""
        runs = len(backend.visits())
        helo, bare_ehlo, bare_helo = gate.converse([b"HELO a", b"EHLO", b"HELO"], manner)

        assert helo == b"250 mx.example.org"
        assert [short(reply)[:3] for reply in (bare_ehlo, bare_helo)] == ["501", "501"]
        assert backend.since(runs) == []

    @every_manner
    def test_case_5_helo_required(self, required: Gate, manner: Manner) -> None:
        """MAIL before EHLO is 503 5.5.1, behind it 250."""
        replies = required.converse([b"MAIL FROM:<x@d.example>", EHLO, b"MAIL FROM:<x@d.example>"], manner)
        assert [short(reply)[:9] for reply in replies] == ["503 5.5.1", "250", "250 2.1.0"]


class TestStates:
    """Cases 6 to 10, and the table of session.md 3.5."""

    @every_manner
    def test_case_6_a_second_mail_waits_for_rset(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """503 5.5.1 for nested MAIL; after RSET 250; no backend."""
        runs = len(backend.visits())
        replies = gate.converse([EHLO, MAIL, b"MAIL FROM:<b@example.net>", b"RSET", MAIL], manner)
        assert [short(reply)[:3] for reply in replies] == ["250", "250", "503", "250", "250"]
        assert short(replies[2]) == "503 5.5.1"
        assert backend.since(runs) == []

    @every_manner
    def test_case_6_rcpt_and_data_wait_for_mail(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """503 5.5.1; DATA without an accepted recipient is 554 5.5.1; no backend."""
        runs = len(backend.visits())
        replies = gate.converse([EHLO, RCPT, b"DATA", MAIL, b"DATA"], manner)
        assert shorts(replies)[1:3] == ["503 5.5.1", "503 5.5.1"]
        assert shorts(replies)[4] == "554 5.5.1"
        assert backend.since(runs) == []

    @pytest.mark.parametrize("again", [b"EHLO again.example.net", b"HELO again.example.net", b"RSET"])
    @every_manner
    def test_case_7_a_transaction_is_gone(self, gate: Gate, backend: Scripted, manner: Manner, again: bytes) -> None:
        """EHLO, HELO or RSET between RCPT and DATA: DATA is 503; the backend got RSET or was left, and no DATA."""
        runs = len(backend.visits())
        replies = gate.converse([EHLO, MAIL, RCPT, again, b"DATA", b"QUIT"], manner)
        assert [short(reply)[:3] for reply in replies] == ["250", "250", "250", "250", "503", "221"]
        (visit,) = backend.since(runs)
        assert visit.end in ("eof", "quit")
        assert b"DATA" not in visit.input

    @every_state
    @every_manner
    def test_case_8_what_has_no_effect(self, gate: Gate, backend: Scripted, manner: Manner, state: str) -> None:
        """NOOP, HELP, VRFY, EXPN, ETRN in each state; the backend sees none; the transaction goes on."""
        runs = len(backend.visits())
        commands = [b"NOOP x", b"noop", b"HELP", b"VRFY a", b"EXPN a", b"ETRN a"]
        replies = gate.converse([*STATES[state], *commands, *GOES_ON[state], b"QUIT"], manner)
        there = len(STATES[state])
        assert [short(reply)[:3] for reply in replies[there : there + 6]] == ["250", "250", "214", "252", "502", "502"]
        assert [short(reply)[0] for reply in replies[there + 6 :]] == (
            ["3", "2", "2"] if state == "after RCPT" else ["2", "2"]
        )
        seen = b"".join(visit.input for visit in backend.since(runs) if visit.end)
        assert not re.search(rb"NOOP|HELP|VRFY|EXPN|ETRN", seen, re.IGNORECASE)

    @every_state
    @every_manner
    def test_case_9_bdat_ends_the_session(self, gate: Gate, backend: Scripted, manner: Manner, state: str) -> None:
        """521 5.5.1 (or 554 5.5.0, without EHLO) and the end: its octets are no commands."""
        runs = len(backend.visits())
        data = b"BDAT 62 LAST\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n"
        replies = gate.converse([*STATES[state], Raw(data), b"NOOP"], manner)
        (told,) = shorts(replies)[len(STATES[state]) :]
        assert told == "521 5.5.1" or (state, told) == ("before EHLO", "554 5.5.0")
        assert not any(b"evil" in visit.input for visit in backend.since(runs))

    @every_manner
    def test_case_10_quit_before_any_recipient(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """221, no backend, and -v counts the commands."""
        runs, mark = len(backend.visits()), gate.mark()
        assert [short(reply)[:3] for reply in gate.converse([EHLO, MAIL, b"QUIT"], manner)] == ["250", "250", "221"]
        assert backend.since(runs) == []
        until(lambda: b"quit=1 commands=3\n" in gate.since(mark), "the line about its commands")

    def test_a_client_that_leaves_without_quit_is_told_in_the_log(self, gate: Gate) -> None:
        """With the last verb."""
        mark = gate.mark()
        with gate.client() as client:
            client.converse([EHLO, MAIL])
        until(lambda: b"lost connection after MAIL from unknown[192.0.2.7]\n" in gate.since(mark), "the line")

    @every_state
    @every_manner
    def test_verbs_in_any_case(self, gate: Gate, manner: Manner, state: str) -> None:
        """And RSET or DATA with an argument is 501 5.5.4 and does nothing."""
        replies = gate.converse([*STATES[state], b"rset x", b"dAtA x", b"nOOp", b"qUiT"], manner)
        assert shorts(replies)[-4] == "501 5.5.4"
        assert shorts(replies)[-2:] == ["250 2.0.0", "221 2.0.0"]

    @every_state
    @pytest.mark.parametrize("verb", [b"XCLIENT ADDR=1.2.3.4", b"XFORWARD ADDR=1.2.3.4", b"TURN", b"ATRN", b"SOML x"])
    def test_case_15_what_is_never_offered(self, gate: Gate, backend: Scripted, verb: bytes, state: str) -> None:
        """502 5.5.1; the address in the log and for the backend stays."""
        runs, mark = len(backend.visits()), gate.mark()
        steps = [EHLO, verb, MAIL, RCPT, b"RCPT TO:<u@elsewhere.example>", b"QUIT"]
        replies = gate.converse([*STATES[state], verb, *steps])
        there = len(STATES[state])
        assert shorts(replies)[there] == shorts(replies)[there + 2] == "502 5.5.1"
        assert backend.since(runs)[-1].environment[b"TCPREMOTEIP"] == b"192.0.2.7"
        until(lambda: b"reject: RCPT from unknown[192.0.2.7]: 554 5.7.1" in gate.since(mark), "the refusal")
        assert b"1.2.3.4" not in gate.since(mark)


class TestErrors:
    """Cases 11 to 14, and 54: bare LF in a command."""

    @pytest.mark.parametrize("manner", [Manner.STEPS, Manner.BYTES])
    def test_case_11_too_many_errors(self, strict: Gate, manner: Manner) -> None:
        """500 5.5.2 each, then 421 4.7.0 and the end."""
        mark = strict.mark()
        replies = strict.converse([EHLO, *[b"FOO"] * 5], manner)
        assert shorts(replies) == ["250", *["500 5.5.2"] * 4, "421 4.7.0"]
        wanted = b"smtpgate: too many errors after UNKNOWN from unknown[192.0.2.7]\n"
        until(lambda: wanted in strict.since(mark), "the line")

    def test_case_11_errors_cost_time(self, backend: Scripted, tmp_path: Path) -> None:
        """A second for each above the soft limit."""
        with gated(backend.argv, tmp_path, parameters=("smtpd_soft_error_limit=2",)) as gate:
            begun = time.monotonic()
            assert shorts(gate.converse([EHLO, *[b"FOO"] * 3])) == ["250", *["500 5.5.2"] * 3]
            assert time.monotonic() - begun > 0.9

    def test_case_11_an_accepted_message_pardons(self, strict: Gate) -> None:
        """Three errors, a message, three errors."""
        message: list[Step] = [MAIL, RCPT, b"DATA", Content(b"x\r\n.\r\n")]
        replies = strict.converse([EHLO, b"FOO", b"FOO", *message, b"FOO", b"FOO", b"QUIT"])
        assert shorts(replies)[-3:] == ["500 5.5.2", "500 5.5.2", "221 2.0.0"]

    def test_junk_that_leads_nowhere_counts_from_its_limit_on(self, strict: Gate) -> None:
        """Three NOOPs are free, and each one more is an error."""
        replies = strict.converse([EHLO, *[b"NOOP"] * 9])
        assert shorts(replies)[-1] == "421 4.7.0"
        assert len(replies) < 10

    @pytest.mark.parametrize(
        "first",
        [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST / HTTP/1.0\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"\x80\x2e\x01",
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("manner", [Manner.STEPS, Manner.BYTES])
    def test_case_12_another_protocol_is_left_at_once(
        self, gate: Gate, backend: Scripted, manner: Manner, first: bytes
    ) -> None:
        """221 or 421 or nothing, and the end; no backend; one line in the log."""
        runs, mark = len(backend.visits()), gate.mark()
        with gate.client() as client:
            if manner is Manner.BYTES:
                client.say_slowly(first)
            else:
                client.say(first)
            assert [short(reply)[:3] for reply in client.rest()] in (["221"], ["421"], ["554"], [])
        assert backend.since(runs) == []
        until(lambda: b"192.0.2.7" in gate.since(mark), "a line")

    @pytest.mark.parametrize("size", [2049, 3000, 100_000])
    @pytest.mark.parametrize("manner", [Manner.STEPS, Manner.SEGMENT])
    def test_case_13_a_long_command(self, gate: Gate, manner: Manner, size: int) -> None:
        """One 500 5.5.2, and the next command works."""
        replies = gate.converse([EHLO, b"NOOP ".ljust(size, b"x"), b"NOOP"], manner)
        assert shorts(replies) == ["250", "500 5.5.2", "250 2.0.0"]

    @pytest.mark.parametrize(
        ("command", "told"),
        [
            (b"MAIL FROM:<a\0b@example.net>", "500 5.5.2"),
            (b"NOOP \0", "500 5.5.2"),
            (b"MAIL FROM:<a@example.net>\rRCPT TO:<b@example.org>", "500 5.5.2"),
            (b"NOOP\r", "500 5.5.2"),
            (b"MAIL FROM:<\xc3\xa9@example.net>", "553 5.6.7"),
        ],
    )
    @every_manner
    def test_case_14_bytes_that_no_command_has(
        self, gate: Gate, backend: Scripted, manner: Manner, command: bytes, told: str
    ) -> None:
        """One refusal; the session goes on; no backend."""
        runs = len(backend.visits())
        replies = gate.converse([EHLO, command, b"RSET"], manner)
        assert shorts(replies) == ["250", told, "250 2.0.0"]
        assert backend.since(runs) == []

    def test_case_14_8_bit_bytes_in_a_recipient(self, gate: Gate) -> None:
        """553 5.6.7 as well, and 501 5.1.3 where it is not even UTF-8."""
        replies = gate.converse([EHLO, MAIL, b"RCPT TO:<\xc3\xa9@example.org>", b"RCPT TO:<\xff@example.org>", RCPT])
        assert shorts(replies)[2:] == ["553 5.6.7", "501 5.1.3", "250"]

    @pytest.mark.parametrize("command", [b"NOOP\n", b"MAIL FROM:<a@example.net>\n", b"FOO\n"])
    @every_manner
    def test_case_54_a_bare_newline_ends_no_command(
        self, gate: Gate, backend: Scripted, manner: Manner, command: bytes
    ) -> None:
        """One 500 5.5.2, and the next command works."""
        runs = len(backend.visits())
        replies = gate.converse([EHLO, Raw(command), b"DATA"], manner)
        assert shorts(replies) == ["250", "500 5.5.2", "503 5.5.1"]
        assert backend.since(runs) == []


class TestPipelining:
    """RFC 2920: what may stand behind what."""

    @pytest.mark.parametrize("first", [EHLO, b"HELO x", b"NOOP", b"VRFY a", b"DATA"])
    def test_who_does_not_wait_where_he_must(self, gate: Gate, backend: Scripted, first: bytes) -> None:
        """554 5.5.0 and the end; what was sent too early is in the log and not carried out."""
        runs, mark = len(backend.visits()), gate.mark()
        with gate.client() as client:
            client.converse([EHLO])
            client.say(first + b"\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<r@example.org>\r\n")
            assert shorts(client.rest())[-1] == "554 5.5.0"
        assert backend.since(runs) == []
        verb = first.split()[0]
        wanted = b"improper command pipelining after %b from unknown[192.0.2.7]: MAIL FROM:<evil@" % verb
        until(lambda: wanted in gate.since(mark), "the line about it")

    def test_who_relays_is_spared(self, gate: Gate) -> None:
        """Scripts of one's own hosts may talk on."""
        with gate.client(RELAY) as client:
            client.say(EHLO + b"\r\nNOOP\r\n" + MAIL + b"\r\nQUIT\r\n")
            assert [short(reply)[:3] for reply in client.rest()] == ["250", "250", "250", "221"]

    def test_half_closed_clients_hear_all_their_replies(self, gate: Gate) -> None:
        """Whole commands are carried out, half of one is nothing."""
        with gate.client() as client:
            client.converse([EHLO])
            client.say(MAIL + b"\r\nRSET\r\nQUI")
            client.socket.shutdown(socket.SHUT_WR)
            assert [short(reply)[:3] for reply in client.rest()] == ["250", "250"]
