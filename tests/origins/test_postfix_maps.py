"""Lookup tables beside Postfix's own postmap; ``python -m tests.fuzz_maps`` asks it more."""

import random
from pathlib import Path

import pytest

from tests.support.postmap import DRAWS, differs, need_kind

_TABLES = 60


@pytest.mark.parametrize("kind", sorted(DRAWS))
def test_random_tables_say_what_postmap_finds_in_them(kind: str, tmp_path: Path) -> None:
    """Each key has the value that postmap -q finds, unless the table is refused; what postmap warns of is a flaw."""
    need_kind(kind)
    draw = random.Random(1)

    found = [differs(tmp_path, DRAWS[kind](draw)) for _ in range(_TABLES)]

    assert list(filter(None, found)) == []
