"""pyrules: its tables, its JSON, its exit codes."""

import gzip
import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.rules_tools import Run, compiled_by_ours, run, text
from tests.support.terminal import everything
from tests.support.warm import Warm, standing
from ucspi_py.cli.rules.commands import pyrules as group
from ucspi_py.system.rules.write import write

PROGRAMS = Warm("pyrules")
_stands = standing(PROGRAMS)

GUIDE = text([":allow,RELAYCLIENT=””".encode(), b"badhost.net:deny", b".:deny", b"10.1.:deny"])


def pyrules(*words: str | Path, stdin: bytes = b"") -> Run:
    """Run it."""
    return PROGRAMS.run("pyrules", *map(str, words), stdin=stdin)


def _told(done: Run, code: int) -> list[str]:
    assert (done.returncode, done.stderr) == (code, b""), done
    return done.stdout.decode().splitlines()


def _cdb(path: Path, *lines: bytes) -> Path:
    return compiled_by_ours(text(lines), path)


def test_lint_names_every_line(tmp_path: Path) -> None:
    (tmp_path / "rules").write_bytes(GUIDE)

    assert _told(pyrules("lint", tmp_path / "rules"), 1) == [
        "line  column           what",
        '1     20      error    curly quotes (”) are no quotes here; only straight ones (") are',
        "                       likely meant: :allow",
        "2     1       warning  badhost.net is a host name without =, so it never matches",
        "                       likely meant: =badhost.net:deny",
        "3     1       warning  . is not the default rule and never matches; the default rule has no address",
        "                       likely meant: :deny",
    ]


def test_lint_reads_standard_input_and_is_quiet_about_good_rules() -> None:
    assert _told(pyrules("lint", "-", stdin=b"# fine\n10.1.:deny\n"), 0) == []
    assert json.loads(pyrules("lint", "--json", "-", stdin=b":deny\n").stdout) == []


def test_lint_tells_programs_the_same() -> None:
    done = pyrules("lint", "--json", "-", stdin=GUIDE)

    found = json.loads("\n".join(_told(done, 1)))
    assert [(one["line"], one["column"], one["error"]) for one in found] == [
        (1, 20, True),
        (2, 1, False),
        (3, 1, False),
    ]
    assert found[1]["meant"] == ["=badhost.net:deny"]
    assert "host name" in found[1]["sentence"]


def test_explain_shows_the_way_to_the_rule(tmp_path: Path) -> None:
    source = tmp_path / "tcp.smtp"
    source.write_bytes(b"# none\n10.1.:deny\n192.168.:allow,RELAYCLIENT='',X='a b'\n")
    with source.open("rb") as opened:
        command = [ours("pytcprules"), "--provenance", str(tmp_path / "cdb"), str(tmp_path / "tmp")]
        subprocess.run(command, stdin=opened, check=True)

    assert _told(pyrules("explain", "10.1.2.3", "--host", "a.b", "--info", "joe", tmp_path / "cdb"), 0) == [
        "looked up     found",
        "joe@10.1.2.3  -",
        "joe@=a.b      -",
        "10.1.2.3      -",
        "=a.b          -",
        "10.1.2.       -",
        "10.1.         deny",
        "10.1.2.3 is denied by the rule 10.1. (tcp.smtp:2)",
    ]
    allowed = _told(pyrules("explain", "::ffff:192.168.7.7", tmp_path / "cdb"), 0)
    assert allowed[-2:] == [
        '192.168.     allow,RELAYCLIENT="",X="a b"',
        "192.168.7.7 is allowed and gets RELAYCLIENT='', X='a b' by the rule 192.168. (tcp.smtp:3)",
    ]
    assert _told(pyrules("explain", "1.2.3.4", tmp_path / "cdb"), 0)[-1] == (
        "1.2.3.4 is allowed: there is no rule about it"
    )


