"""When the gate starts the backend, and what that hears: cases 33 to 37, 39, 46, 47, 51."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import Demo, NotQmail, Scripted
from tests.support.gate import MAIL, PATIENT, RCPT, RELAY, Gate, controls, gated
from tests.support.programs import ours
from tests.support.server import QUIET, Server
from tests.support.smtp_client import Content, Manner, Step, every_manner, short, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
MESSAGE: list[Step] = [MAIL, RCPT, b"DATA", BODY]


@pytest.fixture(scope="module")
def gate(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate whose clients wait for nothing."""
    parameters = PATIENT
    rules = (
        '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7",WORD="of a rule"\n'
        '127.0.0.2:allow,TCPREMOTEIP="192.0.2.8",RELAYCLIENT=""\n'
        '127.0.0.3:allow,TCPREMOTEIP="192.0.2.7",DATABYTES="1000"\n'
        ":allow\n"
    )
    with gated(backend.argv, tmp_path_factory.mktemp("gate"), parameters=parameters, rules=rules) as gate:
        yield gate


@pytest.fixture(autouse=True)
def _as_ever(backend: Scripted) -> None:
    """Each test begins with the default script."""
    backend.does()


@every_manner
def test_case_33_the_first_recipient_starts_the_backend(gate: Gate, backend: Scripted, manner: Manner) -> None:
    """Not MAIL; and it hears what we have understood, its own reply is the client's."""
    backend.does({"RCPT": [["250 2.1.5 welcome, said the backend"]]})
    runs = len(backend.visits())
    with gate.client() as client:
        client.converse([EHLO, b"mail from: <@a.example:S@Example.NET> size=10 body=8bitmime"], manner)
        assert backend.since(runs) == []
        assert client.converse([b"rcpt to: r@example.org"], manner) == [b"250 2.1.5 welcome, said the backend"]
        client.converse([b"QUIT"])
    (visit,) = backend.since(runs)
    assert visit.end == "quit"
    hello, mail, rcpt, bye = visit.lines
    assert hello == EHLO
    assert mail in (b"MAIL FROM:<S@Example.NET> BODY=8BITMIME", b"MAIL FROM:<S@Example.NET> BODY=8bitmime")
    assert rcpt == b"RCPT TO:<r@example.org>"
    assert bye == b"QUIT"


@every_manner
def test_case_33_who_said_helo_is_announced_by_helo(gate: Gate, backend: Scripted, manner: Manner) -> None:
    """And a client that said neither is not announced under a name of another."""
    runs = len(backend.visits())
    gate.converse([b"HELO old.example.net", MAIL, RCPT, b"QUIT"], manner)
    gate.converse([MAIL, RCPT, b"QUIT"], manner)
    first, second = backend.since(runs)
    assert first.input.startswith(b"HELO old.example.net\r\n")
    assert b"client.example.net" not in second.input


@every_manner
def test_case_34_only_those_who_passed_get_the_message(gate: Gate, backend: Scripted, manner: Manner) -> None:
    """554, 250, 554, and the same again in the next message of the session, by the same backend."""
    runs = len(backend.visits())
    message: list[Step] = [MAIL, FOREIGN, RCPT, b"RCPT TO:<v@elsewhere.example>", b"DATA", BODY]
    replies = gate.converse([EHLO, *message, *message, b"QUIT"], manner)
    assert [short(reply)[:3] for reply in replies[1:7]] == ["250", "554", "250", "554", "354", "250"]
    assert [short(reply)[:3] for reply in replies[7:]] == ["250", "554", "250", "554", "354", "250", "221"]
    told = b"".join(visit.input for visit in backend.since(runs))
    assert told.count(b"RCPT TO:<r@example.org>") == 2
    assert b"elsewhere" not in told


@every_manner
def test_case_35_all_recipients_refused(gate: Gate, backend: Scripted, manner: Manner) -> None:
    """DATA is 554 5.5.1, no backend; the session goes on."""
    runs = len(backend.visits())
    replies = gate.converse([EHLO, MAIL, FOREIGN, FOREIGN, b"DATA", b"RSET", MAIL, RCPT], manner)
    assert [short(reply)[:9] for reply in replies[2:5]] == ["554 5.7.1", "554 5.7.1", "554 5.5.1"]
    assert [short(reply)[:3] for reply in replies[5:]] == ["250", "250", "250"]
    assert len(backend.since(runs)) == 1


def test_case_35_content_that_did_not_wait_is_never_commands(gate: Gate, backend: Scripted) -> None:
    """Bytes that are already there behind a DATA that is refused: 554 5.5.0 and the end, none of them executed."""
    runs = len(backend.visits())
    evil = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nx\r\n.\r\n"
    with gate.client() as client:
        client.converse([EHLO])
        client.say(MAIL + b"\r\n" + FOREIGN + b"\r\nDATA\r\n" + evil)
        replies = client.rest()
    assert [short(reply)[:9] for reply in replies][1:] in (
        ["554 5.7.1", "554 5.5.0"],
        ["554 5.7.1", "554 5.5.1", "554 5.5.0"],
    )
    assert backend.since(runs) == []


