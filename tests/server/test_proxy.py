"""pytcpserver --proxy-from: whoever comes by a proxy is who the proxy says (ops.md, 49 to 56)."""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support import nameserver, proxying
from tests.support.certificates import Authority
from tests.support.gate import MAIL, controls, gate_words
from tests.support.programs import ours
from tests.support.proxying import LOCAL, block, line
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server, talk
from tests.support.smtp_client import Client
from tests.support.tls import trusting
from tests.support.waiting import PATIENCE, until

PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
OPTIONS = ("-v", "-w", "1", f"--proxy-from={PROXY}", *QUIET)
#: Says what it is told and its environment, and what its client says.
PROGRAM = ("sh", "-c", "env; cat")
#: A rule for the network of the proxy, which no connection of the proxy's own may use.
RULES = f"""\
{PROXY}:allow,RELAYCLIENT="",RBLSMTPD="-no",GREYLIST="1",MAXCONNIP="0",TCPPROXYIP="forged",SSL_PROTOCOL="forged",R="1"
192.0.2.9:deny
192.0.2.8:allow,RELAYCLIENT="",TCPPROXYID="forged",PROXYLOCAL="forged",SSL_CIPHER="forged"
:allow
"""
HERE = ("198.51.100.1", 25)
#: What the gate says whose program does not start, of a recipient that passes; and of one that does not.
NO_PROGRAM = b"451 4.3.0 The mail system is not available, try again later"
DENIED = b" <r@elsewhere.example>: Relay access denied"
#: pytcpserver that waits for a header no longer than a test may.
HASTY = """
import sys
from ucspi_py.cli.tcpserver import main
from ucspi_py.system.stream import proxy_header
proxy_header._PATIENCE = 0.1
sys.argv[:1] = []
main()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("proxied")
    env = {**os.environ, "RELAYCLIENT": "", "SSL_PROTOCOL": "inherited", "TCPPROXYID": "inherited"}
    with Server(
        ours("pytcpserver"), (*OPTIONS, "-x", cdb_of(RULES, folder), "-C2"), PROGRAM, folder, env=env
    ) as server:
        yield server


def environment(said: bytes) -> dict[str, str]:
    return dict(one.split("=", 1) for one in said.decode().splitlines() if "=" in one)


def bytewise(client: socket.socket, data: bytes) -> bytes:
    """Send each byte alone."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        client.sendall(bytes([byte]))
    return talk(client)


def to_the_end(client: socket.socket) -> bytes:
    """What a client hears that hangs on; a reset counts as the end."""
    with contextlib.suppress(ConnectionResetError):
        return client.recv(100)
    return b""


@pytest.mark.parametrize("header", [line(), block(), block(tlvs=((proxying.NOOP, b"x" * 600),))])
def test_a_client_is_who_the_proxy_says(server: Server, header: bytes) -> None:
    """For program and log; what comes with the header reaches the program."""
    said = server.talk(header + b"hello\n")
    told = environment(said)

    assert said.endswith(b"\nhello\n")
    assert [told[f"TCP{name}"] for name in ("REMOTEIP", "REMOTEPORT", "LOCALIP", "LOCALPORT")] == [
        *("192.0.2.7", "51913"),
        *("198.51.100.1", "25"),
    ]
    assert told["TCPPROXYIP"] == PROXY
    assert told["TCPPROXYPORT"].isdigit()
    assert not told.keys() & {"TCPPROXYID", "PROXYLOCAL", "SSL_PROTOCOL"}
    server.wait_log(b" from 192.0.2.7\n", b" 0:198.51.100.1:25 :192.0.2.7::51913\n")


@pytest.mark.parametrize("header", [line(), block(), proxying.WITH_CHECKSUM])
def test_a_header_may_come_byte_by_byte(server: Server, header: bytes) -> None:
    """And what follows it, too."""
    with server.connect(PROXY) as client:
        assert bytewise(client, header + b"hello\n").endswith(b"\nhello\n")


