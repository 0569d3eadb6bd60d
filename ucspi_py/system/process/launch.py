"""The rest of a launcher's work (bin/): the operator's environment and input as they were before its shell.

Never a setting of the operator's.
"""

import os
import signal
from collections.abc import MutableMapping

from ...core.service import launch_note
from ...core.service.launch_note import Keeper, LaunchNote


def arrive(note: LaunchNote, variables: MutableMapping[bytes, bytes]) -> None:
    """Restore the environment and the standard input with which the launcher was started.

    variables: os.environb. Without a keeper, or where it cannot be read, they stay as the launcher's shell and CPython
    (PEP 538) have left them.
    """
    if note.input is not None:
        os.dup2(note.input, 0)
        os.close(note.input)
    if note.keeper:
        kept = _kept(note.keeper)
        if kept is not None:
            _replace(variables, launch_note.environment(kept))


def _kept(keeper: Keeper) -> bytes | None:
    """The environment that a keeper has, as one block; None where it could not be had. The keeper is gone then."""
    try:
        with open(f"/proc/{keeper.pid}/environ", "rb") as file:
            block = file.read()
        gone, _ = os.waitpid(keeper.pid, os.WNOHANG)  # of a child that is gone nothing is read
        if not gone:
            os.kill(keeper.pid, signal.SIGKILL)
            os.waitpid(keeper.pid, 0)
    except OSError:
        return None
    finally:
        os.close(keeper.descriptor)
    return None if gone else block


def _replace(variables: MutableMapping[bytes, bytes], wanted: dict[bytes, bytes]) -> None:
    for name in set(variables) - set(wanted):
        del variables[name]
    for name, value in wanted.items():
        if variables.get(name) != value:
            variables[name] = value
