"""Lookup tables beside Postfix's own postmap; ``python -m tests.fuzz_maps`` asks it more."""

import random
from pathlib import Path

import pytest

from tests.support.postmap import DRAWS, asked_once, differs, need_kind
from ucspi_py.core.gate.maps.parse import parse_table

_TABLES = 60


@pytest.mark.parametrize("kind", sorted(DRAWS))
def test_random_tables_say_what_postmap_finds_in_them(kind: str, tmp_path: Path) -> None:
    """Each key has the value that postmap -q finds, unless the table is refused; what postmap warns of is a flaw."""
    need_kind(kind)
    draw = random.Random(1)

    found = [differs(tmp_path, DRAWS[kind](draw)) for _ in range(_TABLES)]

    assert list(filter(None, found)) == []


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
@pytest.mark.parametrize("expression", [b"^b", b"a$", b"a.b", b"a[^x]b", rb"a\sb", b"^$", rb"b\'", rb"b\Z", rb"b\z"])
def test_a_newline_in_a_key_is_where_postmap_sees_it(kind: str, expression: bytes, tmp_path: Path) -> None:
    """With the flag m and without, inside and at the end; what one kind does not know is refused by it."""
    need_kind(kind)
    for flags in (b"", b"m"):
        source = b"/%b/%b OK" % (expression, flags)
        table = parse_table(kind, source)
        for key in (b"a\nb", b"a\n", b"\n", b"b\n\n", b"ab\n") if not table.flaws else ():
            assert table.get(key) == asked_once(tmp_path, kind, source, key), (source, key)
