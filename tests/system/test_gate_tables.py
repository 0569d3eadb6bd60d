"""Lookup tables as they are now: files that change, break and are mended, and keys that take too long."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from ucspi_py.core.gate.maps.names import Broken, MapName, parse_map_name
from ucspi_py.system.expressions.budget import Budget
from ucspi_py.system.gate.tables import Tables
from ucspi_py.system.rules.checked_cdb import CheckedWriter


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _nobody(sentence: str) -> None:
    """Of a test that looks at the answer."""


def _write(path: Path, source: bytes) -> Path:
    """Replace a file as a careful operator does; it is old enough to be believed at once."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(source)
    os.utime(new, (1, 1))
    new.replace(path)
    return path


def _cdb(path: Path, records: dict[bytes, bytes]) -> None:
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        writer = CheckedWriter(file)
        writer.put_all(records.items())
        writer.finalize()
    new.replace(path)


@pytest.mark.parametrize("kind", ["texthash", "hash", "btree", "lmdb"])
def test_the_text_beside_an_index_is_what_counts(kind: str, tmp_path: Path) -> None:
    """A replaced file is used after a second, and not before."""
    clock, lines = _Clock(), list[str]()
    tables = Tables(lines.append, clock)
    name = MapName(kind, str(_write(tmp_path / "access", b"a OK\n")))

    assert tables.look_up(name, b"A") == b"OK"

    _write(tmp_path / "access", b"a REJECT\n")
    clock.now += 0.9
    assert tables.look_up(name, b"a") == b"OK"
    clock.now += 0.2
    assert tables.look_up(name, b"a") == b"REJECT"
    assert tables.look_up(name, b"b") is None
    assert lines == []


def test_a_broken_table_is_said_once_a_minute_and_used_again_when_it_is_mended(tmp_path: Path) -> None:
    """Nothing of the former table is used meanwhile."""
    clock, lines = _Clock(), list[str]()
    tables = Tables(lines.append, clock)
    name = MapName("pcre", str(_write(tmp_path / "access", b"/a/ OK\n")))
    said = f"table {name}: line 2: a ( has no )"
    assert tables.look_up(name, b"a") == b"OK"

    _write(tmp_path / "access", b"/a/ OK\n/(b/ REJECT\n")
    answers = []
    for _ in range(63):
        clock.now += 1
        answers.append(tables.look_up(name, b"a"))

    assert answers == 63 * [Broken(said)]
    assert lines == 2 * [said]
    _write(tmp_path / "access", b"/a/ REJECT\n")
    clock.now += 1
    assert tables.look_up(name, b"a") == b"REJECT"


def test_a_table_that_is_not_there_is_broken_in_words_that_help(tmp_path: Path) -> None:
    """An index whose text is missing is named as that."""
    tables = Tables(_nobody)
    (tmp_path / "compiled.db").touch()
    found = [tables.look_up(MapName("hash", str(tmp_path / one)), b"a") for one in ("none", "compiled")]

    path = tmp_path / "compiled"
    assert found == [
        Broken(f"table hash:{tmp_path}/none: file does not exist"),
        Broken(f"table hash:{path}: the gate reads the text {path} beside {path}.db, and it does not exist"),
    ]


def test_what_postfix_would_warn_of_is_told_at_the_start(tmp_path: Path) -> None:
    """The table is used all the same."""
    tables = Tables(_nobody)
    flaws = tables.inspect(MapName("hash", str(_write(tmp_path / "access", b"a OK\na REJECT\n"))))

    assert not isinstance(flaws, Broken)
    assert [(flaw.line, flaw.is_error) for flaw in flaws] == [(2, False)]
    assert isinstance(tables.inspect(parse_map_name("inline:{a}")), Broken)


def test_tables_of_main_cf_need_no_file() -> None:
    """They are read once."""
    tables = Tables(_nobody)

    assert tables.look_up(parse_map_name("inline:{ {a = b c} }"), b"A") == b"b c"
    assert tables.look_up(parse_map_name("static:OK"), b"any") == b"OK"


def test_a_cdb_is_looked_into_on_disk_and_replaced(tmp_path: Path) -> None:
    """100,000 keys cost less memory than 2,000 of them would."""
    _cdb(tmp_path / "access.cdb", {b"%d@example" % number: b"OK" for number in range(100_000)})
    clock, name = _Clock(), MapName("cdb", str(tmp_path / "access"))
    tables = Tables(_nobody, clock)

    tracemalloc.start()
    try:
        assert tables.look_up(name, b"77777@EXAMPLE") == b"OK"
        assert tables.look_up(name, b"100000@example") is None
        # Python 3.14 opens a file with a buffer of 128 KiB.
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()

    _cdb(tmp_path / "access.cdb", {b"77777@example": b"REJECT"})
    clock.now += 1
    assert tables.look_up(name, b"77777@example") == b"REJECT"


