"""pysmtpgate --query and --map, beside postmap."""

import subprocess
from pathlib import Path

import pytest

from tests.support.postmap import need_kind
from tests.support.programs import ours, theirs
from ucspi_py.cli.chain import program
from ucspi_py.core.errors import AskedWrongly

_SOURCE = b"# friends\nFriend@Example.org OK\nexample.org REJECT  no\n thanks\nfriend@example.org DISCARD\nlonely\n"


def _run(*words: object, given: bytes = b"") -> tuple[int, bytes, bytes]:
    command = [ours("pysmtpgate"), *map(str, words)]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=30)
    return done.returncode, done.stdout, done.stderr


def _table(folder: Path) -> Path:
    path = folder / "access"
    path.write_bytes(_SOURCE)
    return path


@pytest.mark.parametrize(
    ("key", "answer"),
    [("friend@example.org", (0, b"OK\n")), ("example.org", (0, b"REJECT  no thanks\n")), ("x", (1, b""))],
)
def test_the_value_of_a_key_is_printed(key: str, answer: tuple[int, bytes], tmp_path: Path) -> None:
    """With exit 1 where there is none; what Postfix warns of is said."""
    code, out, err = _run("--query", key, f"hash:{_table(tmp_path)}")

    assert (code, out) == answer
    assert err.decode().splitlines() == [
        f"smtpgate: warning: hash:{tmp_path}/access line 5: the key has been there before, and the first one counts",
        f"smtpgate: warning: hash:{tmp_path}/access line 6: there is a key and no value behind it",
    ]


def test_each_line_of_the_input_is_a_key(tmp_path: Path) -> None:
    """Those that have a value are printed with it, in the words of postmap."""
    table, keys = _table(tmp_path), b"EXAMPLE.org\nnobody\nfriend@example.org\n"

    found = _run("--query", "-", f"texthash:{table}", given=keys)[:2]

    command = [theirs("postmap"), "-q", "-", f"texthash:{table}"]
    done = subprocess.run(command, input=keys, capture_output=True, check=False)
    assert found == (done.returncode, done.stdout)


def test_a_map_is_what_postmap_makes(tmp_path: Path) -> None:
    """postmap finds in ours what it finds in its own, and ours is as secret as its source."""
    need_kind("cdb")
    table = _table(tmp_path)
    table.chmod(0o640)
    keys = b"example.org\nfriend@example.org\nlonely\n"

    code, _, said = _run("--map", table)

    assert (code, said.count(b"warning")) == (0, 2)
    assert (tmp_path / "access.cdb").stat().st_mode & 0o777 == 0o640
    asked = [theirs("postmap"), "-q", "-", f"cdb:{table}"]
    ours_found = subprocess.run(asked, input=keys, capture_output=True, check=True).stdout
    assert _run("--query", "-", f"cdb:{table}", given=keys)[1] == ours_found
    subprocess.run([theirs("postmap"), f"cdb:{table}"], capture_output=True, check=True)
    assert subprocess.run(asked, input=keys, capture_output=True, check=True).stdout == ours_found
    assert _run("--query", "-", f"cdb:{table}", given=keys)[1] == ours_found


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--query", "a", "mysql:/etc/x.cf"], 100, b"table mysql:/etc/x.cf: the gate asks no database"),
        (["--query", "a", "hash:/nowhere/x"], 111, b"fatal: table hash:/nowhere/x: file does not exist"),
        (["--query", "a", "inline:{a}"], 111, b"fatal: table inline:{a}: has a pair"),
        (["--query", "a", "static:OK", "static:OK"], 100, b"take one table"),
        (["--query", "a", "--map", "static:OK"], 100, b"take one table"),
        (["--map", "/nowhere/x"], 111, b"unable to read /nowhere/x: file does not exist"),
        (["-o", "x=y", "--map", "/nowhere/x"], 100, b"no other option beside them"),
    ],
)
def test_what_is_asked_wrongly_is_said(words: list[str], code: int, said: bytes) -> None:
    """In one line."""
    found = _run(*words)

    assert (found[0], found[1]) == (code, b"")
    assert said in found[2]


def test_a_gate_among_others_asks_no_table() -> None:
    """It would be asked for each client."""
    with pytest.raises(AskedWrongly, match="stand first"):
        program.read(["pysmtpgate", "--query", "a", "static:OK"])
