"""-h -p -l -r -t: what is found out about a client, beside C and by ourselves."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support import nameserver, parrot
from tests.support.programs import need_root, ours, theirs
from tests.support.rules import cdb_of
from tests.support.server import Server, talk
from tests.support.waiting import until

RECORDS = {
    "1.0.0.127.in-addr.arpa PTR": ["Local.Example."],
    "2.0.0.127.in-addr.arpa PTR": ["Mail.Example."],
    "3.0.0.127.in-addr.arpa PTR": [r"a\.b\010\%n_-.x\:y.Example."],
    "4.0.0.127.in-addr.arpa PTR": ["liar.example."],
    "5.0.0.127.in-addr.arpa PTR": ["."],
    "6.0.0.127.in-addr.arpa PTR": ["x" * 60 + "." + "y" * 60 + ".example."],
    "mail.example A": ["127.0.0.9", "127.0.0.2"],
    "liar.example A": ["127.0.0.9"],
}
BACKEND = ("sh", "-c", "env | grep ^TCP | sort")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment whose name server knows RECORDS."""
    need_root()
    with nameserver.running(RECORDS, tmp_path_factory.mktemp("dns"), port=53) as server:
        yield {"PATH": os.environ["PATH"], "PWD": os.getcwd(), "DNSCACHEIP": server}


def seen(
    program: str, options: Sequence[str], sources: Sequence[str], environment: dict[str, str], folder: Path
) -> list[list[bytes]]:
    """What the backend's environment and the ok line say of clients from these addresses, one after the other."""
    found = []
    with Server(program, ("-v", *options), BACKEND, folder, env=environment) as server:
        for number, source in enumerate(sources, 1):
            told = server.talk(source=source)
            until(lambda: server.log().count(b"tcpserver: ok") == number, "the ok line")  # noqa: B023
            found.append([_masked(told, server.port), _ok_line(server.log(), server.port)])
    return found


def _masked(told: bytes, port: int) -> bytes:
    return re.sub(rb"REMOTEPORT=\d+", b"", told.replace(b"%d" % port, b"PORT"))


def _ok_line(log: bytes, port: int) -> bytes:
    """The last one."""
    line = log.replace(b"%d" % port, b"PORT").rpartition(b"tcpserver: ok")[2].splitlines()[0]
    return re.sub(rb"^ \d+|:\d+\Z", b"", line)


@pytest.mark.parametrize("options", [("-R",), ("-Rp",), ("-R", "-l", "me"), ("-HR",)], ids=" ".join)
def test_names_are_those_of_c(options: Sequence[str], environment: dict[str, str], tmp_path: Path) -> None:
    """Names, lower-cased and escaped as by djb, believed under -p only when they lead back."""
    sources = [f"127.0.0.{n}" for n in range(2, 8)]
    expected = seen(theirs("tcpserver"), options, sources, environment, tmp_path)

    assert seen(ours("pytcpserver"), options, sources, environment, tmp_path) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"1, 2 : USERID : UNIX : joe\r\n",
        b"1, 2 : ERROR : NO-USER\r\n",
        b"1,2:USERID:UNIX:j o\te: \x00x\n",
        b"::: %\xff\r\n",
        b":::" + b"u" * 400,
        b"no line end",
        b"",
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_ident_answers_are_those_of_c(answer: bytes, environment: dict[str, str], tmp_path: Path) -> None:
    """TCPREMOTEINFO, and the log line made safe."""
    options = ("-H", "-r", "-t", "5", "-l", "0")
    with parrot.running(answer, "127.0.0.2", 113) as (_, questions):
        expected = seen(theirs("tcpserver"), options, ["127.0.0.2"], environment, tmp_path)
        assert seen(ours("pytcpserver"), options, ["127.0.0.2"], environment, tmp_path) == expected

    asked = [re.fullmatch(rb"\d+ , \d+\r\n", question) for question in questions]
    assert len(asked) == 2
    assert all(asked)


def test_every_client_is_known_by_its_ident_answer(tmp_path: Path) -> None:
    """Forty at once and one after the other: a rule about joe is obeyed for each of them."""
    need_root()
    rules = cdb_of("joe@127.0.0.2:deny\n:allow\n", tmp_path)
    options = ("-x", rules, "-H", "-r", "-l", "0", "-w", "2")
    with (
        parrot.running(b"1, 2 : USERID : UNIX : joe\r\n", "127.0.0.2", 113),
        Server(ours("pytcpserver"), options, ("echo", "welcome"), tmp_path) as server,
    ):
        at_once = [server.connect("127.0.0.2") for _ in range(20)]
        told = [talk(client) for client in at_once] + [server.talk(source="127.0.0.2") for _ in range(20)]
        for client in at_once:
            client.close()

    assert told == [b""] * 40


def test_all_lookups_have_one_deadline(tmp_path: Path) -> None:
    """With a silent name server C waits a minute; we wait -t seconds, and no slot of -c is held meanwhile."""
    silent = {f"{n}.0.0.127.in-addr.arpa PTR": "silent" for n in range(1, 9)}
    with nameserver.running(silent, tmp_path) as dns:
        env = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
        with Server(ours("pytcpserver"), ("-v", "-Rt1", "-c1"), ("echo", "hello"), tmp_path, env=env) as server:
            start = time.monotonic()
            clients = [server.connect() for _ in range(5)]
            for client in clients:
                assert client.recv(100) == b"hello\n"
                client.close()
            # One deadline of 1 s for all; five in a row, or one for each look-up, would take at least 5 s.
            assert time.monotonic() - start < 4.5