def test_explain_tells_programs_the_same(tmp_path: Path) -> None:
    cdb = _cdb(tmp_path / "cdb", b"2001:db8::/32:allow,X='1'", b":deny")

    (found, denied) = (json.loads(pyrules("explain", "--json", ip, cdb).stdout) for ip in ("2001:DB8::7", "1.2.3.4"))

    assert found == {
        "client": "2001:db8::7",
        "looked_up": ["2001:db8::7", "2001:db8::/32"],
        "rule": "2001:db8::/32",
        "source": None,
        "allowed": True,
        "variables": {"X": "1"},
    }
    assert (denied["allowed"], denied["rule"], denied["looked_up"][-1]) == (False, ":", ":")


def test_dump_is_source(tmp_path: Path) -> None:
    lines = [b"10.1.:deny", b'=host:allow,X="1"', b":deny"]

    done = pyrules("dump", _cdb(tmp_path / "cdb", *lines))

    assert (done.returncode, done.stdout, done.stderr) == (0, text(lines), b"")


def test_dump_names_what_is_no_source(tmp_path: Path) -> None:
    write(str(tmp_path / "cdb"), str(tmp_path / "tmp"), [(b"#1", b""), (b"1.", b"D\0")])

    done = pyrules("dump", tmp_path / "cdb")

    assert (done.returncode, done.stdout) == (1, b"1.:deny\n")
    assert done.stderr == b"pyrules: warning: no source compiles to the key '#1' with the value ''\n"


def test_diff_shows_both_sides(tmp_path: Path) -> None:
    old = _cdb(tmp_path / "old", b"10.:deny", b"1.:allow", b"2.:deny")
    new = _cdb(tmp_path / "new", b"2.:deny", b"1.:allow,X='1'", b"3.:deny")

    assert _told(pyrules("diff", old, new), 1) == ["- 10.:deny", "- 1.:allow", '+ 1.:allow,X="1"', "+ 3.:deny"]
    assert json.loads(pyrules("diff", "--json", old, new).stdout) == [
        {"old": "10.:deny", "new": None},
        {"old": "1.:allow", "new": '1.:allow,X="1"'},
        {"old": None, "new": "3.:deny"},
    ]
    assert _told(pyrules("diff", old, old), 0) == []


LOG = text(
    [
        b"@400000005f5e100123456789 tcpserver: pid 7 from 10.1.2.3",
        b"@400000005f5e100123456789 tcpserver: ok 7 mx:192.0.2.1:25 mail.example.org:10.1.2.3::4321",
        b"Nov 21 18:16:01 mx smtpd: tcpserver: deny 8 mx:192.0.2.1:25 :1.1.1.1::1",
        b"tcpserver: ok 9 mx:192.0.2.1:25 mail.example.org:10.1.2.3::4322",
        b"tcpserver: ok 9 mx:192.0.2.1:25 :9.9.9.9::1",
    ]
)


def test_preview_names_who_gains_and_who_loses(tmp_path: Path) -> None:
    old, new = _cdb(tmp_path / "old", b"1.:deny"), _cdb(tmp_path / "new", b"10.:deny")

    done = pyrules("preview", old, new, stdin=LOG)

    assert _told(done, 1) == [
        "connections  client    name              what",
        "2            10.1.2.3  mail.example.org  loses access",
        "1            1.1.1.1                     gains access",
        "2 of 3 clients change",
    ]
    found = json.loads(pyrules("preview", "--json", old, new, stdin=LOG).stdout)
    assert found[0] == {
        "connections": 2,
        "client": "10.1.2.3",
        "name": "mail.example.org",
        "what": "loses access",
        "old": {"allowed": True, "relays": False},
        "new": {"allowed": False, "relays": False},
    }
    assert _told(pyrules("preview", old, old, stdin=LOG), 0) == ["0 of 3 clients change"]


def test_progress_is_for_terminals_only(tmp_path: Path) -> None:
    cdb = _cdb(tmp_path / "cdb", b"1.:deny")
    master, slave = pty.openpty()
    try:
        command = [ours("pyrules"), "preview", str(cdb), str(cdb)]
        subprocess.run(command, input=LOG, stdout=subprocess.DEVNULL, stderr=slave, check=True)
    finally:
        os.close(slave)
    seen = everything(master)

    assert b"lines of the log" in seen and seen.endswith(b"\r\x1b[K")
    assert pyrules("preview", cdb, cdb, stdin=LOG).stderr == b""


