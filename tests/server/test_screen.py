"""The screen of issue 5 with real servers, clients and name servers: zones, health, deadline, held clients, -w, -i."""

import contextlib
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support import nameserver
from tests.support.long_waits import Unwell
from tests.support.nameserver import NameServer, Records, healthy, lists
from tests.support.programs import ours
from tests.support.screened import GREETING, PASSED, environment, refusal, screened
from tests.support.waiting import until
from tests.support.warm import Warm, standing

PROGRAMS = Warm("pyrblsmtpd", "pytcpserver")
_stands = standing(PROGRAMS)

ME = "127.0.7.7"
FRONT = "7.7.0.127"
CODE = b"\x7f\0\0\2"
EARLY = b"451 you talked before you were greeted"

#: A wait in which nothing that is to come at once could come late.
LONG = "100"


@pytest.fixture
def dns(tmp_path: Path) -> Iterator[NameServer]:
    """A name server that knows a healthy zone ``bl`` with one client in it, and ``al`` with another."""
    records = {**healthy("bl", "al"), **lists("bl", ME, text="see http://bl/"), **lists("al", "127.0.7.8")}
    with nameserver.serving(records, tmp_path) as server:
        yield server


class TestZones:
    """What an operator can write of a zone, in a running server."""

    def test_an_error_is_no_listing_and_speaks_for_nobody(self, dns: NameServer, tmp_path: Path) -> None:
        """127.255.255.254 with a text: -r lets in, -a does not, and the log says why."""
        lie = lists("err", ME, "127.255.255.254", "Error: open resolver")
        dns.tell({**healthy("bl", "err"), **lie, **lists("bl", ME, text="listed")})
        with screened(("-r", "err"), dns.address, tmp_path) as server:
            assert refusal(server, ME) == PASSED.strip()
            server.wait_log(b"zone err: it answers 127.255.255.254, which is an error and lists nobody")
        with screened(("-a", "err", "-b", "-r", "bl"), dns.address, tmp_path) as server:
            assert refusal(server, ME) == b"451 listed"

    def test_a_name_server_that_rewrites_everything(self, dns: NameServer, tmp_path: Path) -> None:
        """203.0.113.9 for every name: nobody is refused by -r, and nobody is let in by -a, before and after a test."""
        lie = {"*.rw A": ["203.0.113.9"], "*.rw TXT": ["v=spf1"]}
        dns.tell({**healthy("bl"), **lie, **lists("bl", ME, text="listed")})
        with screened(("-a", "rw", "-r", "rw", "-r", "bl"), dns.address, tmp_path) as server:
            server.wait_log(
                b"zone rw: it answers 203.0.113.9, which is an error and lists nobody, so it is not believed"
            )
            assert refusal(server, ME) == b"451 listed"
            assert refusal(server, "127.0.7.9") == PASSED.strip()
        with screened(("-a", "rw+notest", "-r", "bl"), dns.address, tmp_path) as server:
            assert refusal(server, ME) == b"451 listed"

    def test_weights(self, dns: NameServer, tmp_path: Path) -> None:
        """Sums refuse, an allow-list takes away."""
        both, one = "127.0.7.1", "127.0.7.2"
        dns.tell(
            {
                **healthy("x", "y", "wl"),
                **lists("x", both, text="x"),
                **lists("y", both, text="y"),
                **lists("x", one, text="x"),
                **lists("x", "127.0.7.3", text="x"),
                **lists("y", "127.0.7.3", text="y"),
                **lists("wl", "127.0.7.3"),
            }
        )
        words = ("-T", "3/5", "-r", "x=127.0.0.[2..11]*2", "-r", "y*3", "-a", "wl*-4")
        with screened(words, dns.address, tmp_path) as server:
            assert refusal(server, both) == b"553 y"
            assert refusal(server, one) == PASSED.strip()
            assert refusal(server, "127.0.7.3") == PASSED.strip()

    def test_nobody_asks_about_private_addresses(self, dns: NameServer, tmp_path: Path) -> None:
        """Unless told to by -p."""
        rules = '127.0.0.1:allow,TCPREMOTEIP="10.1.2.3"\n127.0.0.2:allow,TCPREMOTEIP="fd00::1"\n'
        for option, asked in (("-v", 0), ("-p", 2)):
            with screened((option, "-r", "bl+v6"), dns.address, tmp_path, rules=rules) as server:
                assert refusal(server, "127.0.0.1") == PASSED.strip()
                assert refusal(server, "127.0.0.2") == PASSED.strip()
            questions = dns.asked("3.2.1.10.bl") + dns.asked(f"{'0.' * 29}d.f.bl")
            assert len(questions) == asked

    def test_ipv6_is_asked_where_it_is_known(self, dns: NameServer, tmp_path: Path) -> None:
        """And an IPv4 client that looks like one of IPv6 is asked about as what it is."""
        rules = '127.0.0.1:allow,TCPREMOTEIP="2001:db8::1"\n127.0.0.2:allow,TCPREMOTEIP="::ffff:127.0.7.7"\n'
        nibbles = "1." + "0." * 23 + "8.b.d.0.1.0.0.2"
        dns.tell({**healthy("bl", "bl6"), **lists("bl", ME, text="v4"), f"{nibbles}.bl6 TXT": ["v6"]})
        with screened(("-r", "bl", "-r", "bl6+v6"), dns.address, tmp_path, rules=rules) as server:
            assert refusal(server, "127.0.0.1") == b"451 v6"
            assert refusal(server, "127.0.0.2") == b"451 v4"
        assert not [line for line in dns.asked("bl") if line.startswith(nibbles)]

    def test_a_secret_name_is_told_to_nobody(self, long_wait_for_a_complaint: Unwell, tmp_path: Path) -> None:
        """Not in replies, not in the log, not to the program, and not by the zone's own text or its troubles."""
        server, dns, name, words, said = long_wait_for_a_complaint
        server.wait_log(b"warning: zone dqs: it ")
        server.process.send_signal(signal.SIGUSR1)
        said.append(server.wait_log(b"zone dqs: asked"))
        dns.tell({f"*.{name} A": ["127.0.0.2"]})
        with screened((*words[1:], "-i"), dns.address, tmp_path, program=("env",)) as other:
            said.append(other.talk(source="127.0.7.1"))
            said.append(other.wait_log(b"zone dqs: it lists 127.0.0.1"))

        assert said[:2] == [b"451 see dqs", b"451 127.0.7.2 is listed in dqs"]
        assert not any(b"s3cret" in piece for piece in said)

    @pytest.mark.parametrize(
        "words",
        [
            ("-r", "bl*3"),
            ("-r", "bl=127.0.0.256"),
            ("-r", "@bl"),
            ("-T", "0", "-r", "bl"),
            ("-T", "5/3", "-r", "bl"),
            ("-T", "x", "-r", "bl"),
            ("-d", "0", "-r", "bl"),
            ("-w", "x"),
        ],
        ids=" ".join,
    )
    def test_what_is_wrong_is_said_at_the_start(self, words: Sequence[str]) -> None:
        """Alone and absorbed: exit 100, and one sentence."""
        alone, absorbed = ("pyrblsmtpd",), ("pytcpserver", "127.0.0.1", "0", ours("pyrblsmtpd"))
        for command in (alone, absorbed):
            done = PROGRAMS.run(*command, *words, "true")
            assert done.returncode == 100
            assert b"Traceback" not in done.stderr


