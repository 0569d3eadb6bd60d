"""What tests of parts share that have a store."""

import pytest

from tests.support.waiting import PATIENCE
from ucspi_py.system.store import attempts


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients wait for a server as long as a busy machine makes them: what it answers is heard."""
    monkeypatch.setattr(attempts, "_FOR_A_SERVER", PATIENCE)
