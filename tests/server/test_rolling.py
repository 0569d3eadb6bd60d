"""Three hosts behind a real HAProxy, restarted one after the other: ``bench/rolling.py`` in its short form."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import theirs

pytestmark = pytest.mark.alone

SCRIPT = str(Path(__file__).parents[2] / "bench" / "rolling.py")


def test_no_client_is_lost() -> None:
    """While each host serves until HAProxy has seen that it is going to stop."""
    for program in ("cc", "haproxy", "redis-server"):
        theirs(program)
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run([sys.executable, SCRIPT, "3", "60"], env=env, capture_output=True, check=False, timeout=120)

    told = re.search(rb"(\d+) restarts, 180 clients, 0 lost", done.stdout)
    assert told, (done.stdout, done.stderr)
    assert int(told[1]) > 0
    assert done.returncode == 0
