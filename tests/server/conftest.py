"""What the tests of the gate share."""

import pytest

from tests.support.backends.known import Scripted


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Scripted:
    """The backend of all."""
    return Scripted(tmp_path_factory.mktemp("backend"))
