"""Programs that tests run: ours as installed, the others as Debian has them."""

import os
import shutil
import sys
from pathlib import Path

import pytest


def ours(name: str) -> str:
    """The installed launcher of one of our programs."""
    return str(Path(sys.executable).parent / name)


def theirs(name: str) -> str:
    """A program of the system. A test without it is skipped, and fails in CI, where nothing may be missing."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{name} is missing, and CI must have it")
    pytest.skip(f"{name} is not installed")


def need_root() -> None:
    """Skip what only root can do; CI must be root."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("CI must run as root")
        pytest.skip("only root can do this")
