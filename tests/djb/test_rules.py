"""tcprules and tcprulescheck beside C's: the same bytes, the same sentences, the same exit codes."""

import os
import random
import subprocess
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.programs import ours, theirs
from tests.support.rules import (
    HASH_0_PAIR,
    Client,
    Outcome,
    check_all,
    check_here,
    compile_here,
    random_client,
    random_source,
    run,
)
from tests.support.waiting import until
from ucspi_py.core.errors import UnparsableLine
from ucspi_py.core.rules.djb_source import records

FILES = 1000
LOOKUPS = 10_000
THROUGH_LAUNCHER = 36
OLD = b"the rules as they were"

SOURCES = [
    b"",
    b"\n",
    b"#",
    b":deny",
    b"1.2.3.4:allow",
    b'127.:allow,RELAYCLIENT=""\n:allow\n',
    b"1.2.3.4:deny\r\n",
    b'1.2.3.4:allow,A="\r"\r\n',
    b"1.2.3.4:deny\0\n",
    b'1.2.3.4:deny,A="\0"\n:\0\n',
    b"\xef\xbb\xbf:deny\n",
    b"\xff\xfe:\xff\n",
    b"my-host.example:deny\n",
    b"badhost.example:deny\n",
    b":allow\nmy-host.example:deny\n:deny\n",
    b"1.2.3.4:deny\n1.2.3.4:allow\n",
    b"0-999.:deny\n",
    b"10.20-29.30.:deny\n10.20-29.30-31.:allow\n",
    b"18446744073709551615-5.:deny\n-:deny\n-5:deny\n1.2.3.5-:deny\n",
    b":allow,A=x" + b"y" * 300_000 + b"x\n",
    b"k" * 100_000 + b":deny\n",
    HASH_0_PAIR,
    b"ootpwgq:deny\nvpbzfti:allow\n",
]


class Compiled(NamedTuple):
    """One rules file, compiled by both: how that ended, and the cdb afterwards."""

    source: bytes
    theirs: Outcome
    ours: Outcome
    their_cdb: bytes
    our_cdb: Path


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Compiled]:
    """Random rules files, compiled by C and by us in this process, with older rules in the way."""
    folder = tmp_path_factory.mktemp("rules")
    return [_compile(theirs("tcprules"), random_source(random.Random(seed)), folder, seed) for seed in range(FILES)]


def _compile(tcprules: str, source: bytes, folder: Path, number: int) -> Compiled:
    cdb, our_cdb = folder / "cdb", folder / f"{number}.cdb"
    cdb.write_bytes(OLD)
    our_cdb.write_bytes(OLD)
    expected = run([tcprules, "cdb", "tmp"], folder, source)
    return Compiled(source, expected, compile_here(source, our_cdb, folder / "our.tmp"), cdb.read_bytes(), our_cdb)


def test_random_files_are_compiled_to_the_same_bytes(compiled: list[Compiled]) -> None:
    """Sentence, exit code and file; a file that is refused leaves the old rules."""
    for one in compiled:
        assert one.ours == one.theirs, one.source
        assert one.our_cdb.read_bytes() == one.their_cdb, one.source
        assert (one.their_cdb == OLD) == (one.theirs.code == 100)


def test_random_files_are_of_all_kinds(compiled: list[Compiled]) -> None:
    """What the comparison is worth: enough files are accepted, refused, empty, and of more than a few records."""
    codes = [one.theirs.code for one in compiled]
    sizes = [len(one.their_cdb) for one in compiled if one.theirs.code == 0]

    assert min(codes.count(0), codes.count(100)) > FILES // 10
    assert min(sizes) == 2048
    assert sum(size > 3000 for size in sizes) > FILES // 10


def test_random_lookups_have_the_same_answers(compiled: list[Compiled]) -> None:
    """Rule, variables and verdict of clients that the rules may be about."""
    chance = random.Random(1)
    accepted = [(one.our_cdb, _keys(one.source)) for one in compiled if one.theirs.code == 0]
    questions = [(cdb, random_client(chance, keys)) for cdb, keys in (chance.choice(accepted) for _ in range(LOOKUPS))]

    answers = check_all(theirs("tcprulescheck"), questions)

    assert sum(answer.out.startswith(b"rule ") for answer in answers) > LOOKUPS // 5
    assert sum(answer.out.endswith(b"deny connection\n") for answer in answers) > LOOKUPS // 20
    for (cdb, client), answer in zip(questions, answers, strict=True):
        assert check_here(cdb, client) == answer, (cdb, client)