def test_preview_says_that_it_does_not_know_a_log(tmp_path: Path) -> None:
    """No client at all is no answer: 100, and of how many lines none was known."""
    cdb = _cdb(tmp_path / "cdb", b"1.:deny")

    done = pyrules("preview", cdb, cdb, stdin=b"tcpserver: status: 1/40\nhttpd: 1.2.3.4 GET /\n\xff\n")

    assert (done.returncode, done.stdout) == (100, b"")
    assert done.stderr == (
        b"pyrules: fatal: no line of a tcpserver about a client in 3 lines: it writes them with -v\n"
    )


def test_preview_reads_compressed_logs(tmp_path: Path) -> None:
    """As ``cat @*.gz current`` gives them; damaged ones are a failure."""
    old, new = _cdb(tmp_path / "old", b"1.:deny"), _cdb(tmp_path / "new", b"10.:deny")
    packed = gzip.compress(LOG)

    done = pyrules("preview", old, new, stdin=packed + LOG + packed)
    damaged = pyrules("preview", old, new, stdin=LOG + packed[:-9])

    assert _told(done, 1)[1] == "6            10.1.2.3  mail.example.org  loses access"
    assert (damaged.returncode, damaged.stderr) == (
        111,
        b"pyrules: fatal: unable to read input: gzip data is cut off\n",
    )


