"""pytcprules: what it says about lines that cannot bite, and that it compiles them as before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.rules_tools import compile_rules, compiled_by_djb, run, text
from ucspi_py.core.rules.data import provenance
from ucspi_py.system.rules.live import RulesFile

DEAD = text([b"10.0:deny", b"badhost.net:deny", b":allow"])
SAID = [
    b"tcprules: warning: line 1, column 1: 10.0 has no dot at its end, so it never matches; likely meant: 10.0.:deny",
    b"tcprules: warning: line 2, column 1: badhost.net is a host name without =, so it never matches; "
    b"likely meant: =badhost.net:deny",
]
#: The rules of a mail gateway guide, with what a word processor and a web page made of them.
GUIDE = """\
127.:allow,RELAYCLIENT=””
192.168.1.:allow,RELAYCLIENT=””
10.10.10.50:allow,RELAYCLIENT=””
spamboy@spamhouse.com:deny
<a href="mailto:spamboy@spamhouse.com">spamboy@spamhouse.com</a>:deny
badhost.net:deny
.:deny
""".encode()


def test_warnings_change_neither_the_exit_code_nor_the_table(tmp_path: Path) -> None:
    done = compile_rules(DEAD, tmp_path / "cdb")

    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (0, b"", SAID)
    assert (tmp_path / "cdb").read_bytes() == compiled_by_djb(DEAD, tmp_path / "djb").read_bytes()


def test_q_silences_warnings_and_no_errors(tmp_path: Path) -> None:
    quiet = compile_rules(DEAD, tmp_path / "cdb", "-q")
    refused = compile_rules(DEAD + b":Deny\n", tmp_path / "cdb", "-q")

    assert (quiet.returncode, quiet.stderr) == (0, b"")
    assert refused.stderr.splitlines() == [
        b"tcprules: fatal: unable to parse this line: :Deny",
        b"tcprules: line 4, column 2: deny is written in small letters; likely meant: :deny",
    ]


def test_strict_takes_no_warning_and_keeps_the_old_table(tmp_path: Path) -> None:
    compile_rules(b":allow\n", tmp_path / "cdb")
    before = (tmp_path / "cdb").read_bytes()

    done = compile_rules(DEAD, tmp_path / "cdb", "--strict")
    quiet = compile_rules(DEAD, tmp_path / "cdb", "--strict", "-q")

    assert done.returncode == quiet.returncode == 100
    assert done.stderr.splitlines() == [b"tcprules: fatal: 2 warnings, and --strict takes none", *SAID]
    assert quiet.stderr.splitlines() == done.stderr.splitlines()[:1]
    assert (tmp_path / "cdb").read_bytes() == before
    assert compile_rules(b":deny\n", tmp_path / "cdb", "--strict").returncode == 0


@pytest.mark.parametrize(
    ("source", "options", "code"),
    [(DEAD, [], 0), (DEAD, ["--strict"], 100), (b":Deny\n", [], 100), (b":deny\n", ["--strict"], 0)],
)
def test_check_compiles_nothing(source: bytes, options: list[str], code: int, tmp_path: Path) -> None:
    done = run("pytcprules", "--check", *options, stdin=source)
    named = compile_rules(source, tmp_path / "cdb", "--check", *options)

    assert (done.returncode, done.stdout) == (code, b"")
    assert (named.returncode, named.stderr) == (done.returncode, done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_djbs_sentence_first_and_tells_the_rest_below(tmp_path: Path) -> None:
    done = compile_rules(GUIDE, tmp_path / "cdb")

    first, cause, *warnings = done.stderr.decode().splitlines()
    assert done.returncode == 100
    assert first == "tcprules: fatal: unable to parse this line: 127.:allow,RELAYCLIENT=””"
    assert cause.startswith("tcprules: line 1, column 24: curly quotes (”) are no quotes here")
    assert cause.endswith('likely meant: 127.:allow,RELAYCLIENT=""')
    assert [line.partition(",")[0] for line in warnings] == [f"tcprules: warning: line {n}" for n in (4, 6, 7)]
    assert not (tmp_path / "cdb").exists()


def test_words_are_still_missed_with_djbs_usage(tmp_path: Path) -> None:
    for words in ([], [str(tmp_path / "cdb")]):
        done = run("pytcprules", *words)

        assert (done.returncode, done.stderr) == (100, b"tcprules: usage: tcprules rules.cdb rules.tmp\n")


def test_provenance_names_the_source_and_the_line(tmp_path: Path) -> None:
    source = tmp_path / "tcp.smtp"
    source.write_bytes(b"# relays\n10.:deny\n1.2.3.0/31:allow\n2001:db8::/32:deny\n::1:allow,X='1'\n")
    command = [ours("pytcprules"), "--provenance", str(tmp_path / "cdb"), str(tmp_path / "tmp")]
    with source.open("rb") as opened:
        subprocess.run(command, stdin=opened, check=True)
    subprocess.run([*command[:2], str(tmp_path / "piped"), str(tmp_path / "tmp")], input=b":deny\n", check=True)

    get = RulesFile(str(tmp_path / "cdb")).current()
    assert get(b"10.") == b"D\0Ltcp.smtp:2\0"
    assert [provenance(get(key) or b"") for key in (b"1.2.3.0", b"1.2.3.1", b"::1")] == [
        b"tcp.smtp:3",
        b"tcp.smtp:3",
        b"tcp.smtp:5",
    ]
    assert provenance(RulesFile(str(tmp_path / "piped")).current()(b"") or b"") == b"-:1"


def test_a_large_source_is_looked_at_in_a_process_of_its_own(tmp_path: Path) -> None:
    large = text([b"1.2.%d.%d:deny" % divmod(number, 256) for number in range(30_000)])

    fine = compile_rules(large, tmp_path / "cdb")
    odd = compile_rules(large + b"10.0:deny\n", tmp_path / "cdb")
    strict = compile_rules(large + b"10.0:deny\n", tmp_path / "cdb", "--strict")
    refused = compile_rules(large + b":Deny\n", tmp_path / "cdb")

    assert (fine.returncode, fine.stderr) == (0, b"")
    assert (odd.returncode, len(odd.stderr.splitlines())) == (0, 1)
    assert odd.stderr.startswith(b"tcprules: warning: line 30001, column 1: 10.0 has no dot at its end")
    assert strict.returncode == refused.returncode == 100
    assert refused.stderr.splitlines()[1].startswith(b"tcprules: line 30001, column 2: deny is written in small")


@pytest.mark.parametrize("source", [b"", b"# a\n1.2.3.4:deny\n=host:allow\n10.:allow\n"])
def test_the_compiler_starts_with_little(source: bytes, tmp_path: Path) -> None:
    words = ["-I", "-X", "importtime", "-c", "from ucspi_py.cli.tcprules import main; main()"]
    command = [sys.executable, *words, str(tmp_path / "cdb"), str(tmp_path / "tmp")]
    done = subprocess.run(command, input=source, capture_output=True, check=True, env=dict(os.environ))

    loaded = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert b"ucspi_py.core.lint.lint" in loaded
    assert not loaded & {b"asyncio", b"dns", b"json", b"html", b"ucspi_py.core.lint.line", b"ucspi_py.core.lint.table"}
    assert b"ucspi_py.system.rules.background" not in loaded
