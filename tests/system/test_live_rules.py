"""Compiled rules on disk: damaged, replaced, unreadable. Never a hang, never an allow where C denies."""

import gc
import os
import random
import resource
import shutil
import signal
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import cdblib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.damaged import ANSWERED, CLIENTS, CORRUPT, CORRUPT_FOR_SOME, DENY, GOOD, crafted, good, record
from tests.support.programs import need_root, theirs
from tests.support.rules import Client, Outcome, check_all, check_here, compile_here
from tests.support.waiting import until
from ucspi_py.core.errors import Failure
from ucspi_py.system.rules import whole_file
from ucspi_py.system.rules.checked_cdb import CheckedReader, CheckedWriter
from ucspi_py.system.rules.live import RulesFile
from ucspi_py.system.rules.table import Table
from ucspi_py.system.rules.whole_file import SIZE_LIMIT

FLIPS = 10_000
BATCH = 1000


@contextmanager
def bounded(seconds: float = 1.0) -> Iterator[None]:
    """A search without end is stopped and fails. seconds: of our own work; what others do in them does not count."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"more than {seconds} s of work")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("shape", CORRUPT)
def test_a_corrupt_file_has_no_answer(shape: str, tmp_path: Path) -> None:
    """Not even for those whose rules may still be there: C answers some of them with an allow."""
    cdb = _file(tmp_path, CORRUPT[shape]())

    with bounded(), pytest.raises(Failure) as caught:
        RulesFile(str(cdb)).current()

    assert caught.value.sentence.startswith(f"unable to read {cdb}: corrupt rules file, ")
    assert "\n" not in caught.value.sentence
    assert caught.value.exit_code == 111


@pytest.mark.parametrize("shape", CORRUPT_FOR_SOME)
def test_a_corrupt_record_is_no_answer(shape: str, tmp_path: Path) -> None:
    """Found where the record is met: never a shorter value, never another record's."""
    cdb = _file(tmp_path, CORRUPT_FOR_SOME[shape]())

    with bounded():
        outcome = check_here(cdb, Client(b"192.0.2.7"))

    assert (outcome.code, outcome.out) == (111, b"")
    assert outcome.error.startswith(b"unable to read %b: corrupt rules file, " % bytes(cdb))


@pytest.mark.parametrize("shape", ANSWERED)
def test_an_odd_file_is_answered_as_by_c(shape: str, tmp_path: Path) -> None:
    """What C reads without doubt, we read too."""
    make, verdict = ANSWERED[shape]
    cdb = _file(tmp_path, make())
    client = Client(b"192.0.2.7")

    with bounded():
        outcome = check_here(cdb, client)

    assert outcome.out.endswith(verdict)
    assert [outcome] == check_all(theirs("tcprulescheck"), [(cdb, client)])


@pytest.mark.parametrize("shape", CORRUPT | CORRUPT_FOR_SOME)
def test_damage_is_never_kinder_than_c(shape: str, tmp_path: Path) -> None:
    """For each client: C's answer, or none."""
    cdb = _file(tmp_path, (CORRUPT | CORRUPT_FOR_SOME)[shape]())

    answers = check_all(theirs("tcprulescheck"), [(cdb, client) for client in CLIENTS])

    for client, expected in zip(CLIENTS, answers, strict=True):
        with bounded():
            _assert_no_kinder(check_here(cdb, client), expected)