@pytest.mark.parametrize("damage", [b"", b"x" * 100, b"\xff" * 4096])
def test_a_damaged_cdb_is_broken(damage: bytes, tmp_path: Path) -> None:
    """It lets nobody in."""
    lines: list[str] = []
    (tmp_path / "access.cdb").write_bytes(damage)

    found = Tables(lines.append).look_up(MapName("cdb", str(tmp_path / "access")), b"a")

    assert isinstance(found, Broken)
    assert lines == [found.sentence]


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
def test_a_key_that_takes_too_long_matches_no_more_than_it_must(kind: str, tmp_path: Path) -> None:
    """The rules behind the expression are asked, it is said once, and the next key is answered at once."""
    lines: list[str] = []
    tables = Tables(lines.append)
    source = b"/^(a|b|ab)*c$/ bad\n/^x/ good\n/./ last\n"
    name = MapName(kind, str(_write(tmp_path / "access", source)))
    begun = time.thread_time()

    found = [tables.look_up(name, key) for key in (40 * b"ab" + b"!", 40 * b"ab" + b"!", b"x", b"c")]

    assert found == [b"last", b"last", b"good", b"bad"]
    assert time.thread_time() - begun < 2
    assert lines[0].startswith(f"table {name} line 1: a key took too long")


def test_a_key_that_takes_too_long_for_each_rule_has_no_value(tmp_path: Path) -> None:
    """However many there are, it is given up."""
    lines: list[str] = []
    tables = Tables(lines.append)
    name = MapName("pcre", str(_write(tmp_path / "access", 20 * b"/^(a|a)*c$/ bad\n" + b"/./ last\n")))
    begun = time.thread_time()

    assert tables.look_up(name, 60 * b"a") is None

    assert time.thread_time() - begun < 2
    assert len(lines) == 1


def test_a_table_is_walked_in_steps_and_remembers_which_rule_was_late(tmp_path: Path) -> None:
    """One for each rule; a rule that takes too long is asked no more, and named."""
    lines: list[str] = []
    tables, budget = Tables(lines.append), Budget(0.03)
    name = MapName("pcre", str(_write(tmp_path / "body", b"/^(a|a)*c$/ bad\n/^x/ good\n/./ last\n")))
    skipped: set[int] = set()
    key, begun = 60 * b"a", time.thread_time()

    assert budget.spend(lambda: list(tables.walk(name, key, skipped))) == [None, None, b"last"]
    assert time.thread_time() - begun < 0.5
    assert skipped == {1}
    assert lines == [f"table {name} line 1: a message took too long, and the expression is not asked again"]
    assert list(tables.walk(name, key, skipped)) == [None, None, b"last"]
    assert list(tables.walk(name, b"x", skipped)) == [None, b"good"]
    assert list(tables.walk(MapName("pcre", str(tmp_path / "none")), key, skipped)) == [
        Broken(f"table pcre:{tmp_path}/none: file does not exist")
    ]


def test_a_search_alone_is_ended() -> None:
    """Whatever else takes long in a budget is not disturbed."""
    begun = time.thread_time()

    def work() -> str:
        while time.thread_time() - begun < 0.1:
            pass
        return "done"

    assert Budget(0.01).spend(work) == "done"


@pytest.mark.parametrize(
    ("word", "source", "values"),
    [
        ("pcre", b"if /a/\n/(b)/ REPLACE $1\nendif\n/c/ OK\n", [(2, b"REPLACE ${1}"), (4, b"OK")]),
        ("texthash", b"a OK\nb REJECT no\n", [(0, b"OK"), (0, b"REJECT no")]),
        ("cidr", b"192.0.2.0/24 OK\n", [(1, b"OK")]),
    ],
)
def test_the_values_of_a_table(word: str, source: bytes, values: list[tuple[int, bytes]], tmp_path: Path) -> None:
    """With their lines, where these are known."""
    name = MapName(word, str(_write(tmp_path / "table", source)))

    assert list(Tables(_nobody).values(name)) == values
    assert list(Tables(_nobody).values(MapName(word, str(tmp_path / "none")))) == []
    assert list(Tables(_nobody).values(parse_map_name("static:OK"))) == [(0, b"OK")]
