"""A command of ours run in this process: many of them in little time."""

import subprocess
from collections.abc import Callable

import pytest

from .rules_tools import Run

#: Runs a command, given its words.
Command = Callable[..., Run]


def command_of(
    program: str, main: Callable[[], object], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[bytes]
) -> Command:
    """Make what runs a program. main: its own, which ends the process."""

    def run(*words: object) -> Run:
        monkeypatch.setattr("sys.argv", [program, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(list(map(str, words)), ended.value.code, said.out, said.err)

    return run
