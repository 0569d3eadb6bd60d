"""All that a worker can ever need is imported before root is given up: ``umask 077; pip install``, then -u."""

import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import nameserver, parrot, proxying
from tests.support.certificates import Authority
from tests.support.gate import controls, gate_words
from tests.support.guards import Checker
from tests.support.late_imports import loaded, noting
from tests.support.metrics import OPEN, ask, wait_for
from tests.support.nameserver import Records, healthy, lists
from tests.support.policy_server import policy_server
from tests.support.programs import need_root, ours
from tests.support.redisserver import RedisServer
from tests.support.relay import grant, made
from tests.support.sentinel import Replicated
from tests.support.server import QUIET, Server, children
from tests.support.tls import shake_hands, trusting
from tests.support.waiting import until
from ucspi_py.core.fleet.names import login_names

RECORDS: Records = {
    **healthy("zone"),
    **lists("zone", "127.0.0.3", text="listed"),
    "4.0.0.127.zone A": ["127.0.0.2"],
    "4.0.0.127.zone TXT": "truncated",
    "5.0.0.127.zone A": "garbage 127.0.0.2",
    "6.0.0.127.zone A": "servfail 127.0.0.2",
    "2.0.0.127.in-addr.arpa PTR": ["Mail.Example."],
    "mail.example A": ["127.0.0.2"],
    **{f"{n}.0.0.127.in-addr.arpa PTR": "cut x.example." for n in (3, 4)},
    ".".join(["1"] + ["0"] * 31) + ".ip6.arpa PTR": ["six.example."],
    "six.example AAAA": ["::1"],
}
RULES = b'=mail.example:allow,X="1"\njoe@127.0.0.7:deny\n:allow\n'
OPTIONS = ("-v", "-pr", "-t", "5", "-w", "1", "-B", "hello", "--rate", "100", "--reserve", "1")
ZONES = ("-v", "-b", "-d", "1", "-r", "zone")
SAID = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nQUIT\r\n"


def test_nothing_is_imported_any_more(tmp_path: Path) -> None:
    """Whatever it meets: names, ident, rules, tickets, zones over UDP and TCP, greylist, refusals, IPv6, failures."""
    need_root()
    rules = tmp_path / "rules.cdb"
    subprocess.run([ours("pytcprules"), rules, tmp_path / "tmp"], input=RULES, check=True)
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o400)
    screens = (ours("pyrblsmtpd"), *ZONES, ours("pygreylist"), "-s", str(tmp_path / "db"), "-t", "1")
    with (
        nameserver.running(RECORDS, tmp_path) as dns,
        parrot.running(b"1,2:USERID:UNIX:joe\r\n", "127.0.0.7", 113),
        serving((*OPTIONS, "-x", str(rules), "--relay-key", str(key)), screens, tmp_path, DNSCACHEIP=dns) as server,
    ):
        server.host = "127.0.0.1"
        for last in range(2, 8):
            server.talk(SAID, f"127.0.0.{last}")
        server.process.send_signal(signal.SIGUSR1)
        server.process.send_signal(signal.SIGHUP)
        server.wait_log(b"zone zone: asked")
        server.host = "::1"
        server.talk(SAID)
        log = server.wait_log(b" deny ", b"six.example")

    assert b"mail.example:127.0.0.2" in log
    assert b"553 listed" in log
    assert b"553 over TCP" in log
    assert b"451 Greylisted" in log
    assert imported(tmp_path) == []