@pytest.mark.parametrize("header", [line(), block()])
def test_a_program_reads_each_byte_behind_a_header_in_pieces(server: Server, header: bytes) -> None:
    """How many bytes wake us while we wait for the header is no matter of the program's."""
    with server.connect(PROXY) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header:
            client.sendall(bytes([byte]))
        said = b""
        while b"TCPPROXYPORT" not in said:
            said += client.recv(65536)
        client.sendall(b"%")
        while not said.endswith(b"%"):
            said += client.recv(65536)


def test_a_client_of_ipv6_comes_by_a_proxy_of_ipv4(server: Server) -> None:
    """PROTO says what the client speaks."""
    told = environment(server.talk(line(("2001:db8::7", 1025), ("2001:db8::1", 25))))

    assert (told["PROTO"], told["TCP6REMOTEIP"], told["TCP6LOCALIP"]) == ("TCP6", "2001:db8::7", "2001:db8::1")


def test_rules_are_those_of_the_client(server: Server) -> None:
    """One that they deny gets no program; neither they nor our own environment say anything of the proxy."""
    assert server.talk(line(("192.0.2.9", 1025), HERE)) == b""
    server.wait_log(b" 0:198.51.100.1:25 :192.0.2.9::1025\n")

    told = environment(server.talk(line(("192.0.2.8", 1025), HERE)))
    assert told["RELAYCLIENT"] == ""
    assert not told.keys() & {"TCPPROXYID", "PROXYLOCAL", "SSL_CIPHER"}


def test_limits_count_the_client(server: Server) -> None:
    """And not the proxy, by which everybody comes."""
    held = []
    try:
        for ip in ("192.0.2.20", "192.0.2.20", "192.0.2.21", "192.0.2.22"):
            held.append(server.connect(PROXY))
            held[-1].sendall(block((ip, 1025), HERE))
            assert held[-1].recv(1)
        assert server.talk(block(("192.0.2.20", 1025), HERE)).startswith(b"421 4.7.0 ")
    finally:
        for client in held:
            client.close()
    server.wait_log(b"from 192.0.2.20: 2/2 connections of the client\n")
    until(lambda: server.log().endswith(b"status: 0/40\n"), "all to have left")


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n", line((PROXY, 1025), HERE), block((PROXY, 1025), HERE)])
def test_nobody_relays_on_a_proxys_own_connection(server: Server, header: bytes) -> None:
    """It has the proxy's address, whose rule counts no more than our own environment; zones and greylist spare it."""
    mark = len(server.log())
    told = environment(server.talk(header))

    assert (told["TCPREMOTEIP"], told["TCPPROXYIP"], told["PROXYLOCAL"], told["R"]) == (PROXY, PROXY, "1", "1")
    assert (told["RELAY"], told["RBLSMTPD"], told["GREYLIST"]) == ("never", "", "")
    assert not told.keys() & {"RELAYCLIENT", "SSL_PROTOCOL", "TCPPROXYID"}
    server.talk(line(("192.0.2.50", 1025), HERE))
    until(lambda: b" from 192.0.2.50\n" in server.log()[mark:], "the line of a client")
    assert PROXY.encode() not in server.log()[mark:]


def test_the_tls_that_a_client_speaks_with_its_proxy_is_told(server: Server) -> None:
    """Under the names that our own has."""
    parts = (proxying.VERSION, b"TLSv1.3"), (proxying.CIPHER, b"TLS_AES_256"), (proxying.COMMON_NAME, b"joe")
    tlvs = ((proxying.AUTHORITY, b"mx.example"), proxying.tls(3, 0, *parts), (proxying.UNIQUE_ID, b"7F:1"))
    told = environment(server.talk(block(tlvs=tlvs)))

    assert {name: value for name, value in told.items() if name.startswith("SSL_") and "CERT_" not in name} == {
        "SSL_PROTOCOL": "TLSv1.3",
        "SSL_CIPHER": "TLS_AES_256",
        "SSL_TLS_SNI_SERVERNAME": "mx.example",
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_VERSION_INTERFACE": "ucspi_py",
    }
    assert (told["SSL_PEER_CERT_CN"], told["TCPPROXYID"]) == ("joe", "7F:1")


