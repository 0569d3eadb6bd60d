"""Postfix's lookup tables as they are now. Never decides which keys are asked for, or what follows from a value.

Each file is looked at once a second at most, and read again when it has changed.
"""

import os
import struct
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial

from ...core.errors import CorruptRules, error_words
from ...core.gate.maps.cidr import CidrTable
from ...core.gate.maps.indexed import IndexedTable
from ...core.gate.maps.names import INDEXED, UNFILED, Broken, MapName
from ...core.gate.maps.parse import parse_table
from ...core.gate.maps.patterns.table import PatternTable
from ...core.gate.maps.table import Flaw, Table, told
from ...core.gate.maps.unfiled import StaticTable
from ..expressions.budget import Budget
from ..report.complaints import Complaints
from ..rules.checked_cdb import CheckedReader
from ..rules.table import reader_on_disk
from ..rules.whole_file import WholeFile, version_of

#: Seconds between two looks at a file.
_LOOK = 1.0
#: Keys whose value in a table of networks or expressions is kept until it changes: a flood comes from few.
_REMEMBERED = 4096

Get = Callable[[bytes], bytes | None]


class _Short(Exception):
    """A value that is not to be remembered, for time was short."""

    def __init__(self, value: bytes | None) -> None:
        super().__init__()
        self.value = value


class Tables:
    """Tables by their names, each opened when it is first asked.

    complain: gets a sentence about what is wrong with one, each once a minute. clock: gives monotonic seconds.
    """

    def __init__(self, complain: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._complain = Complaints(complain, clock)
        self._clock = clock
        self._tables: dict[MapName, _LiveTable] = {}
        self._budget = Budget()

    def look_up(self, name: MapName, key: bytes) -> bytes | Broken | None:
        """Find the value of one key; None where there is none, Broken where the table cannot be read now."""
        found = self._table(name).current()
        if isinstance(found, Broken):
            self._complain(found.sentence)
            return found
        try:
            return found.get(key)
        except _Short as short:
            return short.value
        except (CorruptRules, struct.error) as damage:
            why = damage.sentence if isinstance(damage, CorruptRules) else "file was cut short meanwhile"
            broken = Broken(f"table {name}: {why}")
            self._complain(broken.sentence)
            return broken

    def walk(self, name: MapName, key: bytes, skipped: set[int]) -> Iterator[bytes | Broken | None]:
        """Find the value of one key in steps, as PatternTable.walk(), within a budget of the caller's.

        For keys that are long and come once: no value is remembered. skipped: lines of expressions that are asked no
        more; gets those that have taken too long.
        """
        found = self._table(name).current()
        if isinstance(found, _Opened) and isinstance(found.table, PatternTable):

            def late(line: int) -> None:
                skipped.add(line)
                self._complain(
                    f"table {name} line {line}: a message took too long, and the expression is not asked again"
                )

            yield from found.table.walk(key, late, skipped)
        else:
            yield self.look_up(name, key)

    def values(self, name: MapName) -> Iterator[tuple[int, bytes]]:
        """Find the values that a table has now, each with its line, 0 = unknown; of $1 the place. None of a cdb."""
        found = self._table(name).current()
        table = found.table if isinstance(found, _Opened) else None
        match table:
            case PatternTable():
                for rule in table.rules:
                    if rule.value:
                        yield rule.line, rule.value.text
            case CidrTable():
                yield from ((rule.line, rule.value) for rule in table.rules if rule.value is not None)
            case IndexedTable():
                yield from ((0, value) for value in table.values.values())
            case StaticTable():
                yield 0, table.value

    def inspect(self, name: MapName) -> Broken | tuple[Flaw, ...]:
        """Look before the first client comes whether a table can be used -> what Postfix would warn of, too."""
        found = self._table(name).current()
        return found if isinstance(found, Broken) else found.flaws

    def _table(self, name: MapName) -> "_LiveTable":
        if name not in self._tables:
            self._tables[name] = _LiveTable(name, self._opened, self._clock)
        return self._tables[name]

    def _opened(self, name: MapName, table: Table) -> "_Opened":
        if name.kind == "cidr":
            return _Opened(lru_cache(_REMEMBERED)(table.get), table)
        if isinstance(table, PatternTable):
            return _Opened(lru_cache(_REMEMBERED)(partial(self._search, name, table)), table)
        return _Opened(table.get, table)

    def _search(self, name: MapName, table: PatternTable, key: bytes) -> bytes | None:
        late: list[int] = []
        found = self._budget.spend(lambda: table.get(key, late=late.append))
        if not self._budget.was_short:
            return found
        line = f" line {late[0]}" if late else ""
        self._complain(
            f"table {name}{line}: a key took too long, and the expression counted as one that it does not match"
        )
        raise _Short(found)


class _Opened:
    """A table that can be used. table: None = it is read on disk."""

    def __init__(self, get: Get, table: Table | None = None) -> None:
        self.get = get
        self.table = table

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What is wrong with its source."""
        return self.table.flaws if self.table else ()


class _LiveTable:
    """One table, and what it is now. opened: makes it usable."""

    def __init__(self, name: MapName, opened: Callable[[MapName, Table], _Opened], clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._looks_again = 0.0
        self._found: _Opened | Broken = Broken("")
        path, kind = name.path_or_text, name.kind
        self._read: Callable[[], _Opened]
        if kind in UNFILED:
            self._looks_again = float("inf")
            self._read = lambda: self._parse(opened, os.fsencode(path))
            self._found = self._look()
        elif kind == "cdb":
            self._read = _CdbOnDisk(f"{path}.cdb").current
        else:
            self._read = WholeFile(path, partial(self._parse, opened)).current

    def current(self) -> _Opened | Broken:
        """What it is now; looked at once a second at most."""
        now = self._clock()
        if now >= self._looks_again:
            self._looks_again = now + _LOOK
            self._found = self._look()
        return self._found

    def _parse(self, opened: Callable[[MapName, Table], _Opened], source: bytes) -> _Opened:
        table = parse_table(self._name.kind, source)
        if error := told(table.flaws):
            raise CorruptRules(error)
        return opened(self._name, table)

    def _look(self) -> _Opened | Broken:
        try:
            return self._read()
        except CorruptRules as corrupt:
            return Broken(f"table {self._name}: {corrupt.sentence}")
        except OSError as error:
            return Broken(f"table {self._name}: {self._reason(error)}")

    def _reason(self, error: OSError) -> str:
        path = self._name.path_or_text
        indexed = next((f"{path}.{end}" for end in ("db", "lmdb") if os.path.exists(f"{path}.{end}")), "")
        if isinstance(error, FileNotFoundError) and self._name.kind in INDEXED and indexed:
            return f"the gate reads the text {path} beside {indexed}, and it does not exist"
        return error_words(error.errno) if error.errno else str(error)


class _CdbOnDisk:
    """A cdb that is never read as a whole, opened anew when it has changed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._version: tuple[int, ...] = ()
        self._opened: _Opened

    def current(self) -> _Opened:
        """Raises OSError, CorruptRules."""
        version = version_of(os.stat(self._path))
        if version != self._version:
            self._version = ()
            self._opened = _Opened(partial(_value, reader_on_disk(self._path)))
            self._version = version
        return self._opened


def _value(reader: CheckedReader, key: bytes) -> bytes | None:
    """postmap writes keys in small letters. Raises CorruptRules, struct.error."""
    found: bytes | None = reader.get(key.lower())
    return found
