"""A new program under the same process id (SIGUSR2): nobody is lost, and who cannot be followed stays."""

import os
import re
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.gate import controls, gate_words
from tests.support.passing import Holder
from tests.support.programs import need_root, ours
from tests.support.server import QUIET, Server, children, talk
from tests.support.tls import shake_hands, trusting
from tests.support.visitors import Visitors
from tests.support.waiting import until

SERVER = ours("pytcpserver")
ECHO = ("echo", "served")
TAKES_OVER = b"tcpserver: restart: the new program takes over\n"


def restart(server: Server) -> None:
    """Have a server followed, until the old workers have gone."""
    before = until(lambda: set(children(server.process.pid)), "workers")
    server.process.send_signal(signal.SIGUSR2)
    until(lambda: not before & set(children(server.process.pid)), f"the old workers' end: {server.log()!r}")


def _started(pid: int) -> bytes:
    """The words with which a process was started, as the kernel has them."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_nobody_is_lost_while_the_program_changes(tmp_path: Path) -> None:
    """The process id stays, and so does the port."""
    with Server(SERVER, (*QUIET, "-w2"), ECHO, tmp_path) as server, Visitors(server.port, b"served\n") as visitors:
        first = _started(server.process.pid)
        for _ in range(2):
            visitors.wait(20)
            restart(server)
            visitors.wait(20)
        assert visitors.lost == []
        assert server.log() == 2 * TAKES_OVER
        assert _started(server.process.pid).split(b"\0")[6:] == first.split(b"\0")[6:]
        assert server.stop() == 0


def test_programs_go_on_and_are_counted_still(tmp_path: Path) -> None:
    """Their ends are in the log, and their slots are taken until then."""
    with Server(SERVER, (*QUIET, "-v", "-w1", "-c1"), ("cat",), tmp_path) as server, server.connect() as first:
        server.wait_log(b"tcpserver: ok ")
        pid = int(re.findall(rb"ok (\d+) ", server.log())[0])
        restart(server)
        with server.connect() as second:
            second.sendall(b"second")
            assert talk(first, b"first") == b"first"
            server.wait_log(b"tcpserver: end %d status 0\n" % pid)
            assert second.recv(100) == b"second"


def test_what_comes_from_the_old_start_stays(tmp_path: Path) -> None:
    """Environment, ignored signals and limits are the programs' as before."""
    shown = "ulimit -S -v; ulimit -S -n; grep -E 'Sig(Blk|Ign)' /proc/self/status; env; ls /proc/self/fd"
    before = ("sh", "-c", 'trap "" HUP; ulimit -S -v 900000; ulimit -S -n 300; exec "$@"', "sh")
    env = {"PATH": os.environ["PATH"], "A": "b\xff"}
    with Server(SERVER, (*QUIET, "-w1"), ("sh", "-c", shown), tmp_path, before=before, env=env) as server:
        first = server.talk()
        restart(server)
        second = server.talk()
    remote = re.compile(rb"(TCPREMOTEPORT)=\d+")
    assert b"900000\n300\n" in first
    assert remote.sub(rb"\1", second) == remote.sub(rb"\1", first)


def test_a_program_that_would_not_start_does_not_follow(tmp_path: Path) -> None:
    """The log says why, the old one serves on, and once the trouble is mended it is followed."""
    rules = tmp_path / "cdb"
    with Server(SERVER, (*QUIET, "-X", "-x", str(rules), "-w1"), ECHO, tmp_path) as server:
        rules.write_bytes(b"damaged")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_log(
            b"corrupt rules file", b"not restarted: the new program does not start, its trial ended with status 28416\n"
        )
        rules.unlink()
        assert server.talk() == b"served\n"
        assert TAKES_OVER not in server.log()
        restart(server)
        assert server.talk() == b"served\n"


def test_a_program_that_could_not_do_its_work_does_not_follow(tmp_path: Path) -> None:
    """What --check finds is in the log, if it is not well; an error keeps the old one."""
    folder = tmp_path / "records"
    folder.mkdir()
    words = (ours("pygreylist"), "-d1", "-s", str(folder / "db"), *ECHO)
    with Server(SERVER, (*QUIET, "-w1"), words, tmp_path) as server:
        folder.rename(tmp_path / "elsewhere")
        server.process.send_signal(signal.SIGUSR2)
        found = b"tcpserver: restart: greylist: error: nobody waits while %b cannot be written: " % os.fsencode(folder)
        server.wait_log(found, b"not restarted: the new program does not start, its trial ended with status 28416\n")
        (tmp_path / "elsewhere").rename(folder)
        restart(server)
        server.wait_log(TAKES_OVER)


def test_servers_that_are_away_keep_no_program_from_following(tmp_path: Path) -> None:
    """Name servers, zones and stores that are asked over a network: the old program has no others."""
    screens = (ours("pyrblsmtpd"), "-r", "bl.example", ours("pygreylist"), "-s", "redis://127.0.0.1:1/0")
    env = {"PATH": os.environ["PATH"], "DNSCACHEIP": "127.0.0.1@9"}
    with Server(SERVER, (*QUIET, "-w1"), (*screens, *ECHO), tmp_path, env=env) as server:
        restart(server)
        server.wait_log(TAKES_OVER)


def test_the_new_program_is_the_one_that_is_installed_now(tmp_path: Path) -> None:
    """The path with which the server was started may lead elsewhere by now."""
    link = tmp_path / "pytcpserver"
    link.symlink_to(SERVER)
    with Server(str(link), (*QUIET, "-w1"), ("sh", "-c", "echo $VERSION"), tmp_path) as server:
        assert server.talk() == b"\n"
        link.unlink()
        link.write_text(f'#!/bin/sh\nVERSION=new exec {SERVER} "$@"\n')
        link.chmod(0o755)
        restart(server)
        assert server.talk() == b"new\n"