BAD = {
    b"no PROXY header": b"EHLO client.example\r\n",
    b"a line that does not end in CRLF": b"PROXY TCP4 192.0.2.7 198.51.100.1 51913 25\n",
    b"a wrong checksum": proxying.WITH_CHECKSUM[:-1] + b"x",
    b"neither TCP over IPv4 nor over IPv6": proxying.framed(0x31, bytes(216)),
    b"gone before the end of its header": line()[:-1],
    b"gone before its header": b"",
}


@pytest.mark.parametrize(("reason", "said"), BAD.items(), ids=[reason.decode() for reason in BAD])
def test_whoever_says_no_header_is_left(server: Server, reason: bytes, said: bytes) -> None:
    """Without a word, and with one line in the log, however often it comes within a minute."""
    assert [server.talk(said), server.talk(said)] == [b"", b""]

    log = server.wait_log(b" from 127.0.0.1: " + reason + b"\n")
    assert log.count(b": " + reason + b"\n") == 1


def test_nobody_but_a_proxy_is_heard(server: Server) -> None:
    """Whatever it says: it is dropped, with one line in the log."""
    assert [server.talk(said, STRANGER) for said in (line(), LOCAL, b"", b"EHLO x\r\n")] == [b""] * 4

    log = server.wait_log(b" from 127.0.0.2: not one of --proxy-from\n")
    assert log.count(b"from 127.0.0.2") == 1


@pytest.mark.parametrize("said", [b"", line()[:-2], block()[:20], proxying.SIGNATURE])
def test_a_header_has_its_time(said: bytes, tmp_path: Path) -> None:
    """5 seconds as it is installed. Meanwhile nothing is said, not even -B, and the client's place is no program's."""
    program = tmp_path / "hasty"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{HASTY}' pytcpserver \"$@\"\n")
    program.chmod(0o755)
    with Server(str(program), (*OPTIONS, "-c1", "-Bhello"), PROGRAM, tmp_path) as server:
        with server.connect(PROXY) as client:
            client.sendall(said)
            assert to_the_end(client) == b""
        server.wait_log(b" from 127.0.0.1: no header in time\n")
        until(
            lambda: b"hello" in server.talk(block()), "a client that is in time, as a slow machine may not be at first"
        )


def test_many_headers_are_waited_for_at_once(tmp_path: Path) -> None:
    """They cost no slot of -c and count for nobody's -C."""
    with Server(ours("pytcpserver"), (*OPTIONS, "-c1", "-C1"), PROGRAM, tmp_path) as server:
        waiting = [server.connect(PROXY) for _ in range(50)]
        try:
            for client in waiting:
                client.sendall(block()[:-1])
            assert environment(server.talk(block()))["TCPREMOTEIP"] == "192.0.2.7"
            waiting[0].sendall(block()[-1:])
            assert waiting[0].recv(1)
        finally:
            for client in waiting:
                client.close()


@pytest.mark.parametrize("options", [(), ("--reserve=1",)], ids=["without places", "with places"])
def test_no_more_are_waited_for_than_may_be_held(options: Sequence[str], tmp_path: Path) -> None:
    """Who comes then waits in the listener's queue, and comes in when a header is there."""
    with contextlib.ExitStack() as stack:
        words = (*OPTIONS, "--held=2", "-c9", *options)
        server = stack.enter_context(Server(ours("pytcpserver"), words, PROGRAM, tmp_path))
        first, second, third = (stack.enter_context(server.connect(PROXY)) for _ in range(3))
        third.sendall(block())
        first.sendall(block())
        assert first.recv(1)
        assert third.recv(1)
        second.sendall(block())
        assert second.recv(1)


def test_who_is_shed_is_told_so_behind_the_header(tmp_path: Path) -> None:
    """And has its own address in the log."""
    with Server(ours("pytcpserver"), (*OPTIONS, "-c1", "--shed=421 later"), PROGRAM, tmp_path) as server:
        with server.connect(PROXY) as served:
            served.sendall(block())
            assert served.recv(1)
            assert server.talk(block(("192.0.2.20", 1025), HERE)) == b"421 later\r\n"
        server.wait_log(b" from 192.0.2.20: all slots are taken\n")


