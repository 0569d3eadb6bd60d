"""The address of a host name, once, before the server listens."""

import os
from pathlib import Path

import pytest

from tests.support import nameserver
from ucspi_py.system.lookup.start_lookup import address_of


def test_nothing_stays_open_of_the_look_up_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket would be inherited by every worker, and frozen there for good."""
    before = os.listdir("/proc/self/fd")
    with nameserver.running({"door.example A": ["127.0.0.1"]}, tmp_path) as dns:
        monkeypatch.setenv("DNSCACHEIP", dns)
        during = os.listdir("/proc/self/fd")
        assert address_of("door.example") == "127.0.0.1"
        assert os.listdir("/proc/self/fd") == during

    assert os.listdir("/proc/self/fd") == before