class TestDeadline:
    """One deadline for all zones, and no zone costs it twice."""

    def test_silent_zones_together_cost_it_once(self, dns: NameServer, tmp_path: Path) -> None:
        """Three of them, and who is listed by none of the others comes in after it."""
        dns.tell({**healthy("bl"), **{f"*.dead{number} A": "silent" for number in range(3)}})
        words = ("-v", "-d", "2", *(word for number in range(3) for word in ("-r", f"dead{number}+notest")), "-r", "bl")
        with screened(words, dns.address, tmp_path) as server:
            start = time.monotonic()
            assert server.talk(source=ME) == PASSED
            assert 1.9 < time.monotonic() - start < 5.9
            assert re.search(
                rb"zones for .*: dead0=failed/\d+ms dead1=failed/\d+ms .* bl=clean/\d+ms: accepted\n", server.log()
            )

    @pytest.mark.parametrize("words", [("-r", "bl", "-r", "dead"), ("-T1", "-r", "dead*1", "-r", "bl*1")], ids=" ".join)
    def test_who_is_refused_anyway_waits_for_nobody(
        self, words: Sequence[str], dns: NameServer, tmp_path: Path
    ) -> None:
        """The first zone says all there is to say."""
        dns.tell({**healthy("bl"), **lists("bl", ME, text="listed"), "*.dead A": "silent"})
        with screened(("-v", "-d", LONG, *words), dns.address, tmp_path) as server:
            assert refusal(server, ME) == b"451 listed"
            assert b"dead=pending/0ms" in server.log()

    def test_who_comes_again_does_not_wait_again(self, dns: NameServer, tmp_path: Path) -> None:
        """The failure is remembered for some seconds: the zone is not asked."""
        dns.tell({f"{FRONT}.dead A": "silent"})
        with screened(("-d", "1", "-r", "dead+notest"), dns.address, tmp_path, options=("-w1",)) as server:
            assert server.talk(source=ME) == PASSED
            asked = len(dns.asked(f"{FRONT}.dead"))
            assert server.talk(source=ME) == PASSED
            assert len(dns.asked(f"{FRONT}.dead")) == asked

    def test_a_dead_zone_is_left_alone_until_it_lives(self, dns: NameServer, tmp_path: Path) -> None:
        """One failure has it tested in the background; then nobody waits for it, and it refuses again by itself."""
        dns.tell({"*.bl A": "servfail", "*.bl TXT": "servfail"})
        with screened(("-r", "bl"), dns.address, tmp_path) as server:
            sources = (f"127.0.{number // 250 + 8}.{number % 250}" for number in range(2000))

            def unasked() -> bool:
                ip = next(sources)
                assert server.talk(source=ip) == PASSED
                return not dns.asked(f"{'.'.join(reversed(ip.split('.')))}.bl")

            until(unasked, "a client that nobody asks about")
            dns.tell({**healthy("bl"), **lists("bl", ME, text="listed")})
            until(lambda: refusal(server, ME) == b"451 listed", "the zone to be asked again")
            assert server.log().count(b"warning: zone bl") == 0


