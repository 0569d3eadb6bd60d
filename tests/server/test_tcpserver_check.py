"""pytcpserver --check says what keeps a service from starting and from its work."""

import datetime
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import nameserver
from tests.support.certificates import Authority
from tests.support.late_imports import loaded, noting
from tests.support.milter import scripted_milter
from tests.support.nameserver import healthy
from tests.support.ports import free_port
from tests.support.programs import need_root, ours
from tests.support.redisserver import RedisServer
from tests.support.rules_tools import compiled_by_ours
from tests.support.server import QUIET, Server
from tests.support.waiting import PATIENCE, until
from tests.support.warm import Warm, standing

PROGRAMS = Warm("pytcpserver", modules=("ucspi_py.cli.check.service", "ucspi_py.system.service.start"))
_stands = standing(PROGRAMS)

NOBODY = ("-u", "nobody", "-g", "nogroup")


#: Something of all that lists and checks may have.
MAIN_CF = """
myhostname = mx.example
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = check_client_access pcre:$config_directory/table, reject_rbl_client zone.example,
    check_helo_access cidr:$config_directory/table, check_sender_access texthash:$config_directory/table,
    check_policy_service unix:$config_directory/policy, check_greylist {FOLDER}/greylist.db
header_checks = regexp:$config_directory/table
smtpd_milters = unix:{FOLDER}/none, inet:localhost:1, inet:milter.example:1
"""


class Checked(NamedTuple):
    """What was said, and the exit code."""

    lines: list[str]
    code: int

    def about(self, what: str) -> list[str]:
        """What was said of one thing."""
        return [line.removeprefix(f"{what}: ") for line in self.lines if line.startswith(f"{what}: ")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # noqa: S103  # the user of the service is another one
        yield Path(name)


def check(*options: str, program: Sequence[str] = ("true",), port: int | str = 0, **env: str) -> Checked:
    """Check a service that asks no name server but for its zones."""
    words = ("--check", *QUIET, *options, "127.0.0.1", str(port), *program)
    done = PROGRAMS.run("pytcpserver", *words, env={**os.environ, **env})
    assert done.returncode in (0, 111), done.stderr
    return Checked(done.stdout.decode().splitlines(), done.returncode)


def _checked(command: Sequence[str], stdin: socket.socket) -> Checked:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=stdin.fileno(), timeout=PATIENCE)
    return Checked(done.stdout.splitlines(), done.returncode)


def compiled(folder: Path, source: str) -> str:
    """Rules, compiled beside their source."""
    (folder / "tcp.smtp").write_text(source)
    return str(compiled_by_ours(source.encode(), folder / "tcp.smtp.cdb"))


def test_a_service_that_can_start_is_told_line_by_line(folder: Path) -> None:
    """In the order of a start, and nothing is begun."""
    rules, port = compiled(folder, "127.:allow\n:deny\n"), free_port()

    checked = check("-x", rules, port=port, program=(sys.executable,))

    assert checked.code == 0
    assert checked.lines[0] == f"port: 127.0.0.1 port {port} is free"
    assert checked.about("rules") == [f"{rules} has 2 rules, and none that cannot bite"]
    assert checked.about("program") == [sys.executable]


def test_a_pytcpserver_that_holds_the_port_is_only_told(folder: Path) -> None:
    """The one that is to be replaced: who checks before a restart is not to be stopped by it."""
    with Server(ours("pytcpserver"), QUIET, ("true",), folder) as server:
        checked = check(port=server.port)
        named = f"pytcpserver, process {server.process.pid} of user "

    assert checked.code == 0
    (line,) = checked.about("port")
    assert line.startswith(f"warning: 127.0.0.1 port {server.port} is held by {named}")


