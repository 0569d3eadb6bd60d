"""What the tests of this folder share: the archives of a fresh checkout."""

from pathlib import Path

import pytest

from tests.support.archives import Archives, build
from tests.support.checkout import fresh_checkout


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the checkouts and the archives of this folder are."""
    return tmp_path_factory.mktemp("archives")


@pytest.fixture(scope="package")
def archives(place: Path) -> Archives:
    """What is made of a fresh checkout."""
    return build(fresh_checkout(place / "checkout"), place / "made")