def test_tls_begins_behind_the_header(tmp_path: Path) -> None:
    """Also where both come in one segment. What the proxy says of TLS is not what the program hears then."""
    authority = Authority(tmp_path)
    pair = authority.pair("mx.example")
    options = (*OPTIONS, f"--tls={pair.certificate}:{pair.key}")
    with Server(ours("pytcpserver"), options, ("sh", "-c", "env; head -1"), tmp_path) as server:
        said = _within_tls(server, trusting(authority.ca_file), block(tlvs=(proxying.tls(1, 0),)))

    told = environment(said)
    assert said.endswith(b"\nhello\n")
    assert (told["TCPREMOTEIP"], told["SSL_PROTOCOL"], told["SSL_TLS_SNI_SERVERNAME"]) == (
        *("192.0.2.7", "TLSv1.3"),
        "mx.example",
    )


def test_a_check_of_a_server_with_tls_is_not_in_the_log(tmp_path: Path) -> None:
    """It says nothing but its header; a client that speaks no TLS is."""
    pair = Authority(tmp_path).pair("mx.example")
    options = (*OPTIONS, f"--tls={pair.certificate}:{pair.key}")
    with Server(ours("pytcpserver"), options, PROGRAM, tmp_path) as server:
        assert [server.talk(LOCAL), server.talk(block(), PROXY)] == [b"", b""]
        log = server.wait_log(b"tcpserver: tls ", b" from 192.0.2.7: ")

    assert b"from 127.0.0.1" not in log


def test_screens_know_the_client_and_spare_the_proxy(tmp_path: Path) -> None:
    """Zones and greylist, which know neither the proxy nor a client that is not listed."""
    records = {**nameserver.healthy("zone"), **nameserver.lists("zone", "192.0.2.7", text="listed")}
    zones = (ours("pyrblsmtpd"), "-t", "0", "-r", "zone")
    greylist = (ours("pygreylist"), "-t", "0", "-s", str(tmp_path / "db"))
    with (
        nameserver.running(records, tmp_path) as dns,
        Server(
            ours("pytcpserver"),
            OPTIONS,
            (*zones, *greylist, *PROGRAM),
            tmp_path,
            env={**os.environ, "DNSCACHEIP": dns},
        ) as server,
    ):
        assert server.talk(block()) == b"451 listed\r\n"
        assert server.talk(block(("192.0.2.20", 1025), HERE)).startswith(b"451 Greylisted")
        assert environment(server.talk(LOCAL))["PROXYLOCAL"] == "1"
        server.wait_log(b"rblsmtpd: 192.0.2.7 ")


def _within_tls(server: Server, context: ssl.SSLContext, header: bytes) -> bytes:
    """What the program says to a client whose ClientHello comes with the header."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="mx.example")
    heard = b""
    with server.connect(PROXY) as plain:
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        plain.sendall(header + outgoing.read())
        is_through = False
        while piece := plain.recv(65536):
            incoming.write(piece)
            try:
                if not is_through:
                    client.do_handshake()
                    is_through = True
                    client.write(b"hello\n")
                while data := client.read(65536):
                    heard += data
            except ssl.SSLWantReadError:
                pass
            if outgoing.pending:
                plain.sendall(outgoing.read())
    return heard


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gate in whose mynetworks the proxy is, with limits and AUTH."""
    folder = tmp_path_factory.mktemp("gate")
    words = gate_words(
        controls(folder / "control"),
        (
            f"mynetworks={PROXY}/32 192.0.2.8/32",
            "smtpd_client_connection_rate_limit=3",
            "smtpd_error_sleep_time=0",
            "smtpd_sender_restrictions=check_client_access inline:{192.0.2.60=reject_plaintext_session}",
            "compatibility_level=3.6",
        ),
    )
    options = (*OPTIONS, "-x", cdb_of(RULES, folder))
    with Server(ours("pytcpserver"), options, (*words, "sh", "-c", "exit 111"), folder) as server:
        yield server


def rcpt(server: Server, header: bytes, recipient: str = "r@elsewhere.example") -> bytes:
    """What a client hears for a recipient."""
    with Client(server.connect(PROXY)) as client:
        client.socket.sendall(header)
        assert client.reply().startswith(b"220 ")
        return client.converse([b"EHLO x", MAIL, f"RCPT TO:<{recipient}>".encode()])[-1]