def test_a_worker_with_proxies_imports_nothing(tmp_path: Path) -> None:
    """For clients of both families, of either version, its proxy itself, and who says no header or is no proxy."""
    tlvs = (proxying.tls(1, 0, (proxying.VERSION, b"TLSv1.3")), (proxying.UNIQUE_ID, b"1"))
    six = (("2001:db8::7", 1025), ("2001:db8::1", 25))
    said = (proxying.line(), proxying.line(*six), proxying.block(*six, tlvs), proxying.WITH_CHECKSUM, proxying.LOCAL)
    with serving((*QUIET, "-v", "-w1", "--proxy-from", "127.0.0.1"), ("true",), tmp_path) as server:
        server.host = "127.0.0.1"
        for header in (*said, b"EHLO x\r\n", proxying.line()[:9]):
            server.talk(header)
        server.talk(b"", "127.0.0.2")
        log = server.wait_log(b"no PROXY header", b"gone before the end", b"not one of --proxy-from")

    assert log.count(b" from 2001:db8::7\n") == 2
    assert imported(tmp_path) == []


def test_who_counts_and_who_tells_of_it_import_nothing(tmp_path: Path) -> None:
    """For clients and scrapers, of either format; nor does a teller that follows another one."""
    place = tmp_path / "numbers"
    options = (*QUIET, "-v", "-w1", "--metrics", f"unix:{place}", "--metrics-file", str(tmp_path / "x.prom"))
    with serving(options, ("true",), tmp_path) as server:
        server.host = "127.0.0.1"
        server.talk(SAID)
        wait_for(place, 1, "program_exits_total", status="0")
        assert ask(place, "/metrics", OPEN).status == 200
        for pid in children(server.process.pid):
            os.kill(pid, signal.SIGTERM)
        server.wait_log(b"metrics: process ")
        assert ask(place, "/readyz").status in (200, 503)

    assert imported(tmp_path) == []


@pytest.mark.parametrize("url", ["redis://{ip}:{port}/0", "redis://localhost:{port}/0", "unix://{path}?db=0"])
def test_a_worker_with_redis_imports_nothing(url: str, tmp_path: Path) -> None:
    """By its address, by a name that the system looks up, by a socket of the file system; and once it is gone."""
    path = tmp_path / "socket"
    with RedisServer(tmp_path, "--unixsocket", str(path), ip="127.0.0.1") as redis:
        store = url.format(ip=redis.ip, port=redis.port, path=path)
        with serving((*QUIET, "-w1"), (ours("pygreylist"), "-s", store, "-t", "1"), tmp_path) as server:
            server.talk(SAID)
            log = server.wait_log(b"451 Greylisted")
            redis.kill()
            server.talk(SAID)
            server.wait_log(b"everybody is let in")

    assert b"warning" not in log
    assert imported(tmp_path) == []


def test_a_worker_with_a_fleet_imports_nothing(tmp_path: Path) -> None:
    """For clients that are in, that are too many and that leave; and once the store is gone."""
    options = (*QUIET, "-v", "-w1", "-C9", "--rate=2/60")
    with (
        RedisServer(tmp_path) as redis,
        serving((*options, "--fleet", redis.url), (), tmp_path) as server,
    ):
        server.host = "127.0.0.1"
        server.talk(SAID)
        until(lambda: redis.ask("DBSIZE") == b":1", "the store to have heard that it has left")
        redis.kill()
        server.talk(SAID, "127.0.0.3")
        server.wait_log(b"the limits of this host hold alone")

    assert imported(tmp_path) == []


def test_a_worker_whose_store_is_behind_sentinels_imports_nothing(tmp_path: Path) -> None:
    """For clients that come before and after another server has taken over, and once no Sentinel is left."""
    with Replicated(tmp_path) as store:
        options = (*QUIET, "-v", "-w1", "-C9", "--fleet", store.url)
        screens = (ours("pygreylist"), "-s", store.url, "-t", "1")
        with serving(options, screens, tmp_path) as server:
            server.host = "127.0.0.1"
            server.talk(SAID)
            server.wait_log(b"451 Greylisted")
            store.primary.kill()
            server.talk(SAID, "127.0.1.1")
            server.wait_log(b"hold alone", b"everybody is let in")
            store.wait_for_failover()
            until(lambda: b"Greylisted" in server.talk(SAID, "127.0.2.1"), "the new server to be asked")
            for one in store.sentinels:
                one.kill()
            store.replica.kill()
            server.talk(SAID, "127.0.3.1")

    assert imported(tmp_path) == []