def test_the_user_stays_who_has_no_root_any_more(tmp_path: Path) -> None:
    """-u is done already, and the port below 1024 goes along."""
    need_root()
    with Server(SERVER, (*QUIET, "-w1", "-u", "65534", "-g", "65534"), ("id",), tmp_path) as server:
        first = server.talk()
        assert b"uid=65534" in first
        restart(server)
        assert server.talk() == first
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == 65534


def test_what_only_root_can_read_goes_along(tmp_path: Path) -> None:
    """The key of TLS by the guard, which stays, and the key of tickets; the trial can look at none of the files."""
    need_root()
    authority = Authority(tmp_path)
    pair = authority.pair("mx.example")
    hidden = os.fsencode(pair.certificate)  # in a folder of pytest's, which is root's
    key = tmp_path / "key"
    key.write_bytes(b"x" * 32)
    key.chmod(0o600)
    options = (*QUIET, "-w1", "-u", "65534", "-g", "65534", f"--tls={pair.certificate}:{pair.key}")
    with Server(SERVER, (*options, "--relay-key", str(key)), ("env",), tmp_path) as server:
        until(lambda: len(children(server.process.pid)) == 2, "guard and worker")
        guard, worker = sorted(children(server.process.pid))
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: worker not in children(server.process.pid), "the old worker's end")
        with shake_hands(trusting(authority.ca_file), server.connect(), "mx.example") as client:
            assert b"RELAYTICKET=" in b"".join(iter(lambda: client.recv(65536), b""))
        untold = b"tcpserver: restart: tls: warning: only root can tell whether %b can be used\n" % hidden
        kept = b"tcpserver: restart: guard %d goes on as it was started, for want of root\n" % guard
        assert server.log() == untold + TAKES_OVER + kept
        assert guard in children(server.process.pid)


def test_a_gate_follows_whose_keys_and_checker_of_passwords_only_root_can_use() -> None:
    """The guard has both; the trial says of which it can tell nothing."""
    need_root()
    with tempfile.TemporaryDirectory() as name:  # in none of pytest's, which nobody but root may enter
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "secret").mkdir(0o700)
        pair = Authority(folder / "secret").pair("mx.example.org")
        checker = folder / "secret" / "checkpassword"
        checker.write_text("#!/bin/sh\nexit 1\n")
        checker.chmod(0o700)
        tls = (f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}")
        logins = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=checkpassword", f"smtpd_sasl_path={checker} /bin/true")
        parameters = ("smtpd_tls_security_level=may", "smtpd_tls_auth_only=yes", *tls, *logins)
        gate = gate_words(controls(folder / "control"), parameters)
        with Server(SERVER, (*QUIET, "-w1", "-u65534", "-g65534"), (*gate, "true"), folder) as server:
            server.process.send_signal(signal.SIGUSR2)
            log = server.wait_log(TAKES_OVER, b"for want of root\n")
        assert re.findall(rb"restart: (\w+): (\w+): only root can tell", log) == [
            (b"tls", b"warning"),
            (b"guard", b"warning"),
        ]


def test_a_guard_that_would_have_to_do_something_else_keeps_the_old_program() -> None:
    """Nobody could start another one; here the new version wants other keys."""
    need_root()
    with tempfile.TemporaryDirectory() as name:  # in none of pytest's, which nobody but root may enter
        _refuse_other_keys(Path(name))


def _refuse_other_keys(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    authority = Authority(tmp_path)
    first, second = authority.pair("mx.example"), authority.pair("a.example")
    link = tmp_path / "pytcpserver"
    link.symlink_to(SERVER)
    options = (*QUIET, "-w1", "-u", "65534", "-g", "65534", f"--tls={first.certificate}:{first.key}")
    with Server(str(link), options, ("env",), tmp_path) as server:
        link.unlink()
        link.write_text(f'#!/bin/sh\nexec {SERVER} --tls={second.certificate}:{second.key} "$@"\n')
        link.chmod(0o755)
        server.process.send_signal(signal.SIGUSR2)
        server.wait_log(b"what the guard does is not what it was started for", b"not restarted: ")
        with shake_hands(trusting(authority.ca_file), server.connect(), "mx.example") as client:
            assert client.recv(65536)


def test_a_socket_that_was_passed_goes_along(tmp_path: Path) -> None:
    """Whoever holds it need not pass it again."""
    with Holder(tmp_path) as holder:
        process = holder.start([SERVER, *QUIET, "-w1", "-", "-", "sh", "-c", "env | grep -c -E 'LISTEN|HANDOVER'"])
        assert holder.talk() == b"0\n"
        before = set(children(process.pid))
        process.send_signal(signal.SIGUSR2)
        until(lambda: not before & set(children(process.pid)), f"the old workers' end: {holder.log()!r}")
        assert holder.talk() == b"0\n"
        assert holder.stop(process) == 0


def test_a_handover_to_somebody_else_is_none(tmp_path: Path) -> None:
    """A child of a server has its environment, and starts as ever."""
    env = {**os.environ, "UCSPI_PY_HANDOVER": "0"}
    with Server(SERVER, (*QUIET, "-w1"), ECHO, tmp_path, env=env) as server:
        assert server.talk() == b"served\n"


def test_signals_that_come_meanwhile_are_not_lost(tmp_path: Path) -> None:
    """HUP, TERM and another USR2 end nobody who is just becoming another program."""
    with Server(SERVER, (*QUIET, "-w1"), ECHO, tmp_path) as server:
        server.process.send_signal(signal.SIGUSR2)
        server.wait_log(TAKES_OVER)
        server.process.send_signal(signal.SIGHUP)
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: server.log().count(TAKES_OVER) == 2, "another program")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=30)
