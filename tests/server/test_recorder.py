"""pyrelay serve and allow over real sockets: whose word counts, and that nobody is kept from reading mail."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.forked import in_child
from tests.support.programs import need_root, ours, theirs
from tests.support.recorder import OTHER, USER, Clients, Recorder, as_user, grants, run_as, users
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.recorder import request as requests
from ucspi_py.core.ledger.recorder.request import Reply, Request, Standing


class HasFileno(Protocol):
    """A descriptor."""

    def fileno(self) -> int: ...


FORGED = "203.0.113.9"
#: A login of joe's, where the socket says from where.
REQUEST = requests.packed(Request(b"", b"joe", b"", 900))
#: Comes from an address, to port 110, and has that recorded.
FORGE = """
import socket
listener = socket.create_server(("{address}", 110))
client = socket.create_connection(("{address}", 110))
accepted, _ = listener.accept()
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
    asked.connect("{path}")
    socket.send_fds(asked, [{packet}], [accepted.fileno()])
    print(asked.recv(1024).decode())
"""
SH = ("sh", "-c", "echo ran; exit 7")


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Who has logged in."""
    with Clients() as made:
        yield made


@pytest.fixture(scope="module")
def of_both() -> Iterator[socket.socket]:
    """Where clients of both families log in."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        yield listener


@pytest.fixture(scope="module")
def recorder(clients: Clients, of_both: socket.socket) -> Iterator[Recorder]:
    """One that takes loopback for clients."""
    ports = f"110,{clients.port},{of_both.getsockname()[1]}"
    options = ("--private", "--refuse", "127.9.0.0/16", "--trust", str(OTHER), "--ports", ports)
    with Recorder(*options) as running:
        yield running


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())


def test_a_user_grants_the_address_that_he_comes_from(recorder: Recorder, clients: Clients) -> None:
    """And not the one that he says; the program behind has what it would have had (ops 9, 11 and 18)."""
    need_root()
    client = clients.come()

    done = run_as(
        USER, client.ours, "allow", "--socket", recorder.socket, *SH, USER="joe", TCPREMOTEIP=FORGED, IP=FORGED
    )

    assert (done.returncode, client.heard(), done.stderr) == (7, b"ran\n", b"")
    (grant,) = grants(recorder.store, client.ip)
    assert grant._replace(expires=0, renewed=0, granted=0) == (
        0, 0, 0, 1, How.LOGIN, b"joe", b"%d@%s" % (USER, os.uname().nodename.encode()), b"", b"",
    )  # fmt: skip
    assert 890 < grant.expires - now() <= 900
    assert grants(recorder.store, FORGED) == []
    recorder.wait_log(f"relay: granted {client.ip} to joe by login for 900 seconds, says uid {USER}\n".encode())


def test_the_program_has_nothing_of_ours(recorder: Recorder, clients: Clients) -> None:
    """Neither a variable nor a descriptor nor a signal that is ignored (ops 18)."""
    client = clients.come()
    program = ("sh", "-c", "env; ls /proc/$$/fd; grep SigIgn /proc/$$/status")
    variables = {"PATH": os.environ["PATH"], "USER": "joe", "TCPREMOTEIP": client.ip}

    def heard(*words: str) -> bytes:
        subprocess.run(
            [*words, *program], stdin=client.ours.fileno(), stdout=client.ours.fileno(), env=variables, check=True
        )
        return client.heard()

    assert heard(ours("pyrelay"), "allow", "--socket", recorder.socket) == heard()


@pytest.mark.parametrize("variable", ["TCPPROXYIP", "PROXYLOCAL"])
def test_the_socket_of_a_proxy_is_nobodys_address(variable: str, recorder: Recorder, clients: Clients) -> None:
    """What comes by a proxy is granted nothing without a ticket, or to everybody behind the proxy."""
    need_root()
    client = clients.come()
    words = ("allow", "--socket", recorder.socket, *SH)

    done = run_as(USER, client.ours, *words, USER="joe", **{variable: client.ip})

    assert done.returncode == 7
    assert b"login not recorded: descriptor 0 is no client's socket, there is no ticket, and uid" in done.stderr
    assert grants(recorder.store, client.ip) == []


def test_who_is_trusted_is_believed(recorder: Recorder, clients: Clients) -> None:
    """As Dovecot's hook, which knows the client behind a proxy."""
    need_root()
    client = clients.come()

    done = run_as(
        OTHER, client.ours, "allow", "--socket", recorder.socket, "-t", "60", "true", USER="joe", IP="198.51.100.77"
    )
    assert done.stderr.decode().splitlines() == []

    assert users(recorder.store, "198.51.100.77", now()) == [b"joe"]
    assert users(recorder.store, "198.51.100.77", now() + 60) == []
    assert grants(recorder.store, client.ip) == []


def ask(recorder: Recorder, client: HasFileno | None, uid: int = USER, seconds: int = 900) -> Reply:
    """What a user's program is answered who lies about the address."""
    need_root()
    ours, theirs = os.pipe()
    request = Request(FORGED.encode(), b"joe", b"", seconds)

    def work() -> None:
        reply = recorder.ask(request, None if client is None else client.fileno())
        os.write(theirs, reply.standing.value + reply.reason.encode())

    in_child(as_user(uid, work))
    os.close(theirs)
    with open(ours, "rb") as answer:
        text = answer.read()
    return Reply(Standing(text[:1]), text[1:].decode())