def test_another_program_that_holds_the_port_is_named() -> None:
    """With its process id."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        checked = check(port=port)

    assert checked.code == 111
    (line,) = checked.about("port")
    assert line.startswith(f"error: 127.0.0.1 port {port} is held by ")
    assert f", process {os.getpid()} of user " in line


def test_a_port_that_is_asked_for_twice_is_an_error() -> None:
    """One would keep the other from listening."""
    port = free_port()

    checked = check("--also", f"127.0.0.1:{port}", port=port)

    assert checked.code == 111
    taken = f"error: 127.0.0.1 port {port} is asked for twice"
    assert checked.about("port") == [f"127.0.0.1 port {port} is free", taken]


def test_a_socket_that_is_passed_is_looked_at() -> None:
    """And goes on listening, with the same backlog; where none was passed, that is all that can be told."""
    with socket.create_server(("127.0.0.1", 0), backlog=7) as sock:
        words = ("--check", *QUIET, "-b", "3", "--listen-fd", str(sock.fileno()), "-", "-", "true")
        done = subprocess.run(
            [ours("pytcpserver"), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            pass_fds=[sock.fileno()],
        )
        queue = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        socket.create_connection(sock.getsockname()).close()

    assert done.stdout.startswith("port: listening sockets that are passed: 1\n")
    assert done.returncode == 0
    assert struct.unpack("=28xL", queue[:32]) == (7,)
    (line,) = check(port="-").about("port")
    assert line == "warning: 127.0.0.1 - is for a socket that a supervisor passes: this check was passed none"


def test_a_holder_that_we_may_not_look_into_is_told_by_its_user(folder: Path) -> None:
    """Only root can tell which process it is."""
    need_root()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        command = [ours("pytcpserver"), "--check", *QUIET, "127.0.0.1", str(sock.getsockname()[1]), "true"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, user="nobody", cwd=folder
        )

    assert "is held by a process of user root, root can tell which" in done.stdout
    assert done.returncode == 111


def test_a_port_that_only_root_may_have_is_an_error(folder: Path) -> None:
    """For anybody else."""
    need_root()
    command = [ours("pytcpserver"), "--check", *QUIET, "127.0.0.1", "24", "true"]
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    before = start.read_text()
    if int(before) <= 24:
        pytest.skip("here anybody may have it")
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False, user="nobody", cwd=folder
    )

    assert done.stdout.startswith("port: error: 127.0.0.1 port 24: unable to bind: access denied")


def test_what_the_user_of_the_service_cannot_have_is_an_error(folder: Path) -> None:
    """Rules, program and store are looked at as -u, although root could have them all."""
    need_root()
    rules = compiled(folder, ":allow\n")
    os.chmod(rules, 0o600)
    (folder / "program").write_text("#!/bin/sh\n")
    (folder / "program").chmod(0o700)
    greylist = (ours("pygreylist"), "-s", str(folder / "greylist.db"))

    checked = check("-x", rules, *NOBODY, program=(*greylist, str(folder / "program")))

    assert checked.code == 111
    assert checked.about("user") == ["what follows is looked at as user nobody, group nogroup"]
    assert checked.about("rules") == [f"error: unable to read {rules}: access denied"]
    assert checked.about("program") == [f"error: unable to find {folder}/program: access denied"]
    store = f"error: nobody waits while {folder} cannot be written: access denied"
    assert checked.about("greylist") == [store]
    assert not (folder / "greylist.db").exists()


def test_files_of_sqlite_that_somebody_else_has_made_are_an_error(folder: Path) -> None:
    """As root does that looks into a store by hand: who cannot write them cannot write the store."""
    need_root()
    folder.chmod(0o777)
    (folder / "db").touch()
    (folder / "db").chmod(0o666)
    (folder / "db-shm").touch()
    (folder / "db-shm").chmod(0o600)

    checked = check(*NOBODY, program=(ours("pygreylist"), "-s", str(folder / "db"), "true"))

    assert checked.code == 111
    assert checked.about("greylist") == [f"error: nobody waits while {folder}/db-shm cannot be written: access denied"]


def test_a_store_on_a_server_is_asked(folder: Path) -> None:
    """And told without its password."""
    port = free_port()
    with RedisServer(folder) as redis:
        well = check(program=(ours("pygreylist"), "-s", redis.url, "true"))
    gone = check(program=(ours("pyrelay"), "check", "-s", f"redis://:secret@127.0.0.1:{port}/0", "true"))

    assert well.about("greylist") == [f"{redis.url} can be used"]
    assert gone.code == 111
    (line,) = gone.about("relay")
    assert line.startswith(f"error: unable to read redis://127.0.0.1:{port}/0: ")


def test_the_store_of_a_fleet_is_asked(folder: Path) -> None:
    """Whether it can be written, for a replica is of no use; nothing is changed there, and no password is told."""
    port = free_port()
    with RedisServer(folder) as redis:
        well = check("--fleet", redis.url)
        until(lambda: redis.ask("DBSIZE") == b":0", "what was tried to be gone")
        redis.ask(f"REPLICAOF 127.0.0.1 {port}")
        replica = check("--fleet", redis.url.replace("//", "//:s3cret@"))

    assert well.about("fleet") == [f"{redis.url} can be used"]
    assert replica.code == 111
    (line,) = replica.about("fleet")
    assert line.startswith(f"error: unable to use {redis.url}: ")


def test_places_of_numbers_are_looked_at(folder: Path) -> None:
    """A port and a socket where nobody else is, and a file that the user of the service can write."""
    need_root()
    free, path, port = folder / "numbers", folder / "socket", free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        other = taken.getsockname()[1]
        said = [check("--metrics", place) for place in (f"127.0.0.1:{port}", f"127.0.0.1:{other}", f"unix:{path}")]
    file = check(*NOBODY, "--metrics-file", str(free), "--metrics", f"unix:{free}")
    nowhere = check("--metrics", f"unix:{folder}/none/socket")

    assert [checked.code for checked in said] == [0, 111, 0]
    assert said[0].about("metrics") == [f"127.0.0.1 port {port} is free"]
    assert said[1].about("metrics")[0].startswith(f"error: 127.0.0.1 port {other} is held by ")
    assert said[2].about("metrics") == [f"warning: a server listens at {path}, in whose place this one may come"]
    assert file.about("metrics") == [f"{free} is free", f"error: {free} cannot be written: access denied"]
    assert nowhere.about("metrics") == [f"error: nobody can listen at {folder}/none/socket: file does not exist"]
    assert not free.exists()


def test_the_socket_of_pyucspitop_is_looked_at(folder: Path) -> None:
    """As a start makes it: it comes in the place of a dead one, and of nothing else."""
    dead, file, live = folder / "dead", folder / "file", folder / "live"
    file.touch()
    with socket.socket(socket.AF_UNIX) as left, socket.socket(socket.AF_UNIX) as server:
        left.bind(str(dead))
        left.close()
        server.bind(str(live))
        server.listen()
        free, other, running, nowhere = (check("--top", str(path)) for path in (dead, file, live, folder / "none/top"))

    assert free.about("top") == [f"{dead} is free"]
    assert other.about("top") == [f"error: nobody can listen at {file}: something else is there"]
    assert running.about("top") == [f"warning: a server listens at {live}, in whose place this one may come"]
    assert nowhere.about("top") == [f"error: nobody can listen at {folder}/none/top: file does not exist"]
    assert [checked.code for checked in (free, other, running, nowhere)] == [0, 111, 0, 111]
    assert dead.exists()


def test_who_is_not_root_cannot_tell_where_root_can_listen(folder: Path) -> None:
    """The service that is looked at is started by root, and gives it up."""
    need_root()
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ours("pytcpserver"), "--check", *QUIET]
    words = [*command, *NOBODY, "--top", f"{folder}/top", "127.0.0.1", "0", "true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert f"top: warning: only root can tell whether anybody can listen at {folder}/top" in done.stdout.splitlines()
    assert done.returncode == 0


def test_descriptors_of_a_supervisor_are_looked_at() -> None:
    """One that hears of readiness may be missing, as by hand nobody gives it; one to listen on may not."""
    asked = [ours("pytcpserver"), "--check", *QUIET, "--ready-fd", "7", "--listen-fd", "8", "-", "-", "true"]
    with socket.create_server(("127.0.0.1", 0)) as sock:
        ways = (":", "exec 7>&1 8<&0", "exec 7</dev/null")
        said = [_checked(["sh", "-c", f'{each}; exec "$@"', "sh", *asked], sock) for each in ways]

    given = "descriptor 7 is for a supervisor, and a start needs it: this check was given none"
    assert said[0].about("ready") == [f"warning: {given}"]
    assert said[0].about("port") == ["error: unable to listen on descriptor 8: file descriptor not open"]
    assert said[1].about("ready") == ["descriptor 7 hears when workers serve"]
    assert said[1].about("port") == ["listening sockets that are passed: 1"]
    assert said[2].about("ready") == ["warning: descriptor 7 cannot be written, so nobody hears when workers serve"]
    assert [checked.code for checked in said] == [111, 0, 111]


def test_a_backlog_that_the_kernel_cuts_is_told() -> None:
    """It does so without a word."""
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())

    (_, cut) = check("-b", str(most + 1)).about("port")

    assert cut == f"warning: net.core.somaxconn lets {most} clients queue, not {most + 1} as -b has it"
    assert len(check("-b", str(most)).about("port")) == 1


def test_a_user_that_we_cannot_become_is_an_error(folder: Path) -> None:
    """And the rest is not looked at as somebody else."""
    need_root()
    command = [ours("pytcpserver"), "--check", *QUIET, "-u", "1", "-g", "1", "127.0.0.1", "0", "none-such"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False, user="nobody", cwd=folder
    )

    assert "user: error: unable to set gid: permission denied" in done.stdout.replace("not permitted", "denied")
    assert "none-such" not in done.stdout
    assert done.returncode == 111


def test_whoever_is_the_user_already_need_not_become_it(folder: Path) -> None:
    """As a new program is that takes over from an old one."""
    need_root()
    command = [ours("pytcpserver"), "--check", *QUIET, *NOBODY, "127.0.0.1", "0", "true"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        user="nobody",
        group="nogroup",
        extra_groups=["nogroup"],
        cwd=folder,
    )

    assert "user: what follows is looked at as user nobody, group nogroup" in done.stdout
    assert done.returncode == 0


def test_rules_that_cannot_bite_are_named_with_their_line(folder: Path) -> None:
    """As the linter says it, of what was compiled."""
    checked = check("-x", compiled(folder, "10.0:deny\n:allow\n"))

    assert checked.code == 0
    assert checked.about("rules") == ["warning: 10.0:deny: 10.0 has no dot at its end, so it never matches"]


def test_a_rule_that_decides_before_another_is_named(folder: Path) -> None:
    """By itself: its line in what was compiled is not that of the source."""
    (earlier,) = check("-x", compiled(folder, "10.0.0.0/23:deny\n1.2.3.4:deny\n1.2.3.4:allow\n")).about("rules")

    assert earlier == "warning: 1.2.3.4:allow: 1.2.3.4:deny decides about 1.2.3.4 already, so this line never does"


def test_many_flaws_of_rules_are_counted(folder: Path) -> None:
    """After ten."""
    checked = check("-x", compiled(folder, "".join(f"10.{n}:deny\n" for n in range(15))))

    assert len(checked.about("rules")) == 11
    assert checked.about("rules")[-1] == "warning: and 5 more, which pyrules lint names"


def test_source_that_was_not_compiled_is_told(folder: Path) -> None:
    """It is newer than the rules."""
    rules = compiled(folder, ":allow\n")
    end = os.stat(rules).st_mtime + 60
    os.utime(folder / "tcp.smtp", (end, end))

    (first, _) = check("-x", rules).about("rules")

    assert first == f"warning: {folder}/tcp.smtp is newer than {rules}: pytcprules has not compiled it"


def test_damaged_rules_are_an_error(folder: Path) -> None:
    """No client would be let in."""
    (folder / "cdb").write_bytes(b"cut")

    checked = check("-x", str(folder / "cdb"))

    assert checked.code == 111
    assert checked.about("rules") == [f"error: unable to read {folder}/cdb: corrupt rules file, file is too short"]


def test_missing_rules_are_fine_where_they_may_be_missing(folder: Path) -> None:
    """-X says so."""
    assert check("-x", str(folder / "none")).code == 111
    checked = check("-X", "-x", str(folder / "none"))

    assert checked.code == 0
    assert checked.about("rules") == [f"{folder}/none does not exist, so everybody is let in (-X)"]


def test_a_zone_that_does_not_answer_is_told(folder: Path) -> None:
    """The others are asked, so that it keeps nothing from starting."""
    records = {**healthy("good.example"), "*.bad.example A": "servfail 127.0.0.2"}
    screen = (ours("pyrblsmtpd"), "-r", "good.example", "-r", "bad.example", "true")
    with nameserver.running(records, folder) as address:
        checked = check(program=screen, DNSCACHEIP=address)

    assert checked.code == 0
    good, bad = checked.about("zone")
    assert good == "good.example is well"
    assert bad.startswith("warning: bad.example: it cannot be asked: ")


def test_no_zone_that_answers_is_an_error(folder: Path) -> None:
    """Nobody would be screened."""
    records = {"*.bad.example A": "servfail 127.0.0.2"}
    with nameserver.running(records, folder) as address:
        checked = check(program=(ours("pyrblsmtpd"), "-r", "bad.example", "true"), DNSCACHEIP=address)

    assert checked.code == 111


def test_a_certificate_is_told_with_its_days(folder: Path) -> None:
    """A few are a warning, none left is an error."""
    authority, now = Authority(folder), datetime.datetime.now(datetime.UTC)
    said = []
    for days in (100, 3, -1):
        end = now + datetime.timedelta(days=days, hours=1)
        pair = authority.pair("mx.example", file=str(days), not_after=end)
        checked = check("--tls", f"{pair.certificate}:{pair.key}")
        said.append((*checked.about("tls"), checked.code))

    assert said == [
        (f"{folder}/100.crt is valid for 100 days", 0),
        (f"warning: {folder}/3.crt is valid for 3 days only", 0),
        (f"error: {folder}/-1.crt is no longer valid", 111),
    ]


def test_keys_that_only_root_may_read_are_told_by_root_alone(folder: Path) -> None:
    """The user of -u cannot tell, and a start by root needs no more than root."""
    need_root()
    pair = Authority(folder).pair("mx.example")
    os.chmod(pair.key, 0o600)
    command = [ours("pytcpserver"), "--check", *QUIET, *NOBODY, "--tls", f"{pair.certificate}:{pair.key}"]
    done = subprocess.run(
        [*command, "127.0.0.1", "0", "true"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        user="nobody",
        group="nogroup",
        extra_groups=["nogroup"],
        cwd=folder,
    )

    assert f"tls: warning: only root can tell whether {pair.key} can be used\n" in done.stdout
    assert done.returncode == 0
    (by_root,) = check(*NOBODY, "--tls", f"{pair.certificate}:{pair.key}").about("tls")
    assert by_root.startswith(f"{pair.certificate} is valid for ")


def test_keys_that_do_not_fit_are_an_error(folder: Path) -> None:
    """As a start says it."""
    authority = Authority(folder)
    one, other = authority.pair("one.example"), authority.pair("other.example")

    checked = check("--tls", f"{one.certificate}:{other.key}")

    assert checked.code == 111
    assert checked.about("tls") == [f"error: unable to use {one.certificate} with {other.key}: key values mismatch"]


def test_the_gate_tells_what_pysmtpgate_check_tells(folder: Path) -> None:
    """With its lines; an error of its configuration is all that is told."""
    (folder / "main.cf").write_text("myhostname = mx.example\nmynetworks = 10.0.0.0/7\n")
    gate = (ours("pysmtpgate"), "-f", str(folder / "main.cf"))
    trap = check(program=(*gate, "true"))
    (folder / "main.cf").write_text("myhostname = mx.example\nmessage_size_limit = much\n")
    wrong = check(program=(*gate, "true"))

    assert any(line.startswith(f"{folder}/main.cf:2: warning: ") for line in trap.about("gate"))
    assert wrong.code == 111
    assert [line.partition("message_size_limit")[0] for line in wrong.lines] == [f"gate: {folder}/main.cf:2: error: "]


def test_the_milters_of_a_gate_are_told_one_by_one(folder: Path) -> None:
    """Also those that are well; without one that answers nobody's mail is taken."""
    text = "myhostname = mx.example\nsmtpd_relay_restrictions = reject_unauth_destination\nsmtpd_milters ="
    gate = (ours("pysmtpgate"), "-f", str(folder / "main.cf"))
    with scripted_milter() as milter:
        (folder / "main.cf").write_text(f"{text} {milter.service}\n")
        well = check(program=(*gate, "true"))
        (folder / "main.cf").write_text(f"{text} {milter.service} unix:{folder}/none\n")
        wrong = check(program=(*gate, "true"))

    assert well.code == 0
    assert well.about("gate")[0].startswith(f"{folder}/main.cf:3: milter {milter.service} answers within ")
    assert well.about("gate")[1:] == ["its configuration has no trap that we know"]
    assert wrong.code == 111
    assert wrong.about("gate")[1].startswith(f"{folder}/main.cf:3: error: milter unix:{folder}/none: user ")