@pytest.mark.parametrize("seed", range(FLIPS // BATCH))
def test_flipped_bytes(seed: int, tmp_path: Path) -> None:
    """Wherever one or a few bytes of a good file are changed: C's answer, or none, and no error but ours."""
    chance = random.Random(seed)
    questions = []
    for number in range(BATCH):
        cdb = tmp_path / f"{number}"
        cdb.write_bytes(_flipped(good(), chance))
        questions.append((cdb, chance.choice(CLIENTS)))

    answers = check_all(theirs("tcprulescheck"), questions)
    with bounded(10):
        outcomes = [check_here(cdb, client) for cdb, client in questions]

    shutil.rmtree(tmp_path)
    for outcome, expected in zip(outcomes, answers, strict=True):
        _assert_no_kinder(outcome, expected)
    assert sum(outcome.code == 111 for outcome in outcomes) > BATCH // 20
    assert sum(outcome.out.endswith(b"deny connection\n") for outcome in outcomes) > BATCH // 20


def _flipped(data: bytes, chance: random.Random) -> bytes:
    """One to three bytes changed, most of them behind the header, which is by far the largest part."""
    flipped = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.randrange(2048 if chance.random() < 0.7 else 0, len(data))
        flipped[place] ^= chance.choice([1 << chance.randrange(8), chance.randrange(1, 256)])
    return bytes(flipped)


def _assert_no_kinder(outcome: Outcome, expected: Outcome) -> None:
    assert outcome.code in (0, 111)
    if outcome.code == 0:
        assert outcome.out == expected.out
        assert expected.code == 0
    else:
        assert outcome.error.startswith(b"unable to read ")


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=60))
def test_what_is_written_can_be_read(records: list[tuple[bytes, bytes]]) -> None:
    """By us, and by cdblib itself, whose writer makes the same file."""
    ours, cdblibs = BytesIO(), BytesIO()
    writer = CheckedWriter(ours)
    writer.put_all(records)
    writer.finalize()
    plain = cdblib.Writer(cdblibs)
    for key, value in records:
        plain.put(key, value)
    plain.finalize()

    reader = CheckedReader(ours.getvalue())

    first = dict(reversed(records))
    assert {key: reader.get(key) for key in first} == first
    assert ours.getvalue() == cdblibs.getvalue()


@pytest.mark.parametrize(("room", "fits"), [(33, True), (32, False)])
def test_tables_that_32_bits_cannot_reach(room: int, fits: bool, tmp_path: Path) -> None:
    """A record of 16 bytes and a table of two slots: the file must end before 4 GB, as C has it."""
    with (tmp_path / "cdb").open("wb") as file:
        writer = CheckedWriter(file)
        file.seek((1 << 32) - room)
        writer.put_all([(b"key", b"value")])
        with nullcontext() if fits else pytest.raises(OverflowError):
            writer.finalize()


def test_a_record_that_32_bits_cannot_reach(tmp_path: Path) -> None:
    """Its position would wrap and lead to another record."""
    with (tmp_path / "cdb").open("wb") as file:
        writer = CheckedWriter(file)
        file.seek((1 << 32) - 16)
        with pytest.raises(OverflowError):
            writer.put_all([(b"key", b"value"), (b"key", b"value")])


def test_the_file_is_read_once(tmp_path: Path) -> None:
    """As long as it stays what it was."""
    rules = RulesFile(str(_file(tmp_path, good())))

    until(lambda: rules.current() is rules.current(), "the file to be older than a tick of the clock")


def test_a_file_replaced_by_rename(tmp_path: Path) -> None:
    """The next question has the new rules, even if all that differs is the file."""
    cdb = _file(tmp_path, good())
    rules = RulesFile(str(cdb))
    assert rules.current()(b"") == b"D\0"

    assert compile_here(GOOD.replace(b"\n:deny", b"\n:allow"), cdb, tmp_path / "tmp").code == 0

    assert rules.current()(b"") == b""


