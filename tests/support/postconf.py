"""Postfix's own reading of main.cf and master.cf."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from .programs import theirs


class Said(NamedTuple):
    """The text of each parameter that was asked for, expanded, one blank between its words; None = it is fatal.

    complaints: warnings and the fatal sentence, without the place.
    """

    texts: dict[str, str] | None
    complaints: str


def postconf(directory: Path, main: bytes, *names: str, master: str = "") -> Said:
    """Ask postconf about parameters of a main.cf."""
    (directory / "main.cf").write_bytes(main)
    (directory / "master.cf").write_text(master)
    os.utime(directory / "main.cf", (1, 1))  # Postfix waits until it is two seconds old
    command = [theirs("postconf"), "-c", str(directory), "-x", *names]
    done = subprocess.run(command, capture_output=True, check=False)
    complaints = done.stderr.decode("utf-8", "backslashreplace").replace(f"{directory}/", "")
    if done.returncode:
        return Said(None, complaints)
    lines = [line.partition(" =") for line in done.stdout.decode("utf-8", "surrogateescape").splitlines()]
    return Said({name: " ".join(text.split()) for name, _, text in lines}, complaints)
