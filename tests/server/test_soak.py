"""The short form of tests/soak.py."""

from pathlib import Path

import pytest

from tests.soak import soak

pytestmark = pytest.mark.alone


def test_nothing_is_missing_in_the_end(tmp_path: Path) -> None:
    """Eight seconds of everything at once with 100 clients."""
    fates = soak(8.0, 100, tmp_path)

    assert fates["_talk"] > 10