@pytest.mark.parametrize(("host", "granted"), [("127.0.0.1", "127.0.0.1"), ("::1", "::2")])
def test_a_socket_of_ipv6_has_clients_of_both_families(
    host: str, granted: str, recorder: Recorder, of_both: socket.socket
) -> None:
    """One of IPv4 is not ::ffff: to anybody, and one of IPv6 is its /64 (ops 8 and 9)."""
    with socket.create_connection((host, of_both.getsockname()[1])):
        accepted, _ = of_both.accept()
        with accepted:
            assert ask(recorder, accepted).standing is Standing.GRANTED

    assert users(recorder.store, granted, now()) == [b"joe"]


def refusal(recorder: Recorder, client: HasFileno | None, seconds: int = 900) -> str:
    """Why a user's program gets no grant."""
    reply = ask(recorder, client, seconds=seconds)
    assert reply.standing is Standing.REFUSED
    assert grants(recorder.store, FORGED) == []
    return reply.reason


def test_a_client_of_another_port_has_not_logged_in(recorder: Recorder) -> None:
    """A user may listen wherever nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_connection(own.getsockname()):
        accepted, _ = own.accept()
        with accepted:
            assert refusal(recorder, accepted) == f"port {own.getsockname()[1]} is not one of --ports"


def test_a_client_of_a_network_of_the_users_own_has_not_logged_in(recorder: Recorder) -> None:
    """There he is root, has any address, and listens on port 110."""
    python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("no Python that every user may run")
    forge = FORGE.format(address=FORGED, path=recorder.socket, packet=str(REQUEST).replace("'", '"'))
    as_root = f"ip link set lo up && ip address add {FORGED}/32 dev lo && exec {python} -ISc '{forge}'"
    done = subprocess.run(
        [theirs("unshare"), "-Urn", "sh", "-c", as_root],
        user=USER,
        group=USER,
        extra_groups=(),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.stderr.startswith(b"unshare"):
        pytest.skip("users may make no network of their own here")

    assert done.stdout == b"Nthe client's socket is of another network namespace\n", done.stderr
    assert grants(recorder.store, FORGED) == []


def test_a_client_that_is_gone_has_no_address_any_more(recorder: Recorder, clients: Clients) -> None:
    """It may be somebody else's by now, and the user may keep the socket for as long as he likes."""
    client = clients.come()
    client.theirs.close()
    until(lambda: client.ours.recv(1) == b"", "the end of the client")

    assert refusal(recorder, client.ours) == "the client is gone"


def test_other_descriptors_prove_nothing(recorder: Recorder, clients: Clients, tmp_path: Path) -> None:
    """A file, a Unix socket, one of UDP, one that listens, none."""
    reason = f"descriptor 0 is no client's socket, there is no ticket, and uid {USER} is not one of --trust"
    left, right = socket.socketpair()
    with left, right, socket.socket(type=socket.SOCK_DGRAM) as udp, (tmp_path / "file").open("wb") as file:
        udp.connect(("127.0.0.1", 110))
        assert [refusal(recorder, one) for one in (left, udp, clients.listener, file, None)] == [reason] * 5


def test_who_gets_no_grant(recorder: Recorder, clients: Clients) -> None:
    """An address of --refuse, and a life that is too long."""
    assert refusal(recorder, clients.come("127.9.1.1").ours) == "127.9.1.1 is in a network that gets no grant"
    assert refusal(recorder, clients.come().ours, 86401) == "a grant lasts from 1 to 86400 seconds"


def test_a_private_address_is_nobodys(clients: Clients) -> None:
    """Unless --private says otherwise (ops 10)."""
    with Recorder("--ports", str(clients.port)) as strict:
        assert refusal(strict, clients.come("127.0.0.1").ours) == (
            "127.0.0.1 is private, or shared by the customers of a carrier"
        )


@pytest.mark.parametrize(
    "packet",
    [b"x", b"2" + b"a\0" * 5, b"1", b"1a\0b\0c\0001\0", b"1" + b"\0" * 1100, b"1a\0b\n\0c\0001\0\0", b"1\0\0\0x\0\0"],
)
def test_junk_is_answered_as_junk(packet: bytes, recorder: Recorder) -> None:
    """And harms nobody."""
    with recorder.connect() as asked:
        asked.send(packet)
        answer = asked.recv(1024)

    assert answer[:1] == b"N"
    assert b"request" in answer or b"field" in answer


def test_many_descriptors_are_one_too_many(recorder: Recorder, clients: Clients) -> None:
    """None of them stays open."""
    before = len(os.listdir(f"/proc/{recorder.process.pid}/fd"))
    client = clients.come()
    for number in (2, 3, 100):
        with recorder.connect() as asked:
            socket.send_fds(asked, [REQUEST], [client.ours.fileno()] * number)
            assert asked.recv(1024) == b"Nmore than one descriptor"

    # It may not have closed yet, before, the connection by which it was tried.
    until(lambda: len(os.listdir(f"/proc/{recorder.process.pid}/fd")) <= before, "descriptors to be closed")