@pytest.mark.parametrize("seed", range(FILES, FILES + THROUGH_LAUNCHER))
def test_the_programs_do_the_same(seed: int, tmp_path: Path) -> None:
    """What the other tests do in one process, through the installed programs.

    Ours say more below an error, and are told to say no more than that.
    """
    chance = random.Random(seed)
    source = random_source(chance)
    client = random_client(chance, _keys(source) if seed % 2 else [])

    expected, cdb = _both_programs([theirs("tcprules")], theirs("tcprulescheck"), source, client, tmp_path / "theirs")
    quiet = [ours("pytcprules"), "-q"]
    outcomes, our_cdb = _both_programs(quiet, ours("pytcprulescheck"), source, client, tmp_path / "ours")

    first_line = outcomes[0].error.partition(b"\ntcprules: line ")
    assert [outcomes[0]._replace(error=first_line[0] + first_line[1][:1]), outcomes[1]] == expected
    assert our_cdb == cdb


def _both_programs(
    tcprules: list[str], tcprulescheck: str, source: bytes, client: Client, folder: Path
) -> tuple[list[Outcome], bytes]:
    folder.mkdir()
    outcomes = [run([*tcprules, "cdb", "tmp"], folder, source), run([tcprulescheck, "cdb"], folder, client=client)]
    cdb = folder / "cdb"
    return outcomes, cdb.read_bytes() if cdb.exists() else b""


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: repr(source)[:40])
def test_rules_of_every_kind(source: bytes, tmp_path: Path) -> None:
    """Cases that chance might miss."""
    one = _compile(theirs("tcprules"), source, tmp_path, 1)

    assert one.ours == one.theirs
    assert one.our_cdb.read_bytes() == one.their_cdb


