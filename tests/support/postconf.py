"""Postfix's own reading of main.cf and master.cf."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .programs import theirs
from .waiting import PATIENCE


class Said(NamedTuple):
    """The text of each parameter that was asked for, expanded, one blank between its words; None = it is fatal.

    complaints: warnings and the fatal sentence, without the place.
    """

    texts: dict[str, str] | None
    complaints: str


def postconf(directory: Path, main: bytes, *names: str, master: str = "") -> Said:
    """Ask postconf about parameters of a main.cf."""
    return _said(directory, _asked(directory, main, names, master))


def postconf_of_each(folder: Path, mains: Sequence[bytes], *names: str) -> dict[bytes, Said]:
    """Ask about parameters of many a main.cf at once: what is fatal costs a second each (Postfix, msg_fatal)."""
    directories = [folder / str(number) for number in range(len(mains))]
    for directory in directories:
        directory.mkdir()
    asked = [_asked(directory, main, names, "") for directory, main in zip(directories, mains, strict=True)]
    said = [_said(directory, one) for directory, one in zip(directories, asked, strict=True)]
    return dict(zip(mains, said, strict=True))


def _asked(directory: Path, main: bytes, names: Sequence[str], master: str) -> subprocess.Popen[bytes]:
    (directory / "main.cf").write_bytes(main)
    (directory / "master.cf").write_text(master)
    os.utime(directory / "main.cf", (1, 1))  # Postfix waits until it is two seconds old
    command = [theirs("postconf"), "-c", str(directory), "-x", *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _said(directory: Path, asked: subprocess.Popen[bytes]) -> Said:
    with asked:
        out, errors = asked.communicate(timeout=PATIENCE)
    complaints = errors.decode("utf-8", "backslashreplace").replace(f"{directory}/", "")
    if asked.returncode:
        return Said(None, complaints)
    lines = [line.partition(" =") for line in out.decode("utf-8", "surrogateescape").splitlines()]
    return Said({name: " ".join(text.split()) for name, _, text in lines}, complaints)
