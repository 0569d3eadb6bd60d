"""rblsmtpd three times over the same DNS answers: C, pyrblsmtpd alone, pyrblsmtpd absorbed by pytcpserver."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.programs import need_root, ours, theirs
from tests.support.rules_tools import compiled_by_ours
from tests.support.server import QUIET, Server, children
from tests.support.waiting import PATIENCE
from tests.support.warm import Warm

IP = "192.0.2.77"
FRONT = "77.2.0.192"

RECORDS = {
    f"{FRONT}.listed TXT": ["Listed, see http://example.org/"],
    f"{FRONT}.several TXT": ["foo", '"bar" "baz"'],
    f"{FRONT}.empty TXT": ['""'],
    f"{FRONT}.address-only A": ["127.0.0.2"],
    f"{FRONT}.allowed A": ["127.0.0.2"],
    f"{FRONT}.hostile TXT": [r'"a\013\010250 ok\027\255\233%n"'],
    f"{FRONT}.long TXT": ['"' + "x" * 190 + '" "' + "y" * 100 + '"'],
    f"{FRONT}.truncated TXT": "truncated",
    f"{FRONT}.fails TXT": "truncated-without-tcp",
    "*.broken A": "truncated-without-tcp",
    "*.broken TXT": "truncated-without-tcp",
    "listed TXT": ["a bare zone"],
}

DIALOGUE = (
    b"EHLO client\r\nmail FROM:<a@b>\nRCPT TO:<c@d>\r\nDATA\r\nrset\r\nNOOP x\r\nVRFY\r\n\r\nquit now\r\nafter quit\r\n"
)


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A name server on port 53, the only one that C asks."""
    need_root()
    with nameserver.running(RECORDS, tmp_path_factory.mktemp("dns"), port=53) as server:
        yield server


def alone(program: str, words: Sequence[str], environment: dict[str, str], said: bytes = DIALOGUE) -> tuple[bytes, ...]:
    """What a process of its own answers and logs; the program behind is ``echo passed``."""
    with _started(program, words, environment) as process:
        return _heard(process, said)


def both(
    words: Sequence[str], environment: dict[str, str], folder: Path, said: bytes = DIALOGUE
) -> list[tuple[bytes, ...]]:
    """The same of ours alone, and of ours absorbed; both are started at once."""
    with _started(ours("pyrblsmtpd"), words, environment) as process:
        told = absorbed(words, environment, folder, said)
        return [_heard(process, said), told]


def absorbed(
    words: Sequence[str], environment: dict[str, str], folder: Path, said: bytes = DIALOGUE
) -> tuple[bytes, ...]:
    """The same by way of pytcpserver, where a rule sets the environment of the test."""
    (told,), log = all_absorbed(words, [environment], folder, [said])
    return told, log, b"0"


def all_absorbed(
    words: Sequence[str], environments: Sequence[dict[str, str]], folder: Path, said: Sequence[bytes]
) -> tuple[list[bytes], bytes]:
    """What clients are told who come to one server one after the other, each with variables of its own; and its log."""
    sources = [f"127.0.1.{number}" for number in range(1, len(environments) + 1)]
    rules = zip(sources, map(_variables, environments), strict=True)
    text = "".join(f"{source}:allow{variables}\n" for source, variables in rules)
    cdb = str(compiled_by_ours(text.encode(), folder / "rules.cdb"))
    backend = [ours("pyrblsmtpd"), *words, "echo", "passed"]
    with Server(ours("pytcpserver"), ("-x", cdb, *QUIET), backend, folder, env=environments[0]) as server:
        told = [server.talk(one, source) for source, one in zip(sources, said, strict=True)]
    return told, _masked(server.log())


def _variables(environment: dict[str, str]) -> str:
    return "".join(f',{name}="{value}"' for name, value in environment.items() if name in ("TCPREMOTEIP", "RBLSMTPD"))