def test_a_file_written_in_place_with_its_old_times(tmp_path: Path) -> None:
    """Same size, same inode, same modification time."""
    cdb = _file(tmp_path, crafted(DENY))
    rules = RulesFile(str(cdb))
    assert rules.current()(b"") == b"D\0"
    status = cdb.stat()

    cdb.write_bytes(crafted(record(b"A\0")))
    os.utime(cdb, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert rules.current()(b"") == b"A\0"


def test_a_file_written_in_place_many_times_within_a_tick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Same size, same inode, and the times of a kernel before 6.13: each question has the rules of its moment."""
    exact = whole_file.version_of
    monkeypatch.setattr(whole_file, "version_of", lambda status: [number // 10**7 for number in exact(status)])
    cdb = _file(tmp_path, crafted(DENY))
    rules = RulesFile(str(cdb))

    for value in (b"A\0", b"D\0") * 200:
        with cdb.open("r+b") as file:
            file.write(crafted(record(value)))
        assert rules.current()(b"") == value


def _written_while_read(monkeypatch: pytest.MonkeyPatch, versions: Iterator[bytes]) -> None:
    """Whoever reads a rules file meets, in the middle, a writer with the next version, as long as there is one."""

    class Interrupted:
        def __init__(self, file: Any) -> None:
            self.fileno = file.fileno
            self._file = file

        def read(self, _limit: int) -> bytes:
            half: bytes = self._file.read(2050)
            for version in islice(versions, 1):
                Path(str(self._file.name)).write_bytes(version)
            rest: bytes = self._file.read()
            return half + rest

    @contextmanager
    def opened(path: str) -> Iterator[Interrupted]:
        with open(path, "rb", buffering=0) as file:
            yield Interrupted(file)

    monkeypatch.setattr(whole_file, "open_regular", opened)


def test_a_file_written_in_place_while_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Half of it old, half of it new: it is read again, and the mixture is not what stays."""
    cdb = _file(tmp_path, crafted(DENY))
    os.utime(cdb, (0, 0))
    _written_while_read(monkeypatch, iter([crafted(record(b"A\0"), pad=8)]))

    assert RulesFile(str(cdb)).current()(b"") == b"A\0"

    os.utime(cdb, (0, 0))
    _written_while_read(monkeypatch, iter([crafted(DENY, pad=16)]))
    assert Table(str(cdb)).get(b"") == b"D\0"


def test_a_file_written_in_place_whenever_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no answer while it goes on, and one as soon as it is over."""
    cdb = _file(tmp_path, crafted(DENY))
    _written_while_read(monkeypatch, (crafted(record(b"A\0"), pad=pad) for pad in (8, 16, 24)))
    rules = RulesFile(str(cdb))

    with pytest.raises(Failure, match=f"unable to read {cdb}: corrupt rules file, it is being written"):
        rules.current()
    assert rules.current()(b"") == b"A\0"


def test_old_rules_are_not_kept_in_memory(tmp_path: Path) -> None:
    """Neither by the decisions that were made by them."""
    cdb = _file(tmp_path, good())
    rules = RulesFile(str(cdb))
    rules.decide(b"192.0.2.7", None, None)
    old = weakref.ref(rules.current())

    (tmp_path / "new").write_bytes(good())
    (tmp_path / "new").rename(cdb)
    rules.decide(b"192.0.2.7", None, None)
    gc.collect()

    assert old() is None


def _truncate(cdb: Path) -> None:
    os.truncate(cdb, 2100)


def _empty(cdb: Path) -> None:
    cdb.write_bytes(b"")


def _remove(cdb: Path) -> None:
    cdb.unlink()


def _make_folder(cdb: Path) -> None:
    cdb.unlink()
    cdb.mkdir()


def _make_fifo(cdb: Path) -> None:
    cdb.unlink()
    os.mkfifo(cdb)


def _make_loop(cdb: Path) -> None:
    cdb.unlink()
    cdb.symlink_to(cdb)


def _make_endless(cdb: Path) -> None:
    cdb.unlink()
    cdb.symlink_to("/dev/zero")


def _make_too_big(cdb: Path) -> None:
    os.truncate(cdb, SIZE_LIMIT + 1)


def _make_bigger_than_32_bits(cdb: Path) -> None:
    os.truncate(cdb, 5 << 30)


MISFORTUNES: list[tuple[Callable[[Path], None], str]] = [
    (_truncate, "corrupt rules file, a hash table lies outside the file"),
    (_empty, "corrupt rules file, file is too short"),
    (_remove, "file does not exist"),
    (_make_folder, "is a directory"),
    (_make_fifo, "corrupt rules file, not a regular file"),
    (_make_loop, "symbolic link loop"),
    (_make_endless, "corrupt rules file, not a regular file"),
    (_make_too_big, "corrupt rules file, file is too big"),
    (_make_bigger_than_32_bits, "corrupt rules file, file is too big"),
]


@pytest.mark.parametrize(("strike", "reason"), MISFORTUNES, ids=lambda case: getattr(case, "__name__", ""))
def test_rules_that_were_good_are_not_kept(strike: Callable[[Path], None], reason: str, tmp_path: Path) -> None:
    """What strikes the file strikes the next client; once the file is back, so are the rules."""
    cdb = _file(tmp_path, good())
    rules = RulesFile(str(cdb))
    rules.current()

    strike(cdb)
    for _ in range(2):
        with bounded(), pytest.raises(Failure) as caught:
            rules.current()
        assert caught.value.sentence == f"unable to read {cdb}: {reason}"

    (tmp_path / "new").write_bytes(good())
    if cdb.is_dir():
        cdb.rmdir()
    (tmp_path / "new").rename(cdb)
    assert rules.current()(b"") == b"D\0"


@pytest.mark.parametrize("before", [None, good()], ids=["from the start", "after good ones"])
def test_a_corrupt_file_stays_corrupt(before: bytes | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For the second client, too, when its last change is long ago: neither no rules nor the old ones."""
    monkeypatch.setattr(whole_file, "_TICK", 0.0)
    rules = RulesFile(str(tmp_path / "cdb"))
    if before:
        _file(tmp_path, before)
        rules.current()

    _file(tmp_path, b"junk")

    for _ in range(3):
        with pytest.raises(Failure, match="corrupt rules file, file is too short"):
            rules.decide(b"192.0.2.7", None, None)


def test_only_a_missing_file_is_forgiven(tmp_path: Path) -> None:
    """-X: no file, no rules; but neither an empty one nor one behind a loop of links."""
    cdb = tmp_path / "cdb"
    rules = RulesFile(str(cdb), allow_missing=True)

    assert rules.current()(b"") is None
    cdb.write_bytes(good())
    assert rules.current()(b"") == b"D\0"
    cdb.unlink()
    assert rules.current()(b"") is None
    cdb.write_bytes(b"")
    with pytest.raises(Failure):
        rules.current()
    _make_loop(cdb)
    with pytest.raises(Failure):
        rules.current()


@pytest.mark.parametrize("allow_missing", [False, True])
def test_a_file_that_the_servers_user_may_not_read(allow_missing: bool) -> None:
    """What was read earlier is not used either; -X forgives nothing here."""
    need_root()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the other user must get at the file
        cdb = _file(Path(folder), good())
        rules = RulesFile(str(cdb), allow_missing)
        os.seteuid(65534)
        try:
            assert rules.current()(b"") == b"D\0"
            os.seteuid(0)
            cdb.chmod(0)
            os.seteuid(65534)
            with pytest.raises(Failure, match=f"unable to read {cdb}: access denied"):
                rules.current()
        finally:
            os.seteuid(0)


@pytest.mark.parametrize("strike", [_make_folder, _make_fifo, _empty, _make_endless])
def test_a_file_that_cannot_be_read_costs_no_descriptor(strike: Callable[[Path], None], tmp_path: Path) -> None:
    """A server meets it once for each client."""
    cdb = _file(tmp_path, good())
    strike(cdb)
    rules = RulesFile(str(cdb))
    before = _descriptors()

    for _ in range(20):
        with pytest.raises(Failure):
            rules.current()

    assert _descriptors() == before


def test_a_big_file_is_not_even_read(tmp_path: Path) -> None:
    """A sparse file of 5 GB takes no memory of ours."""
    cdb = _file(tmp_path, good())
    _make_bigger_than_32_bits(cdb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(Failure):
        RulesFile(str(cdb)).current()

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 10_000


def _file(folder: Path, data: bytes) -> Path:
    cdb = folder / "cdb"
    cdb.write_bytes(data)
    return cdb


def _descriptors() -> int:
    """The number that the next descriptor has."""
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    return fd
