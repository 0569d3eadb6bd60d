"""Which program is meant, by the name it was started under or by its first word. Never reads its options."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..core.errors import AskedWrongly
from ..core.service import launch_note
from ..system.process import launch
from . import djb_click

#: The programs, each with its module; a name that begins with another one's stands before it.
PROGRAMS = {
    "pytcprulescheck": "tcprulescheck",
    "pytcprules": "tcprules",
    "pytcpserver": "tcpserver",
    "pyrblsmtpd": "chain.rblsmtpd",
    "pyrblcheck": "rblcheck",
    "pyrelaytest": "relaytest",
    "pygreylist": "greylist.commands",
    "pysmtpgate": "chain.smtpgate",
    "pyrules": "rules.commands",
    "pyrelay": "relay.commands",
    "pysumm": "summ.commands",
    "pyucspitop": "top.commands",
    "pypostgrey": "postgrey.commands",
}
#: Those that start other programs, which are to have what softlimit in front of us has set.
_SPAWNING = ("tcpserver", "chain.rblsmtpd", "greylist.commands", "chain.smtpgate", "relay.commands")

USAGE = "python -m ucspi_py program [ argument ... ]; the programs are " + ", ".join(sorted(PROGRAMS))


def main(words: Sequence[str]) -> None:
    """Run a program. words: a launcher's note and its own path, or a program's name; then the program's words."""
    djb_click.run("ucspi_py", USAGE, lambda _args: _start(list(words)))


def _start(words: list[str]) -> None:
    note, words = _note(words)
    if words[:1] == ["--version"]:
        djb_click.tell(1, f"ucspi_py {__version__}\n".encode())
        return
    if not words:
        raise AskedWrongly("which program?")
    program = module_of(words[0]) or module_of(os.path.realpath(words[0]))
    if program is None:
        raise AskedWrongly(f"unable to tell which program {words[0]} is")
    sys.argv = words
    launch.arrive(note, os.environb)
    run = import_module(f"{__package__}.{program}").main
    run(note.soft_limits) if program in _SPAWNING else run()


def _note(words: list[str]) -> tuple[launch_note.LaunchNote, list[str]]:
    if not words or not words[0].startswith(launch_note.BEGIN):
        return launch_note.LaunchNote(), words
    try:
        return launch_note.parse(words[0]), words[1:]
    except ValueError as error:
        raise AskedWrongly(str(error)) from None


def module_of(name: str) -> str | None:
    """Find the module of a program by a name or path that begins with its own, py or not; None = none."""
    name = os.path.basename(name)
    name = name if name.startswith("py") else f"py{name}"
    return next((module for known, module in PROGRAMS.items() if name.startswith(known)), None)