def test_case_36_a_slow_backend_keeps_the_order(gate: Gate, backend: Scripted) -> None:
    """MAIL RCPT RCPT DATA at once: 354 only behind the backend's; then message and QUIT at once."""
    backend.does({"RCPT": [["!until slow-rcpt", "250 slow"]], "DATA": [["!until slow-data", "354 slow"]]})
    runs = len(backend.visits())
    with gate.client() as client:
        client.converse([EHLO])
        client.say(b"\r\n".join((MAIL, RCPT, RCPT, b"DATA", b"")))
        assert short(client.reply())[:3] == "250"
        visit = until(lambda: backend.since(runs), "the backend")[0]
        visit.wait_input(b"RCPT")
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.reply()
        client.socket.settimeout(30)
        backend.go_on("slow-rcpt")
        assert client.replies(2) == [b"250 slow", b"250 slow"]
        visit.wait_input(b"DATA\r\n")
        backend.go_on("slow-data")
        assert short(client.reply()) == "354"
        client.say(BODY.data + b"QUIT\r\n")
        assert [short(reply)[:3] for reply in client.rest()] == ["250", "221"]


@every_manner
def test_case_37_messages_back_to_back(gate: Gate, backend: Scripted, manner: Manner) -> None:
    """The next MAIL stands right behind the dot: each delivered once, a line each in the log."""
    runs, mark = len(backend.visits()), gate.mark()
    replies = gate.converse([EHLO, *MESSAGE, *MESSAGE, *MESSAGE, b"QUIT"], manner)
    assert [short(reply)[:3] for reply in replies] == ["250", *["250", "250", "354", "250"] * 3, "221"]
    assert b"".join(visit.input for visit in backend.since(runs) if visit.end).count(b"\r\n.\r\n") == 3
    wanted = b"smtpgate: message from unknown[192.0.2.7]: 250 ok queued; from=<s@example.net> nrcpt=1 size="
    until(lambda: gate.since(mark).count(wanted) == 3, "three lines")


def test_the_queue_has_one_message_for_each(tmp_path: Path) -> None:
    """With the demonstration backend and the model of qmail."""
    control = controls(tmp_path / "control")
    for made in (Demo, NotQmail):
        backend = made(tmp_path / made.__name__, control)
        with gated(backend.argv, tmp_path, control=control, variables=backend.environment) as gate:
            replies = gate.converse([EHLO, *MESSAGE, *MESSAGE, b"QUIT"], Manner.SEGMENT)
        assert shorts(replies)[4] == shorts(replies)[8] == "250"
        expected = (b"s@example.net", (b"r@example.org",), b"Subject: x\n\nbody\n")
        assert list(map(tuple, backend.messages())) == [expected] * 2