def _started(program: str, words: Sequence[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen([program, *words, "echo", "passed"], env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


def _heard(process: "subprocess.Popen[bytes]", said: bytes) -> tuple[bytes, ...]:
    told, log = process.communicate(said, PATIENCE)
    return told, _masked(log), b"%d" % process.returncode


def _masked(log: bytes) -> bytes:
    return re.sub(rb"pid \d+", b"pid PID", log)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-r", "listed"),
        ("-rlisted",),
        ("-r", "clean"),
        ("-b", "-r", "listed"),
        ("-r", "listed", "-b"),
        ("-bB", "-r", "listed"),
        ("-r", "several"),
        ("-r", "empty"),
        ("-r", "address-only"),
        ("-r", "hostile"),
        ("-r", "long"),
        ("-b", "-r", "long"),
        ("-r", "truncated"),
        ("-a", "allowed", "-r", "listed"),
        ("-r", "listed", "-a", "allowed"),
        ("-a", "clean", "-r", "listed"),
        ("-a", "listed", "-r", "clean"),
        ("-r", "clean", "-b", "-r", "listed", "-B"),
        ("-t0", "-r", "listed"),
        ("-t", "5", "-b", "-r", "listed"),
        ("-r", "broken", "-b", "-r", "listed"),
        ("-c", "-r", "broken"),
        ("-r", "broken", "-c"),
        ("-a", "broken", "-r", "listed"),
        ("-c", "-a", "broken", "-b", "-r", "listed"),
        ("-c", "-r", "broken", "-C", "-r", "listed"),
        ("--",),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_zones(words: Sequence[str], dns: str, tmp_path: Path) -> None:
    """Options act in written order, and the reply and the log line are C's, byte for byte."""
    environment = {"PATH": os.environ["PATH"], "PWD": os.getcwd(), "DNSCACHEIP": dns, "TCPREMOTEIP": IP}
    expected = alone(theirs("rblsmtpd"), words, environment)

    assert both(words, environment, tmp_path) == [expected, expected]


@pytest.mark.parametrize("words", [("-r", "listed"), ("-c", "-r", "broken"), ("-b", "-r", "clean"), ("-t0",)])
def test_rblsmtpd_variable(words: Sequence[str], dns: str, tmp_path: Path) -> None:
    """$RBLSMTPD is the verdict, and no zone is asked."""
    told = ("", "Go away", "-Go away for good", "-", "x" * 300, "\x01\x7f\xe9")
    environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns, "TCPREMOTEIP": IP}

    assert_all_the_same(words, [{**environment, "RBLSMTPD": one} for one in told], tmp_path, [DIALOGUE] * len(told))


def assert_all_the_same(
    words: Sequence[str], environments: Sequence[dict[str, str]], folder: Path, said: Sequence[bytes]
) -> None:
    """What each client is told and what is logged of it is the same by C, by ours alone, and by ours absorbed."""
    clients = list(zip(environments, said, strict=True))
    expected = [alone(theirs("rblsmtpd"), words, *client) for client in clients]

    assert [alone(ours("pyrblsmtpd"), words, *client) for client in clients] == expected
    log = b"".join(log for _, log, _ in expected)
    assert all_absorbed(words, environments, folder, said) == ([told for told, _, _ in expected], log)


def test_dialogues(tmp_path: Path) -> None:
    """A refused client hears what C says, whatever it says itself."""
    environment = {"PATH": os.environ["PATH"], "TCPREMOTEIP": IP, "RBLSMTPD": "No"}
    said = [
        b"",
        b"quit",
        b"QUIT\n",
        b"q\0uit\r\nquit\0\r\nQuIt\r\n",
        b"helo\r\r\nquit\r\n",
        b" quit\r\nquit \r\n",
        b"mail\trcpt\r\nnoop\r",
        b"DATA\r\n.\r\n\n.\n\r.\r\nBDAT 5 LAST\r\n12345\r\nSTARTTLS\r\nAUTH PLAIN x\r\n",
        bytes(range(256)) * 3 + b"\nquit\n",
        b"noop\r\n" * 20,
    ]

    assert_all_the_same((), [environment] * len(said), tmp_path, said)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"noop\r\n" * 200_000, b"250 rblsmtpd.local\r\n" * 20 + b"421 too many commands\r\n"),
        (b"blah\r\n" * 200, b"451 No\r\n" * 10 + b"421 too many commands\r\n"),
        (b"x" * 5000, b"500 line too long\r\n"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"421 this is an SMTP server\r\n"),
        (b"\x16\x03\x01\x02\x00\x01\x00\n", b"421 this is an SMTP server\r\n"),
        (b"\x05\x01\x00", b"421 this is an SMTP server\r\n"),
    ],
    ids=["endless commands", "endless errors", "endless line", "HTTP", "TLS", "SOCKS"],
)
def test_limits_of_a_dialogue(said: bytes, told: bytes) -> None:
    """C answers for as long as it is asked; we leave."""
    environment = {"PATH": os.environ["PATH"], "TCPREMOTEIP": IP, "RBLSMTPD": "No"}

    assert alone(ours("pyrblsmtpd"), (), environment, said)[0] == b"220 rblsmtpd.local\r\n" + told