def test_an_interrupt_is_no_traceback(tmp_path: Path) -> None:
    cdb = str(_cdb(tmp_path / "cdb", b"1.:deny"))
    with subprocess.Popen(
        [ours("pyrules"), "preview", cdb, cdb], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        process.stdin.write(b"more than a pipe holds\n" * 20_000)  # so it reads when this returns
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()

    assert (process.returncode, out, error.strip()) == (130, b"", b"")


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        ([], 100, b"Missing command."),
        (["nonsense"], 100, b"No such command 'nonsense'."),
        (["explain", "1.2", "CDB"], 100, b"1.2 is no address"),
        (["explain", "a.b", "CDB"], 100, b"a.b is no address"),
        (["explain", "1.2.3.4", "none"], 111, b"unable to read none: file does not exist"),
        (["dump", "TEXT"], 111, b"corrupt rules file"),
        (["diff", "CDB", "TEXT"], 111, b"corrupt rules file"),
        (["preview", "TEXT", "CDB"], 111, b"corrupt rules file"),
        (["preview", "CDB", "CDB"], 100, b"no line of a tcpserver about a client in 0 lines"),
        (["preview", "--json", "CDB", "CDB"], 100, b"no line of a tcpserver about a client in 0 lines"),
        (["lint", "none"], 111, b"unable to read none: file does not exist"),
        (["import-list", "none"], 111, b"unable to read none: file does not exist"),
        (["import-s6", "none"], 111, b"unable to read none: file does not exist"),
        (["import-list", "--say", "maybe", "TEXT"], 100, b"--say maybe is nothing that a rule can say"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(words: list[str], code: int, error: bytes, tmp_path: Path) -> None:
    _cdb(tmp_path / "CDB", b":deny")
    (tmp_path / "TEXT").write_bytes(b":deny\n")

    done = PROGRAMS.run("pyrules", *words, cwd=str(tmp_path))

    first, *rest = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (code, b"")
    assert first.startswith(b"pyrules: fatal: ") and error in first
    assert all(line.startswith(b"pyrules: usage: ") for line in rest)


def test_a_damaged_record_is_no_answer(tmp_path: Path) -> None:
    cdb = _cdb(tmp_path / "cdb", b"1.2.3.4:deny")
    data = bytearray(cdb.read_bytes())
    data[2052:2056] = b"\xff\xff\xff\x00"
    cdb.write_bytes(data)

    for words in (["explain", "1.2.3.4", str(cdb)], ["dump", str(cdb)]):
        done = pyrules(*words)
        assert done.returncode == 111 and b"corrupt rules file" in done.stderr


@pytest.mark.parametrize("name", sorted(group.commands))
def test_every_command_has_a_page_of_help_with_an_example(name: str) -> None:
    lines = _told(pyrules(name, "--help"), 0)

    assert lines[0].startswith(f"Usage: pyrules {name} ")
    assert "  Example:" in lines
    assert any(f"pyrules {name}" in line for line in lines[1:])
    assert len(lines) > 10


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(shell: str) -> None:
    source = run("pyrules", env={"_PYRULES_COMPLETE": f"{shell}_source"})
    assert b"_PYRULES_COMPLETE" in source.stdout

    words = {"COMP_WORDS": "pyrules imp", "COMP_CWORD": "1", "_PYRULES_COMPLETE": "bash_complete"}
    assert b"plain,import-s6" in run("pyrules", env=words).stdout.splitlines()


def test_importers_read_their_files(tmp_path: Path) -> None:
    (tmp_path / "allow").write_bytes(b"smtpd: 10.\nimapd: 11.\n")
    (tmp_path / "deny").write_bytes(b"ALL: ALL\n")
    (tmp_path / "access").write_bytes(b"10 REJECT go away\n")
    (tmp_path / "cidr").write_bytes(b"10.0.0.0/9 REJECT\n")
    (tmp_path / "list").write_bytes(b"10.0.0.0/9\n")

    def imported(*words: str) -> tuple[int, bytes, bytes]:
        done = PROGRAMS.run("pyrules", *words, cwd=str(tmp_path))
        return done.returncode, done.stdout, done.stderr

    assert imported("import-hosts", "allow", "deny") == (0, b"10.:allow\n:deny\n", b"")
    assert imported("import-hosts", "--daemon", "IMAPD", "allow") == (0, b"11.:allow\n", b"")
    assert imported("import-cidr", "cidr") == (0, b"10.0.0.0/9:deny\n", b"")
    assert imported("import-spamdyke", "list") == (0, b"10.0.0.0/9:deny\n", b"")
    assert imported("import-list", "--say", "allow,X='1'", "list") == (0, b"10.0.0.0/9:allow,X='1'\n", b"")
    assert imported("import-access", "access") == (
        1,
        b"10.:deny\n",
        b"pyrules: not said: line 1: REJECT go away: a denied client is cut off and sent no code or text\n",
    )
    done = pyrules("import-mynetworks", "-", stdin=b"10.0.0.0/9 127.0.0.0/8\n")
    assert done.stdout == b'10.0.0.0/9:allow,RELAYCLIENT=""\n127.:allow,RELAYCLIENT=""\n'


def test_importers_read_their_directories(tmp_path: Path) -> None:
    (tmp_path / "ipsvd").mkdir()
    (tmp_path / "ipsvd" / "10").write_bytes(b"secret")
    (tmp_path / "ipsvd" / "10").chmod(0)
    (tmp_path / "ipsvd" / "10.1").write_bytes(b"+X=1\n")
    (tmp_path / "s6" / "ip4" / "10.0.0.0_9" / "env").mkdir(parents=True)
    (tmp_path / "s6" / "ip4" / "10.0.0.0_9" / "allow").touch()
    (tmp_path / "s6" / "ip4" / "10.0.0.0_9" / "env" / "X").write_bytes(b"1\n")

    ipsvd, s6 = pyrules("import-ipsvd", tmp_path / "ipsvd"), pyrules("import-s6", tmp_path / "s6")

    assert (ipsvd.returncode, ipsvd.stdout, ipsvd.stderr) == (0, b'10.:deny\n10.1.:allow,X="1"\n', b"")
    assert (s6.returncode, s6.stdout, s6.stderr) == (0, b'10.0.0.0/9:allow,X="1"\n:deny\n', b"")