class TestBackendRefuses:
    """Case 39."""

    @every_manner
    def test_case_39_mail_is_refused(self, gate: Gate, backend: Scripted, manner: Manner) -> None:
        """Every recipient of this transaction hears it; a new MAIL works."""
        backend.does({"MAIL": [["553 badmailfrom"], ["250 ok"]]})
        runs = len(backend.visits())
        steps = [EHLO, MAIL, RCPT, b"RCPT TO:<t@example.org>", b"DATA", b"RSET", MAIL, RCPT, b"QUIT"]
        replies = gate.converse(steps, manner)
        assert replies[2:4] == [b"553 badmailfrom", b"553 badmailfrom"]
        assert shorts(replies)[4] == "554 5.5.1"
        assert shorts(replies)[7] == "250"
        first, *_ = backend.since(runs)
        assert b"t@example.org" not in first.input

    @every_manner
    def test_case_39_a_recipient_is_refused_in_several_lines(
        self, gate: Gate, backend: Scripted, manner: Manner
    ) -> None:
        """They come to the client as they are, and the line of the log has the first."""
        backend.does({"RCPT": [["550-5.1.1 no such user", "550 5.1.1 ask somebody else"], ["250 ok"]]})
        mark = gate.mark()
        replies = gate.converse([EHLO, MAIL, RCPT, b"RCPT TO:<t@example.org>", b"QUIT"], manner)
        assert replies[2] == b"550-5.1.1 no such user\r\n550 5.1.1 ask somebody else"
        assert shorts(replies)[3] == "250"
        wanted = b"reject: RCPT from unknown[192.0.2.7]: 550 5.1.1 no such user"
        until(lambda: wanted in gate.since(mark), "the refusal")

    @pytest.mark.parametrize("keywords", [["250 scripted"], ["250-scripted", "250 8BITMIME"]])
    def test_case_39_a_backend_without_pipelining_is_asked_one_by_one(
        self, gate: Gate, backend: Scripted, keywords: list[str]
    ) -> None:
        """RCPT comes only behind the reply to MAIL."""
        backend.does({"EHLO": [keywords], "MAIL": [["!until mail-answered", "250 ok"]]})
        (backend.folder / "mail-answered").unlink(missing_ok=True)
        runs = len(backend.visits())
        with gate.client() as client:
            client.converse([EHLO, MAIL])
            client.say(RCPT + b"\r\n")
            visit = until(lambda: backend.since(runs), "the backend")[0]
            assert b"RCPT" not in visit.wait_input(b"MAIL")
            backend.go_on("mail-answered")
            assert short(client.reply()) == "250"
            client.converse([b"QUIT"])
        assert visit.end == "quit"

    def test_a_backend_that_knows_no_ehlo_is_greeted_by_helo(self, gate: Gate, backend: Scripted) -> None:
        """And hears no parameter."""
        backend.does({"EHLO": [["502 unimplemented"]]})
        runs = len(backend.visits())
        replies = gate.converse([EHLO, MAIL + b" BODY=8BITMIME", RCPT, b"QUIT"])
        assert shorts(replies)[2] == "250"
        (visit,) = backend.since(runs)
        assert visit.end == "quit"
        assert visit.lines == [EHLO, b"HELO client.example.net", MAIL, RCPT, b"QUIT"]

    @pytest.mark.parametrize("word", ["450 4.2.2 later", "554 5.3.0 never", "421 4.3.0 gone"])
    def test_data_is_refused(self, gate: Gate, backend: Scripted, word: str) -> None:
        """Its words are the client's; a 421 ends the session."""
        backend.does({"DATA": [[word]]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", b"NOOP"])
        assert replies[3] == word.encode()
        assert len(replies) == (4 if word.startswith("421") else 5)

    @pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA"])
    def test_a_code_that_cannot_be(self, gate: Gate, backend: Scripted, point: str) -> None:
        """2xx to DATA or 3xx to RCPT are 451, and no content is asked for."""
        backend.does({point: [["250 fine" if point == "DATA" else "354 go on"]]})
        replies = gate.converse([EHLO, MAIL, RCPT, b"DATA"])
        told = replies[3 if point == "DATA" else 2]
        assert short(told) == "451 4.3.0"


class TestParameters:
    """Case 46 and 47."""

    @pytest.mark.parametrize(
        ("parameter", "told"),
        [
            (b"SIZE=2000", "552 5.3.4"),
            (b"size=1000", "250 2.1.0"),
            (b"SIZE=x", "501 5.5.4"),
            (b"SIZE=", "501 5.5.4"),
            (b"SIZE=99999999999999999999", "552 5.3.4"),
            (b"FOO=1", "555 5.5.4"),
            (b"AUTH=<>", "555 5.5.4"),
            (b"SMTPUTF8", "555 5.5.4"),
            (b"BODY=8BITMIME", "250 2.1.0"),
            (b"BODY=7BIT", "250 2.1.0"),
            (b"BODY=BINARYMIME", "555 5.5.4"),
            (b"SIZE=1 SIZE=1", "501 5.5.4"),
        ],
    )
    @every_manner
    def test_case_46_parameters_of_mail(
        self, gate: Gate, backend: Scripted, manner: Manner, parameter: bytes, told: str
    ) -> None:
        """With 1,000 bytes allowed; no backend."""
        runs = len(backend.visits())
        replies = gate.converse([EHLO, MAIL + b" " + parameter], manner, "127.0.0.3")
        assert short(replies[1])[:3] == told[:3]
        if told[0] == "5":
            assert short(replies[1]) == told
        assert backend.since(runs) == []

    def test_case_46_body_is_not_for_a_backend_that_lacks_it(self, gate: Gate, backend: Scripted) -> None:
        """Nor SIZE."""
        backend.does({"EHLO": [["250-scripted", "250 PIPELINING"]]})
        runs = len(backend.visits())
        gate.converse([EHLO, MAIL + b" BODY=8BITMIME SIZE=10", RCPT, b"QUIT"])
        assert backend.since(runs)[0].lines[1] == MAIL

    def test_case_46_a_message_that_grows_beyond(self, tmp_path: Path) -> None:
        """Without SIZE: the backend's 552 is the client's, and nothing is queued."""
        control = controls(tmp_path / "control", databytes="100")
        backend = NotQmail(tmp_path / "backend", control)
        with gated(backend.argv, tmp_path, control=control, variables=backend.environment) as gate:
            (listed,) = gate.converse([EHLO])
            replies = gate.converse([EHLO, MAIL, RCPT, b"DATA", Content(b"x" * 200 + b"\r\n.\r\n"), *MESSAGE, b"QUIT"])
        assert b"SIZE 100" in listed
        assert replies[4] == b"552 sorry, that message size exceeds my databytes limit (#5.3.4)"
        assert [message.text for message in backend.messages()] == [b"Subject: x\n\nbody\n"]

    def test_the_smaller_of_two_limits_counts(self, backend: Scripted, tmp_path: Path) -> None:
        """message_size_limit below databytes refuses the content itself; above it is only databytes."""
        control = controls(tmp_path / "control", databytes="5000")
        for limit, size in (("100", b"SIZE 100"), ("9000", b"SIZE 5000")):
            parameters = (f"message_size_limit={limit}",)
            with gated(backend.argv, tmp_path / limit, control=control, parameters=parameters) as gate:
                large: list[Step] = [MAIL, RCPT, b"DATA", Content(b"x" * 200 + b"\r\n.\r\n")]
                replies = gate.converse([EHLO, *large, b"QUIT"])
            assert size in replies[0]
            assert shorts(replies)[4] == ("552 5.3.4" if limit == "100" else "250")

    def test_case_47_too_many_recipients(self, backend: Scripted, tmp_path: Path) -> None:
        """The 21st of 20 is 452 4.5.3, and the 20 get the message."""
        runs = len(backend.visits())
        asked = [b"RCPT TO:<u%d@example.org>" % number for number in range(25)]
        parameters = ("smtpd_recipient_limit=20",)
        with gated(backend.argv, tmp_path, parameters=parameters) as gate:
            replies = gate.converse([EHLO, MAIL, *asked, b"DATA", BODY, b"QUIT"], Manner.SEGMENT)
        assert shorts(replies)[2:27] == ["250"] * 20 + ["452 4.5.3"] * 5
        assert shorts(replies)[28] == "250"
        assert backend.since(runs)[0].input.count(b"RCPT") == 20

    def test_case_47_a_thousand_by_default(self, gate: Gate, backend: Scripted) -> None:
        """In one segment."""
        asked = [b"RCPT TO:<u%d@example.org>" % number for number in range(1001)]
        replies = gate.converse([EHLO, MAIL, *asked, b"QUIT"], Manner.SEGMENT)
        assert shorts(replies)[2:1003] == ["250"] * 1000 + ["452 4.5.3"]
        assert backend.last().input.count(b"RCPT") == 1000


class TestEnvironment:
    """Case 51."""

    def test_case_51_it_has_three_descriptors(self, gate: Gate, backend: Scripted) -> None:
        """0 and 1 are one end of a socketpair, 2 is the server's log; the client's own socket is not among them."""
        with gate.client() as client:
            client.converse([EHLO, MAIL, RCPT])
            visit = backend.last()
            assert set(visit.descriptors) == {0, 1, 2}
            assert visit.descriptors[0] == visit.descriptors[1]
            assert visit.descriptors[0].startswith("socket:")
            inode = visit.descriptors[0].removeprefix("socket:[").removesuffix("]")
            assert inode in Path("/proc/net/unix").read_text().split()
            assert visit.descriptors[2] == str(gate.log_file)

    def test_case_51_its_environment_is_that_without_a_gate(
        self, gate: Gate, backend: Scripted, tmp_path: Path
    ) -> None:
        """TCP variables and those of rules; it has the connection's id besides."""
        gate.converse([EHLO, MAIL, RCPT, b"QUIT"])
        behind = backend.last()
        assert behind.end
        rules = gate.process.args
        assert isinstance(rules, list)
        cdb = rules[rules.index("-x") + 1]
        env = {"PATH": os.environ["PATH"]}
        with Server(ours("pytcpserver"), ("-x", cdb, *QUIET), backend.argv, tmp_path, env=env) as server:
            server.talk(b"QUIT\r\n")
        alone = backend.last()
        varying = {b"TCPREMOTEPORT", b"TCPLOCALPORT"}
        wanted, found = ({k: v for k, v in visit.environment.items() if k not in varying} for visit in (alone, behind))
        assert found.pop(b"UNIQUE_ID").isdigit()
        assert found == wanted
        assert found[b"TCPREMOTEIP"] == b"192.0.2.7"
        assert found[b"WORD"] == b"of a rule"

    def test_the_end_of_a_session_is_the_end_of_its_backend(self, gate: Gate, backend: Scripted) -> None:
        """QUIT is told to it; a client that is gone is not."""
        for last, end in ((b"QUIT", "quit"), (None, "eof")):
            with gate.client(RELAY) as client:
                client.converse([EHLO, MAIL, RCPT, *([last] if last else [])])
            assert backend.last().end == end