class TestHealth:
    """A zone that is not to be believed."""

    def test_who_lists_the_world_is_found_out_at_the_start(self, dns: NameServer, tmp_path: Path) -> None:
        """127.0.0.1 is listed: one line, everybody comes in, and nobody is asked about any more."""
        dns.tell({"*.world A": ["127.0.0.2"], "*.world TXT": ["everybody"]})
        with screened(("-r", "world"), dns.address, tmp_path) as server:
            server.wait_log(
                b"zone world: it lists 127.0.0.1, as no list may: it would list everybody, so it is not believed\n"
            )
            assert server.talk(source=ME) == PASSED
            assert server.talk(source="127.0.7.9") == PASSED
        assert dns.asked("7.0.127.world") == []
        assert server.log().count(b"warning: zone") == 1

    def test_a_reload_has_zones_tested_anew(self, dns: NameServer, tmp_path: Path) -> None:
        """SIGHUP: who has mended a zone need not wait for the next test."""
        dns.tell({"*.bl A": ["127.0.0.2"], "*.bl TXT": ["listed"]})
        with screened(("-r", "bl"), dns.address, tmp_path) as server:
            server.wait_log(b"so it is not believed\n")
            dns.tell({**healthy("bl"), **lists("bl", ME, text="listed")})
            server.process.send_signal(signal.SIGHUP)
            server.wait_log(b"zone bl: it is believed again\n")
            assert refusal(server, ME) == b"451 listed"

    def test_unless_the_operator_knows_better(self, dns: NameServer, tmp_path: Path) -> None:
        """+notest: no test points are asked for, and the zone lists whom it has listed from the start."""
        dns.tell({"*.world A": ["127.0.0.2"], "*.world TXT": ["everybody"]})
        with screened(("-r", "world+notest"), dns.address, tmp_path) as server:
            assert refusal(server, ME) == b"451 everybody"
            until(
                lambda: re.search(r"254\.\d+\.\d+\.127\.world A", "\n".join(dns.asked("world"))), "the control address"
            )
            assert refusal(server, "127.0.7.9") == b"451 everybody"
        assert not [line for line in dns.asked("world") if "0.0.127.world" in line]

    def test_who_begins_to_list_everybody_is_found_out(self, dns: NameServer, tmp_path: Path) -> None:
        """Within seconds, though its test points be right: an address that no client has is suddenly listed."""
        with screened(("-r", "bl"), dns.address, tmp_path) as server:
            sources = (f"127.1.{number // 200}.{number % 200 + 1}" for number in range(2000))
            for _ in range(30):
                assert server.talk(source=next(sources)) == PASSED
            dns.tell({**healthy("bl"), "*.bl A": ["127.0.0.2"], "*.bl TXT": ["all of you"], "1.0.0.127.bl TXT": ["x"]})
            until(
                lambda: server.talk(b"quit\r\n", next(sources)) and b"so it is not believed\n" in server.log(),
                "the distrust",
            )
            assert server.talk(source=next(sources)) == PASSED
            assert re.search(
                rb"zone bl: it now lists 127\.\d+\.\d+\.254, which no client has: it lists everybody, .*\n",
                server.log(),
            )
            dns.tell({**healthy("bl"), **lists("bl", ME, text="listed")})
            server.wait_log(b"zone bl: it is believed again\n")
            assert refusal(server, ME) == b"451 listed"

    def test_a_server_without_zones_asks_nothing(self, dns: NameServer, tmp_path: Path) -> None:
        """As classic rblsmtpd without -r must."""
        with screened((), dns.address, tmp_path) as server:
            assert server.talk(source=ME) == PASSED
        assert dns.asked() == []


