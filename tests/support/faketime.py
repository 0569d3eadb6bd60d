"""A host whose clock is wrong: libfaketime before a program of ours."""

import os
from collections.abc import Mapping
from pathlib import Path

from .programs import theirs


def an_hour_ahead() -> Mapping[str, str]:
    """Variables of a program whose wall clock is an hour ahead; how long things take is as ever."""
    theirs("faketime")
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return {
        "PATH": os.environ["PATH"],
        "LD_PRELOAD": str(library),
        "FAKETIME": "+1h",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