def test_a_worker_with_tls_imports_nothing(tmp_path: Path) -> None:
    """For clients that it serves, that a screen refuses, and that speak none; nor for new keys."""
    authority = Authority(tmp_path)
    pair = authority.pair("mx.example")
    numbers = ("--metrics", f"unix:{tmp_path / 'numbers'}")
    options = (*QUIET, "-v", "-w1", *numbers, "--tls", f"{pair.certificate}:{pair.key}")
    (tmp_path / "rules").write_bytes(b'127.0.0.2:allow,RBLSMTPD="-no"\n:allow,RBLSMTPD=""\n')
    with (tmp_path / "rules").open() as source:
        subprocess.run([ours("pytcprules"), tmp_path / "cdb", tmp_path / "tmp"], stdin=source, check=True)
    with serving((*options, "-x", str(tmp_path / "cdb")), (ours("pyrblsmtpd"), "-rzone"), tmp_path) as server:
        server.host = "127.0.0.1"
        server.process.send_signal(signal.SIGHUP)
        for source_ip in ("127.0.0.1", "127.0.0.2"):
            with shake_hands(trusting(authority.ca_file), server.connect(source_ip)) as secured:
                secured.sendall(b"QUIT\r\n")
                while secured.recv(100):
                    pass
        server.talk(SAID)
        server.wait_log(b"wrong version number")
    assert imported(tmp_path) == []


def test_a_worker_whose_gate_has_tls_imports_nothing(tmp_path: Path) -> None:
    """For who begins it, who does not, and who says what is no handshake."""
    authority = Authority(tmp_path)
    pair = authority.pair("mx.example")
    parameters = (
        "smtpd_tls_security_level=may",
        f"smtpd_tls_cert_file={pair.certificate}",
        f"smtpd_tls_key_file={pair.key}",
    )
    options = (*QUIET, "-w1", "--metrics", f"unix:{tmp_path / 'numbers'}")
    with serving(options, gate_words(controls(tmp_path / "control"), parameters), tmp_path) as server:
        server.host = "127.0.0.1"
        for is_handshake in (True, False):
            with server.connect() as plain:
                plain.recv(100)
                plain.sendall(b"STARTTLS\r\n")
                assert plain.recv(100)[:4] == b"220 "
                if is_handshake:
                    with shake_hands(trusting(authority.ca_file), plain) as secured:
                        secured.sendall(b"QUIT\r\n")
                        assert secured.recv(100)[:4] == b"221 "
                else:
                    plain.sendall(b"HELO x\r\n")
                    while plain.recv(100):
                        pass
        server.talk(SAID)
        server.wait_log(b"SSL_accept error")
    assert imported(tmp_path) == []


def test_a_worker_whose_gate_asks_policy_services_imports_nothing(tmp_path: Path) -> None:
    """By address, by name, at a socket of the file system; of those that answer, and of one that does not."""
    with policy_server() as inet, policy_server(tmp_path / "socket") as unix:
        services = (inet.service, unix.service, f"inet:localhost:{inet.port}", "inet:policy.example:1", "unix:/no/file")
        asked = ", ".join(f"check_policy_service {{ {service}, try_limit=1 }}" for service in services)
        parameters = (
            f"smtpd_recipient_restrictions=reject_unauth_destination, {asked}",
            "smtpd_relay_restrictions=",
            "mydestination=d.example",
            "myhostname=mx.d.example",
            "local_recipient_maps=",
        )
        gate = gate_words(controls(tmp_path / "control"), parameters)
        with serving((*QUIET, "-w1"), gate, tmp_path, DNSCACHEIP="127.0.0.1") as server:
            server.host = "127.0.0.1"
            unix.say(b"PREPEND X: y")
            server.talk(SAID)
            server.wait_log(b"policy.example has no address", b"file does not exist")

    assert (len(inet.requests), len(unix.requests)) == (2, 1)
    assert imported(tmp_path) == []