@pytest.mark.parametrize("said", [b"quit\r\n", b""])
def test_an_alarm_that_rings_at_the_last_moment(said: bytes) -> None:
    """Between the client's end and ours: it is no error."""
    late = """
import os, signal
off = signal.alarm
def ring_first(seconds):
    if not seconds:
        os.kill(os.getpid(), signal.SIGALRM)
    return off(seconds)
signal.alarm = ring_first
from ucspi_py.cli.chain.rblsmtpd import main
main()
"""
    environment = {"PATH": os.environ["PATH"], "TCPREMOTEIP": IP, "RBLSMTPD": "No"}
    command = [sys.executable, "-c", late, "-v", "true"]
    done = subprocess.run(command, input=said, env=environment, capture_output=True, check=False)

    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 2


def test_the_session_ends_by_itself(tmp_path: Path) -> None:
    """A client that says nothing is left after -t seconds, without a word and with exit 0."""
    environment = {"PATH": os.environ["PATH"], "TCPREMOTEIP": IP, "RBLSMTPD": "No"}
    for program in (theirs("rblsmtpd"), ours("pyrblsmtpd")):
        with subprocess.Popen(
            [program, "-t1", "true"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b"220 rblsmtpd.local\r\n"
            assert process.wait() == 0

    backend = [ours("pyrblsmtpd"), "-t1", "true"]
    with Server(ours("pytcpserver"), QUIET, backend, tmp_path, env=environment) as server, server.connect() as client:
        assert client.recv(100) == b"220 rblsmtpd.local\r\n"
        assert client.recv(100) == b""


def test_no_address_asks_nobody(dns: str) -> None:
    """C asks for the bare zone then; we let the client in."""
    environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}

    assert alone(ours("pyrblsmtpd"), ("-r", "listed"), environment)[0] == b"passed\n"


def test_options_that_are_wrong() -> None:
    """Exit 100 and the usage line, alone; pytcpserver refuses to start with them."""
    with Warm("pyrblsmtpd", "pytcpserver") as programs:
        for words in ([], ["-z", "true"], ["-t", "abc", "true"], ["-r"], ["-T1", "-b", "-r", "z", "true"]):
            done = programs.run("pyrblsmtpd", *words)
            assert done.returncode == 100
            assert b"rblsmtpd: usage: rblsmtpd " in done.stderr

            done = programs.run("pytcpserver", *QUIET, "127.0.0.1", "0", ours("pyrblsmtpd"), *words)
            assert done.returncode == 100


def test_a_program_that_is_missing() -> None:
    """The sentence and the exit code of C."""
    results = [
        subprocess.run([program, "/nonexistent/smtpd"], capture_output=True, check=False)
        for program in (theirs("rblsmtpd"), ours("pyrblsmtpd"))
    ]

    assert [done.returncode for done in results] == [111, 111]
    assert results[0].stderr == results[1].stderr


class TestAbsorbed:
    """What being absorbed is for."""

    def test_several_of_ours_in_a_row(self, dns: str, tmp_path: Path) -> None:
        """Each screens in turn, without a process."""
        second = [ours("pyrblsmtpd"), "-b", "-r", "listed"]
        environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns, "TCPREMOTEIP": IP}

        told, log, _ = absorbed(["-r", "clean", *second], environment, tmp_path, b"rcpt\r\n")

        assert b"553 Listed" in told
        assert log.count(b"rblsmtpd: 192.0.2.77 pid PID: 553 Listed") == 1

    def test_a_foreign_program_ends_the_absorbing(self, dns: str, tmp_path: Path) -> None:
        """What stands behind it runs as a process, and says the same."""
        chain = ["-r", "clean", "env", "A=1", ours("pyrblsmtpd"), "-r", "listed"]
        environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns, "TCPREMOTEIP": IP}

        told, log, _ = absorbed(chain, environment, tmp_path, b"rcpt\r\n")

        assert told == b"220 rblsmtpd.local\r\n451 Listed, see http://example.org/\r\n"
        assert log == b"rblsmtpd: 192.0.2.77 pid PID: 451 Listed, see http://example.org/\n"

    def test_refused_clients_hold_no_slot_and_no_process(self, tmp_path: Path) -> None:
        """With -c 1 and ten refused clients on the line, a good one is served at once."""
        cdb = tmp_path / "rules.cdb"
        rules = b'127.0.0.9:allow,RBLSMTPD="No"\n:allow\n'
        subprocess.run([theirs("tcprules"), cdb, tmp_path / "tmp"], input=rules, check=True)
        backend = [ours("pyrblsmtpd"), "echo", "welcome"]
        options = ("-v", "-c1", "-x", str(cdb), *QUIET)
        with Server(ours("pytcpserver"), options, backend, tmp_path) as server:
            held = [server.connect("127.0.0.9") for _ in range(10)]
            for client in held:
                assert client.recv(100) == b"220 rblsmtpd.local\r\n"

            workers = children(server.process.pid)
            assert workers
            assert [Path(f"/proc/{pid}/task/{pid}/children").read_text() for pid in workers] == ["" for _ in workers]
            assert server.talk() == b"welcome\n"

            for client in held:
                client.close()

    def test_the_log_of_a_refused_client(self, tmp_path: Path) -> None:
        """C's lines in C's order, under one process id."""
        environment = {"PATH": os.environ["PATH"], "RBLSMTPD": "No"}
        logs = []
        for server_program, screen in (("tcpserver", "rblsmtpd"), ("pytcpserver", "pyrblsmtpd")):
            find = theirs if screen == "rblsmtpd" else ours
            with Server(
                find(server_program), ("-v", *QUIET), [find(screen), "true"], tmp_path, env=environment
            ) as server:
                server.talk(b"quit\r\n")
                log = server.wait_log(b" status 0\ntcpserver: status: 0/40\n")
            logs.append(re.sub(rb"(pid|ok|end) \d+|:\d+(?= )|:\d+\n", rb"\1", log))

        assert logs[0] == logs[1]

    def test_a_hand_over_loses_no_byte(self, dns: str, tmp_path: Path) -> None:
        """What the client says before it is asked reaches the program."""
        environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns, "TCPREMOTEIP": IP}
        backend = [ours("pyrblsmtpd"), "-r", "clean", "cat"]
        said = os.urandom(100_000)
        with Server(ours("pytcpserver"), QUIET, backend, tmp_path, env=environment) as server:
            assert server.talk(said) == said