class TestMemory:
    """What a zone has said is not asked again."""

    def test_each_client_is_asked_about_once(self, dns: NameServer, tmp_path: Path) -> None:
        """A and TXT of who is listed, A of who is not."""
        with screened(("-r", "bl"), dns.address, tmp_path, options=("-w1",)) as server:
            for _ in range(3):
                assert refusal(server, ME) == b"451 see http://bl/"
                assert server.talk(source="127.0.7.9") == PASSED
        assert dns.asked(f"{FRONT}.bl") == [f"{FRONT}.bl A", f"{FRONT}.bl TXT"]
        assert dns.asked("9.7.0.127.bl") == ["9.7.0.127.bl A"]


class TestHeld:
    """Refused clients, who live in the worker."""

    def test_what_they_say_of_themselves_is_told(self, dns: NameServer, tmp_path: Path) -> None:
        """One more line with -v, safe for a log."""
        said = b"EHLO \x1b[2Jmail\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\nQUIT\r\n"
        line = rb"dnsbl: said by 127\.0\.7\.7 pid \d+: helo <\?\[2Jmail> mail <a@b> rcpt <c@d>\n"
        with screened(("-v", "-r", "bl"), dns.address, tmp_path) as server:
            server.talk(said, ME)
            until(lambda: re.search(line, server.log()), "the line")

        alone = subprocess.run(
            [ours("pyrblsmtpd"), "-v", "-r", "bl", "true"],
            input=said,
            env=environment(dns.address, TCPREMOTEIP=ME),
            capture_output=True,
            check=True,
        )
        assert re.search(line, alone.stderr)

    def test_the_last_reply_arrives_though_the_client_goes_on(self, dns: NameServer, tmp_path: Path) -> None:
        """It says more than anybody reads, which makes the kernel reset the connection at the end."""
        with screened(("-r", "bl"), dns.address, tmp_path) as server:
            said = server.talk(b"HELO me\r\nQUIT\r\n" + b"x" * 50_000, ME)
        assert said == b"220 rblsmtpd.local\r\n250 rblsmtpd.local\r\n221 rblsmtpd.local\r\n"

    def test_who_says_nothing_is_told_too(self, dns: NameServer) -> None:
        """Alone, when the time is over."""
        with subprocess.Popen(
            [ours("pyrblsmtpd"), "-v", "-t1", "-r", "bl", "true"],
            env=environment(dns.address, TCPREMOTEIP=ME),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stderr
            assert b": nothing\n" in process.stderr.read()
            assert process.wait() == 0

    def test_when_there_are_too_many_the_oldest_leaves(self, dns: NameServer, tmp_path: Path) -> None:
        """With a word; the others stay, and none of them has a slot: who is welcome is served."""
        options = ("-v", "-w1", "-c1", "--held", "3")
        with (
            screened(("-r", "bl"), dns.address, tmp_path, options=options) as server,
            contextlib.ExitStack() as leaving,
        ):
            held = []
            for _ in range(4):
                held.append(leaving.enter_context(server.connect(ME)))
                assert held[-1].recv(100) == GREETING
            assert held[0].recv(100) == b"421 4.3.2 too many clients like you, try again later\r\n"
            assert held[0].recv(100) == b""
            assert server.talk(source="127.0.7.9") == PASSED
            assert held[1].recv(100).startswith(b"421 ")
            for client in held[2:]:
                client.sendall(b"rcpt\r\n")
                assert client.recv(100) == b"451 see http://bl/\r\n"

    def test_the_limit_is_one_for_all_workers(self, dns: NameServer, tmp_path: Path) -> None:
        """Whoever comes is greeted, and never are more than three of them held."""
        options = ("-w2", "--held", "3")
        with (
            screened(("-r", "bl"), dns.address, tmp_path, options=options) as server,
            contextlib.ExitStack() as held,
        ):
            clients = []
            for _ in range(10):
                clients.append(held.enter_context(server.connect(ME)))
                assert clients[-1].recv(100) == GREETING
            until(lambda: sum(map(_has_heard_more, clients)) == 7, "seven to be left")
            time.sleep(0.2)
            assert sum(map(_has_heard_more, clients)) == 7

    def test_the_whole_session_has_one_deadline(self, dns: NameServer, tmp_path: Path) -> None:
        """Drops of a command do not prolong it."""
        with screened(("-v", "-t", "1", "-r", "bl"), dns.address, tmp_path) as server, server.connect(ME) as client:
            assert client.recv(100) == GREETING
            start = time.monotonic()
            until(lambda: _dripped(client), "the end")
            assert time.monotonic() - start < 5


def _has_heard_more(client: socket.socket) -> bool:
    """Whether something was said to a client that it has not read."""
    client.settimeout(0.01)
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False


def _dripped(client: socket.socket) -> bool:
    """Send one byte of a command; whether the other end is gone."""
    client.settimeout(0.05)
    try:
        client.send(b"x")
        return client.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


ME_NAME = f"{FRONT}.world"


class TestInterrogation:
    """-i and --dry-run: nobody is refused."""

    RECORDS: ClassVar[Records] = {
        **healthy("x", "y"),
        **lists("x", ME, "127.0.0.4", "from x"),
        **lists("y", ME, text="from y"),
        **lists("x", "127.0.7.8", text="- is how this text begins"),
    }

    @pytest.mark.parametrize(
        ("words", "source", "expected"),
        [
            (
                ("-r", "x", "-r", "y"),
                ME,
                {"RBLSMTPD": "from x", "RBLSCORE": "2", "RBLZONES": "x=127.0.0.4 y=127.0.0.2"},
            ),
            (("-b", "-r", "x"), ME, {"RBLSMTPD": "-from x", "RBLSCORE": "1", "RBLZONES": "x=127.0.0.4"}),
            (
                ("-r", "x"),
                "127.0.7.8",
                {"RBLSMTPD": " - is how this text begins", "RBLSCORE": "1", "RBLZONES": "x=127.0.0.2"},
            ),
            (("-r", "x"), "127.0.7.9", {"RBLSCORE": "0", "RBLZONES": ""}),
            (
                ("-T", "5/5", "-r", "short@x*2", "-r", "y*3"),
                ME,
                {"RBLSMTPD": "-from y", "RBLSCORE": "5", "RBLZONES": "short=127.0.0.4 y=127.0.0.2"},
            ),
            (("-T", "6", "-r", "x*2", "-r", "y*3"), ME, {"RBLSCORE": "5", "RBLZONES": "x=127.0.0.4 y=127.0.0.2"}),
        ],
        ids=repr,
    )
    def test_the_program_is_told(
        self, words: Sequence[str], source: str, expected: Mapping[str, str], dns: NameServer, tmp_path: Path
    ) -> None:
        """Absorbed and alone the same variables."""
        dns.tell(self.RECORDS)
        with screened(("-i", *words), dns.address, tmp_path, program=("env",)) as server:
            absorbed = _variables(server.talk(source=source))
        done = subprocess.run(
            [ours("pyrblsmtpd"), "-i", *words, "env"],
            env=environment(dns.address, TCPREMOTEIP=source),
            capture_output=True,
            check=True,
        )

        assert absorbed == expected
        assert _variables(done.stdout) == expected

    def test_what_the_rules_have_said_stays(self, dns: NameServer, tmp_path: Path) -> None:
        """$RBLSMTPD of a rule is passed on, and no zone is asked; two in a row do not undo each other."""
        dns.tell(self.RECORDS)
        second = (ours("pyrblsmtpd"), "-i", "-r", "y", "env")
        with screened(("-i", "-r", "x"), dns.address, tmp_path, program=second) as server:
            variables = _variables(server.talk(source=ME))
        assert variables == {"RBLSMTPD": "from x", "RBLSCORE": "1", "RBLZONES": "x=127.0.0.4"}
        rules = ':allow,RBLSMTPD="-Go away"\n'
        with screened(("-i", "-r", "x"), dns.address, tmp_path, program=("env",), rules=rules) as server:
            assert _variables(server.talk(source=ME)) == {"RBLSMTPD": "-Go away"}

    def test_dry_run(self, dns: NameServer, tmp_path: Path) -> None:
        """The log says who would have been refused, and why."""
        with screened(("--dry-run", "-b", "-r", "bl"), dns.address, tmp_path) as server:
            assert server.talk(source=ME) == PASSED
            assert server.talk(source="127.0.7.9") == PASSED
            log = server.log()
        assert re.fullmatch(rb"dnsbl: would refuse 127\.0\.7\.7 pid \d+: 553 see http://bl/\n", log)

    def test_dry_run_of_an_early_talker(self, dns: NameServer, tmp_path: Path) -> None:
        """It is let in with all that it has said."""
        words = ("--dry-run", "-w", LONG)
        with screened(words, dns.address, tmp_path, program=("cat",)) as server:
            assert server.talk(b"hello\n", "127.0.7.9") == b"hello\n"
            assert re.search(rb"would refuse 127\.0\.7\.9 pid \d+: " + EARLY, server.log())


def _variables(told: bytes) -> dict[str, str]:
    lines = (line.partition("=") for line in told.decode().splitlines())
    return {name: value for name, _, value in lines if name.startswith("RBL")}


class TestCounters:
    """What SIGUSR1 says."""

    def test_of_zones_and_verdicts(self, dns: NameServer, tmp_path: Path) -> None:
        """All workers together; who is held now, too."""
        records = {**healthy("x", "y"), **lists("x", ME, text="x"), **lists("x", "127.0.7.8", text="x")}
        dns.tell({**records, **lists("y", "127.0.7.8", text="y"), "9.7.0.127.x A": "servfail"})
        words = ("-T", "1/2", "-r", "short@x", "-r", "y*1")
        with screened(words, dns.address, tmp_path, options=("-w2",)) as server:
            for source in ("127.0.7.8", "127.0.7.9", "127.0.7.10"):
                server.talk(b"quit\r\n", source)
            with server.connect(ME) as client:
                assert client.recv(100) == GREETING

                def reported() -> bytes | None:
                    server.process.send_signal(signal.SIGUSR1)
                    log = re.sub(rb"milliseconds \d+", b"ms", server.log())
                    totals = b"dnsbl: totals: accepted 2 refused 1 bounced 1 held now 1\n"
                    return log if totals in log else None

                log = until(reported, "the totals")
            assert b"dnsbl: zone short: asked 4 listed 2 errors 1 timeouts 0 unique 1 overlap 1 ms skipped 0\n" in log
            assert b"dnsbl: zone y: asked " in log

    def test_each_client_has_a_line(self, dns: NameServer, tmp_path: Path) -> None:
        """With -v: what each zone said, in how many milliseconds, and the verdict."""
        with screened(("-v", "-r", "bl", "-a", "al"), dns.address, tmp_path) as server:
            refusal(server, ME)
            server.talk(source="127.0.7.9")
            log = server.log()
        assert re.search(
            rb"dnsbl: zones for 127\.0\.7\.7 pid \d+: bl=127\.0\.0\.2/\d+ms al=\w+/\d+ms: 451 see http", log
        )
        assert re.search(rb"dnsbl: zones for 127\.0\.7\.9 pid \d+: bl=clean/\d+ms al=clean/\d+ms: accepted\n", log)
