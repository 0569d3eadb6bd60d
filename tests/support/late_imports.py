"""A program that notes every module that it loads once root is given up: a worker may not be able to read it then."""

import sys
from pathlib import Path

_SCRIPT = """
import os, sys
notes, sys.argv = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT), sys.argv[2:]
from ucspi_py.cli.MODULE import main
from ucspi_py.system.process import privileges
become = privileges.become

def note(event, arguments):
    if event == "import":
        os.write(notes, arguments[0].encode() + b"\\n")

def become_and_note(*ids):
    become(*ids)
    os.write(notes, b"".join(b"before %s\\n" % name.encode() for name in sys.modules))
    sys.addaudithook(note)

privileges.become = become_and_note
main()
"""


def noting(module: str, notes: Path) -> tuple[str, ...]:
    """What stands before a program's words. module: of ucspi_py.cli, with its main(). notes: file, made if need be."""
    return (sys.executable, "-I", "-c", _SCRIPT.replace("MODULE", module), str(notes))


def loaded(notes: Path) -> tuple[set[str], list[str]]:
    """What was loaded before root was given up, and what afterwards, in its order. Root must have been given up."""
    lines = notes.read_text().splitlines()
    before = {line.removeprefix("before ") for line in lines if line.startswith("before ")}
    assert before
    return before, [line for line in lines if not line.startswith("before ")]