def test_a_checker_that_lets_everybody_in_is_an_error(folder: Path) -> None:
    """It is asked about a user that nobody has, as at a start."""
    options = ["smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=checkpassword", "smtpd_tls_auth_only=no"]
    words = [word for option in options for word in ("-o", option)]
    codes = {}
    for name, code in (("yes", 0), ("no", 1)):
        (folder / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (folder / name).chmod(0o755)
        asked = ("-o", "myhostname=mx.example", *words, "-o", f"smtpd_sasl_path={folder / name} /bin/true")
        codes[name] = check(program=(ours("pysmtpgate"), *asked, "true")).about("guard")

    assert codes["no"] == [f"{folder}/no does not let in a user that nobody has"]
    assert codes["yes"][0].startswith("error: ")


def test_a_checker_is_started_by_root_alone(folder: Path) -> None:
    """It has root's privileges at a start, and would say something else without them."""
    need_root()
    words = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=checkpassword", f"smtpd_sasl_path={folder}/no /bin/true")
    options = [
        word for option in ("myhostname=mx.example", "smtpd_tls_auth_only=no", *words) for word in ("-o", option)
    ]
    (folder / "no").write_text("#!/bin/sh\nexit 1\n")
    (folder / "no").chmod(0o755)
    command = [ours("pytcpserver"), "--check", *QUIET, *NOBODY, "127.0.0.1", "0", ours("pysmtpgate"), *options, "true"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        user="nobody",
        group="nogroup",
        extra_groups=["nogroup"],
        cwd=folder,
    )

    assert f"guard: warning: only root can tell what {folder}/no says to a user that nobody has\n" in done.stdout


def test_nothing_is_imported_once_root_is_given_up(folder: Path) -> None:
    """Where everything is looked at: ``umask 077; pip install``, then -u."""
    need_root()
    rules, notes = compiled(folder, "10.0:deny\n:allow\n"), folder / "notes"
    screens = (ours("pyrelay"), "check", "-s", str(folder / "grants"), ours("pyrblsmtpd"), "-r", "zone.example")
    (folder / "main.cf").write_text(MAIN_CF.replace("{FOLDER}", str(folder)))
    (folder / "table").write_text("/^x/ REJECT\n")
    folder.chmod(0o777)
    gate = (ours("pysmtpgate"), "-f", str(folder / "main.cf"))
    greylist = (ours("pygreylist"), "-s", str(folder / "greylist.db"), *gate)
    command = [*noting("tcpserver", notes), "pytcpserver", "--check", *QUIET, *NOBODY, "-x", rules]
    with nameserver.running(healthy("zone.example"), folder) as address:
        done = subprocess.run(
            [*command, "127.0.0.1", "0", *screens, *greylist, "true"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "DNSCACHEIP": address},
        )

    assert "relay: warning: " in done.stdout
    assert f"gate: {folder}/main.cf:" in done.stdout
    assert loaded(notes)[1] == []


def test_options_that_are_wrong_are_asked_wrongly() -> None:
    """As at a start, with the usage line."""
    command = [ours("pytcpserver"), "--check", "-u", "no such user", "0", "0", "true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert done.returncode == 100
    assert "tcpserver: usage: " in done.stderr