@pytest.mark.parametrize("source", [b'1.2-3.:allow,A="b"\n#\n:deny', b":deny\n:denied\n"], ids=repr)
def test_input_one_byte_at_a_time(source: bytes, tmp_path: Path) -> None:
    """A slow pipe makes no difference."""
    expected = run([ours("pytcprules"), "whole", "tmp"], tmp_path, source)
    with subprocess.Popen(
        [ours("pytcprules"), "slow", "tmp"], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin
        assert process.stderr
        for byte in source:
            process.stdin.write(bytes([byte]))
        process.stdin.close()
        error = process.stderr.read()

    assert (process.returncode, error) == (expected.code, expected.error)
    assert (tmp_path / "slow").exists() == (tmp_path / "whole").exists() == (expected.code == 0)
    if expected.code == 0:
        assert (tmp_path / "slow").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("client", [Client(None), Client(b""), Client(b"1.2.3.4", b"", b"")], ids=repr)
def test_an_incomplete_client(client: Client, tmp_path: Path) -> None:
    """Unset is 0.0.0.0 or unknown; empty is an answer."""
    run([theirs("tcprules"), "cdb", "tmp"], tmp_path, b"0.0.0.0:deny\n@:allow,A=1x1\n=:deny\n:allow,B=1y1\n")

    expected = run([theirs("tcprulescheck"), "cdb"], tmp_path, client=client)

    assert run([ours("pytcprulescheck"), "cdb"], tmp_path, client=client) == expected


def test_other_cdb_programs_agree(compiled: list[Compiled], tmp_path: Path) -> None:
    """freecdb's cdbmake and tinycdb's cdb -c write the same file from the same records, and read them from it."""
    for number, one in enumerate([one for one in compiled if one.theirs.code == 0][:40]):
        found = list(records(BytesIO(one.source)))
        told = b"".join(b"+%d,%d:%b->%b\n" % (len(key), len(data), key, data) for key, data in found) + b"\n"
        run([theirs("cdbmake"), f"{number}.freecdb", "tmp"], tmp_path, told)
        run([theirs("cdb"), "-c", f"{number}.tinycdb"], tmp_path, told)
        cdb = one.our_cdb.read_bytes()

        assert (tmp_path / f"{number}.freecdb").read_bytes() == cdb
        assert (tmp_path / f"{number}.tinycdb").read_bytes() == cdb
        assert run([theirs("cdbdump")], tmp_path, cdb).out == told
        assert run([theirs("cdb"), "-d", str(one.our_cdb)], tmp_path).out == told


def test_a_key_whose_hash_is_0_keeps_its_record(tmp_path: Path) -> None:
    """cdblib alone loses this deny."""
    run([ours("pytcprules"), "cdb", "tmp"], tmp_path, HASH_0_PAIR)

    told = run([theirs("tcprulescheck"), "cdb"], tmp_path, client=Client(b"39.160.226.88")).out

    assert told == b"rule 39.160.226.88:\ndeny connection\n"
    assert check_here(tmp_path / "cdb", Client(b"39.160.226.88")).out == told


MISHAPS: list[tuple[str, str]] = [
    ("no arguments", "PROGRAM"),
    ("one argument", "PROGRAM cdb"),
    ("too many arguments", "PROGRAM cdb tmp more"),
    ("tmp is a folder", "PROGRAM cdb folder"),
    ("tmp in no folder", "PROGRAM cdb missing/tmp"),
    ("tmp in a file", "PROGRAM cdb cdb/tmp"),
    ("tmp has no name", "PROGRAM cdb ''"),
    ("tmp is a fifo", "PROGRAM cdb fifo"),
    ("tmp is no file of a disk", "PROGRAM cdb /proc/self/nothing"),
    ("disk full", "PROGRAM cdb /dev/full"),
    ("cdb is a folder", "PROGRAM folder tmp"),
    ("cdb in no folder", "PROGRAM missing/cdb tmp"),
    ("cdb in a file", "PROGRAM cdb/cdb tmp"),
    ("cdb has no name", "PROGRAM '' tmp"),
    ("size limit", "trap '' XFSZ; ulimit -f 2; PROGRAM cdb tmp"),
    ("input closed", "PROGRAM cdb tmp <&-"),
    ("input not readable", "PROGRAM cdb tmp 0>output"),
    ("output closed", "PROGRAM cdb tmp >&-"),
    ("errors closed", "PROGRAM folder tmp 2>&-"),
    ("errors to a full disk", "PROGRAM folder tmp 2>/dev/full"),
]

MISHAPS_OF_CHECK: list[tuple[str, str]] = [
    ("no argument", "PROGRAM"),
    ("too many arguments", "PROGRAM good more"),
    ("no such file", "PROGRAM missing"),
    ("in a file", "PROGRAM good/cdb"),
    ("no name", "PROGRAM ''"),
    ("output closed", "PROGRAM good >&-"),
    ("output to a full disk", "PROGRAM good >/dev/full"),
    ("errors closed", "PROGRAM missing 2>&-"),
]


def mishap(program: str, line: str, folder: Path) -> tuple[Outcome, list[str], bytes]:
    """What a shell line with the program in it says, and leaves behind."""
    folder.mkdir()
    (folder / "folder").mkdir()
    (folder / "folder" / "kept").touch()
    os.mkfifo(folder / "fifo")
    (folder / "cdb").write_bytes(OLD)
    compile_here(b":deny", folder / "good", folder / "good.tmp")
    source = b"".join(b"1.2.3.%d:deny\n" % octet for octet in range(256))
    outcome = run(["sh", "-c", line.replace("PROGRAM", program)], folder, source)
    return outcome, sorted(path.name for path in folder.iterdir()), (folder / "cdb").read_bytes()


@pytest.mark.parametrize("line", [case[1] for case in MISHAPS], ids=[case[0] for case in MISHAPS])
def test_mishaps_of_tcprules(line: str, tmp_path: Path) -> None:
    """The sentence, the exit code and what is left behind are those of C."""
    expected = mishap(theirs("tcprules"), line, tmp_path / "theirs")

    assert mishap(ours("pytcprules"), line, tmp_path / "ours") == expected


@pytest.mark.parametrize("line", [case[1] for case in MISHAPS_OF_CHECK], ids=[case[0] for case in MISHAPS_OF_CHECK])
def test_mishaps_of_tcprulescheck(line: str, tmp_path: Path) -> None:
    """The sentence and the exit code are those of C."""
    expected = mishap(theirs("tcprulescheck"), line, tmp_path / "theirs")

    assert mishap(ours("pytcprulescheck"), line, tmp_path / "ours") == expected


def test_another_filesystem(tmp_path: Path) -> None:
    """A rename cannot cross from one to the other; the sentence says so, as C's does."""
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second filesystem")
    temporary = shared_memory / f"{tmp_path.name}-{os.getpid()}.tmp"
    try:
        expected = run([theirs("tcprules"), "cdb", str(temporary)], tmp_path, b":deny")

        assert expected.code == 111
        assert run([ours("pytcprules"), "cdb", str(temporary)], tmp_path, b":deny") == expected
    finally:
        temporary.unlink(missing_ok=True)


def test_a_killed_process_leaves_old_or_new(tmp_path: Path) -> None:
    """At any moment: while it reads, while it writes, around the rename."""
    chance = random.Random(2)
    cdb = tmp_path / "cdb"
    sources = [b"".join(b"%d.%d.:deny\n" % (first, octet) for octet in range(2000)) for first in (1, 2)]
    versions = []
    for source in sources:
        assert compile_here(source, cdb, tmp_path / "tmp").code == 0
        versions.append(cdb.read_bytes())

    _killed(sources[0][:10_000], cdb, None)
    assert cdb.read_bytes() == versions[1]
    for number in range(20):
        _killed(sources[number % 2], cdb, chance.random() / 40)
        assert cdb.read_bytes() in versions
    assert run([ours("pytcprules"), "-q", "cdb", "tmp"], tmp_path, sources[0]) == Outcome(0, b"", b"")
    assert cdb.read_bytes() == versions[0]


def _killed(source: bytes, cdb: Path, seconds: float | None) -> None:
    """Kill pytcprules some time after its input has ended, or before it ends."""
    temporary = cdb.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with subprocess.Popen([ours("pytcprules"), str(cdb), str(temporary)], stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(source)
        process.stdin.flush()
        until(temporary.exists)
        if seconds is not None:
            process.stdin.close()
            time.sleep(seconds)
        process.kill()


def _keys(source: bytes) -> Sequence[bytes]:
    try:
        return [key for key, _ in records(BytesIO(source))]
    except UnparsableLine:
        return []