def gate_with_logins(checker: Checker, folder: Path) -> tuple[str, ...]:
    """Words of a gate at which who logs in is checked so."""
    parameters = (
        "smtpd_sasl_auth_enable=yes",
        "smtpd_tls_auth_only=no",
        "smtpd_sasl_type=checkpassword",
        f"smtpd_sasl_path={' '.join(checker.argv)}",
    )
    return gate_words(controls(folder / "control"), parameters)


def test_a_worker_with_a_guard_imports_nothing(tmp_path: Path) -> None:
    """For a login that is right, for one of which nobody can tell, and once the guard is gone."""
    checker = Checker(tmp_path)
    gate = gate_with_logins(checker, tmp_path)
    with serving((*QUIET, "-w1"), gate, tmp_path) as server:
        server.host = "127.0.0.1"
        for login in (b"\0bob\0right", b"\0exit111\0x"):
            server.talk(b"EHLO x\r\nAUTH PLAIN %s\r\nQUIT\r\n" % b64encode(login))
        server.wait_log(b"user exit111", b"sasl_username=bob")
        os.kill(min(children(server.process.pid)), signal.SIGKILL)
        server.wait_log(b"ended with status 9")
        server.talk(SAID)
    assert imported(tmp_path) == []


def test_a_worker_whose_logins_count_at_a_fleet_imports_nothing(tmp_path: Path) -> None:
    """For those that are right, wrong and too many; and once the store is gone."""
    checker = Checker(tmp_path)
    gate = gate_with_logins(checker, tmp_path)
    names = login_names(b"127.0.0.1", b"bob")
    assert names
    with RedisServer(tmp_path) as redis, serving((*QUIET, "-w1", "--fleet", redis.url), gate, tmp_path) as server:
        server.host = "127.0.0.1"
        until(lambda: _logs_in(server) and redis.ask(f"GET {names.known}") == b"1", "the store to know of a login")
        for login in (b"\0eve\0x", b"\0exit111\0x"):
            with server.connect() as client:
                client.sendall(b"AUTH PLAIN %s\r\n" % b64encode(login))
                server.wait_log(b"sasl_username=" + login.split(b"\0")[1])
        redis.kill()
        until(lambda: _logs_in(server) and b"the limits of this host hold alone" in server.log(), "it to be missed")
    assert imported(tmp_path) == []


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_worker_with_a_ledger_imports_nothing(kind: str, tmp_path: Path) -> None:
    """By a grant, without one, and once it is gone."""
    with RedisServer(tmp_path) as redis:
        store = made(tmp_path / "relay.db") if kind == "sqlite" else redis.url
        grant(store, "127.0.0.2")
        with serving((*QUIET, "-w1"), (ours("pyrelay"), "check", "-s", store), tmp_path) as server:
            server.host = "127.0.0.1"
            for source in ("127.0.0.2", "127.0.0.3"):
                server.talk(SAID, source)
            log = server.wait_log(b"granted to joe")
            redis.kill()
            (tmp_path / "relay.db").unlink(missing_ok=True)
            server.talk(SAID)
            server.wait_log(b"no grant counts")

    assert b"warning" not in log
    assert imported(tmp_path) == []


def _logs_in(server: Server) -> bool:
    """Whether a right password is taken."""
    return b"\r\n235 " in server.talk(b"EHLO x\r\nAUTH PLAIN %s\r\nQUIT\r\n" % b64encode(b"\0bob\0right"))


@contextmanager
def serving(options: Sequence[str], screens: Sequence[str], folder: Path, **variables: str) -> Iterator[Server]:
    """A server whose workers' imports are noted."""
    before = noting("tcpserver", folder / "notes")
    env = {"PATH": os.environ["PATH"], **variables}
    with Server("pytcpserver", options, (*screens, "true"), folder, host="::", env=env, before=before) as server:
        yield server


def imported(folder: Path) -> list[str]:
    """The modules that were loaded late."""
    return loaded(folder / "notes")[1]