def test_the_gate_trusts_the_client_and_not_its_proxy(gate: Server) -> None:
    """By its address, whatever networks the proxy is in."""
    assert rcpt(gate, block(("192.0.2.7", 1025), HERE)).endswith(DENIED)
    assert rcpt(gate, LOCAL).endswith(DENIED)
    assert rcpt(gate, b"PROXY UNKNOWN\r\n").endswith(DENIED)
    assert rcpt(gate, block((PROXY, 1025), HERE)).endswith(DENIED)
    assert rcpt(gate, block(("192.0.2.8", 1025), HERE)) == NO_PROGRAM


def test_the_gate_is_within_the_tls_of_the_proxy(gate: Server) -> None:
    """The list of the gate wants TLS of whoever has none; our own is not offered twice."""
    client = ("192.0.2.60", 1025)

    assert rcpt(gate, block(client, HERE), "r@example.org").startswith(b"450 4.7.1 Session encryption is required")
    within = block(client, HERE, (proxying.tls(1, 0, (proxying.VERSION, b"TLSv1.3")),))
    assert rcpt(gate, within, "r@example.org") == NO_PROGRAM


def test_a_second_header_is_a_bad_command(gate: Server) -> None:
    """As where a balancer lets those through that its clients send; at once, it is said before its turn."""
    with Client(gate.connect(PROXY)) as client:
        client.socket.sendall(block(("192.0.2.30", 1025), HERE))
        assert client.reply().startswith(b"220 ")
        assert client.converse([line(("192.0.2.8", 1025), HERE)[:-2]])[-1].startswith(b"500 5.5.2 ")
    with Client(gate.connect(PROXY)) as client:
        client.socket.sendall(block(("192.0.2.31", 1025), HERE) + line(("192.0.2.8", 1025), HERE))
        assert client.reply().startswith(b"554 5.5.0 ")


def test_the_gate_neither_limits_nor_logs_checks(gate: Server) -> None:
    """However often the proxy looks whether we are well."""
    mark = len(gate.log())
    for _ in range(5):
        with Client(gate.connect(PROXY)) as client:
            client.socket.sendall(LOCAL)
            assert client.reply().startswith(b"220 ")
            assert client.converse([b"EHLO check.invalid", b"QUIT"])[-1].startswith(b"221 ")
    rcpt(gate, block(("192.0.2.40", 1025), HERE))

    log = gate.wait_log(b"192.0.2.40")[mark:]
    assert PROXY.encode() not in log


@pytest.mark.parametrize(
    ("networks", "flaw"),
    [
        ("10.0.0.1/8", b"it has bits beyond its prefix"),
        ("10.0.0.0/33", b"its prefix is too long"),
        ("proxy.example", b"it is no network"),
        ("", b"it is no network"),
        ("127.0.0.1,", b"it is no network"),
        ("0.0.0.0/0", b"anybody could say that he is anybody"),
        ("::/0", b"anybody could say that he is anybody"),
    ],
)
def test_networks_that_are_none_are_refused(networks: str, flaw: bytes) -> None:
    """And so are those of everybody."""
    command = [ours("pytcpserver"), "--proxy-from", networks, *QUIET, "127.0.0.1", "0", "true"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)

    assert done.returncode == 100
    assert flaw in done.stderr


@pytest.mark.parametrize("host", ["::", "::1"])
def test_a_proxy_may_come_by_ipv6(host: str, tmp_path: Path) -> None:
    """Or by IPv4 to all addresses, and is then in a network of IPv4."""
    options = ("-v", "-w", "1", "-D", "--proxy-from=127.0.0.0/8,::1", *QUIET)
    with Server(ours("pytcpserver"), options, PROGRAM, tmp_path, host=host) as server:
        server.host = "::1"
        told = environment(server.talk(block()))
        assert (told["TCPREMOTEIP"], told["TCPPROXYIP"], told["PROTO"]) == ("192.0.2.7", "::1", "TCP")
        local = environment(server.talk(LOCAL))
        assert (local["TCPREMOTEIP"], local["PROTO"], local["PROXYLOCAL"]) == ("::1", "TCP6", "1")
        if host == "::":
            server.host = "127.0.0.1"
            assert environment(server.talk(block()))["TCPPROXYIP"] == "127.0.0.1"