@pytest.mark.parametrize("form", ["{ip}@{port}", "127.0.0.1@1 {ip}@{port}", "127.0.0.1@1,{ip}@{port}"])
def test_name_servers_on_other_ports(form: str, tmp_path: Path) -> None:
    """$DNSCACHEIP takes ip@port, and the next server is asked at once when one refuses."""
    with nameserver.running(RECORDS, tmp_path) as dns:
        ip, _, port = dns.partition("@")
        env = {"PATH": os.environ["PATH"], "DNSCACHEIP": form.format(ip=ip, port=port)}
        with Server(ours("pytcpserver"), ("-Rl0",), ("sh", "-c", "echo $TCPREMOTEHOST"), tmp_path, env=env) as server:
            assert server.talk(source="127.0.0.2") == b"mail.example\n"


def test_a_host_name_to_listen_on(tmp_path: Path) -> None:
    """A name is asked of the name servers, as in C."""
    with nameserver.running({"door.example A": ["127.0.0.1"]}, tmp_path) as dns:
        env = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
        backend = ("sh", "-c", "echo $TCPLOCALIP")
        with Server(ours("pytcpserver"), ("-HRl0",), backend, tmp_path, env=env, host="door.example") as server:
            server.host = "127.0.0.1"
            assert server.talk() == b"127.0.0.1\n"


class TestIpv6:
    """Clients that C never saw."""

    def test_the_environment_of_an_ipv6_client(self, tmp_path: Path) -> None:
        """TCP6* beside TCP*, PROTO=TCP6, the address canonical."""
        backend = ("sh", "-c", "env | grep -E '^(PROTO|TCP6?(LOCAL|REMOTE)IP)' | sort")
        with Server(ours("pytcpserver"), ("-v", "-HRl0"), backend, tmp_path, host="::1") as server:
            told = server.talk()
            log = server.wait_log(b"tcpserver: ok")

        assert told.split() == [
            b"PROTO=TCP6",
            b"TCP6LOCALIP=::1",
            b"TCP6REMOTEIP=::1",
            b"TCPLOCALIP=::1",
            b"TCPREMOTEIP=::1",
        ]
        assert b"tcpserver: pid" in log
        assert b" from ::1\n" in log

    def test_a_v4_mapped_client_is_an_ipv4_client(self, tmp_path: Path) -> None:
        """On :: an IPv4 client looks as on 0."""
        backend = ("sh", "-c", "env | grep -E '^(PROTO|TCP6?(LOCAL|REMOTE)IP)' | sort")
        with Server(ours("pytcpserver"), ("-HRl0",), backend, tmp_path, host="::") as server:
            server.host = "0"
            told = server.talk()

        assert told.split() == [b"PROTO=TCP", b"TCPLOCALIP=127.0.0.1", b"TCPREMOTEIP=127.0.0.1"]

    @pytest.mark.parametrize("host", ["::", "0"])
    @pytest.mark.parametrize(("options", "kept"), [("-HRl0", b"0\n"), ("-HRol0", b"8\n")])
    def test_ip_options(self, host: str, options: str, kept: bytes, tmp_path: Path) -> None:
        """Forgotten, or kept with -o, of an IPv4 client on either kind of listener."""
        report = (
            "import socket; print(len(socket.socket(fileno=0).getsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, 40)))"
        )
        record_route = bytes([7, 7, 4, 0, 0, 0, 0, 0])
        with (
            Server(ours("pytcpserver"), (options,), (sys.executable, "-c", report), tmp_path, host=host) as server,
            socket.socket() as client,
        ):
            client.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, record_route)
            client.connect(("127.0.0.1", server.port))
            assert talk(client) == kept

    def test_zero_stays_ipv4(self, tmp_path: Path) -> None:
        """Host 0 does not take IPv6 clients."""
        with Server(ours("pytcpserver"), ("-HRl0",), ("true",), tmp_path, host="0") as server:
            server.host = "::1"
            with pytest.raises(ConnectionRefusedError):
                server.connect()

    def test_a_name_server_and_a_listener_on_link_local_addresses(self) -> None:
        """fe80::1%eth0, as RDNSS writes it into resolv.conf: each is told its interface (RFC 4007)."""
        need_root()
        command = [theirs("unshare"), "--net", sys.executable, "-m", "tests.support.link_local"]

        done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, timeout=30, check=False)

        if b"unshare failed" in done.stderr:
            pytest.skip("no network namespaces here")
        assert done.stdout == b"fe80::1 fe80::1 link.lo\n", done.stderr

    def test_names_of_an_ipv6_client(self, tmp_path: Path) -> None:
        """PTR under ip6.arpa, and -p by AAAA."""
        nibbles = ".".join(["1"] + ["0"] * 31) + ".ip6.arpa PTR"
        with nameserver.running({nibbles: ["six.example."], "six.example AAAA": ["::1"]}, tmp_path) as dns:
            env = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
            backend = ("sh", "-c", "echo $TCPREMOTEHOST $TCP6REMOTEHOST")
            with Server(ours("pytcpserver"), ("-Rpl0",), backend, tmp_path, env=env, host="::1") as server:
                assert server.talk() == b"six.example six.example\n"

    def test_zones_for_an_ipv6_client(self, tmp_path: Path) -> None:
        """RFC 5782: 32 nibbles, for a zone that knows IPv6."""
        name = ".".join(["1"] + ["0"] * 31) + ".zone TXT"
        with nameserver.running({name: ["six is listed"]}, tmp_path) as dns:
            env = {"PATH": os.environ["PATH"], "DNSCACHEIP": dns}
            backend = (ours("pyrblsmtpd"), "-r", "zone+v6", "true")
            with Server(ours("pytcpserver"), ("-HRl0",), backend, tmp_path, env=env, host="::1") as server:
                assert server.talk(b"rcpt\r\n").endswith(b"451 six is listed\r\n")
