"""softlimit in front of us: its soft limits are meant for the backends, and CPython cannot live under them.

The launchers in bin/ note them in one environment variable and raise them; here they are laid on the program.
"""

from collections.abc import MutableMapping

from ..core.errors import AskedWrongly

#: Written by the launchers: ``v=5000000 d=5000000``, the shell's letter for a limit and its bytes.
VARIABLE = b"UCSPI_PY_SOFTLIMITS"

#: Pairs of the shell's letter for a limit and its bytes.
SoftLimits = tuple[tuple[str, int], ...]


def take_note(environment: MutableMapping[bytes, bytes]) -> SoftLimits:
    """The noted soft limits, taken out of the environment so that no program sees the note. Raises AskedWrongly."""
    note = environment.pop(VARIABLE, b"").decode("ascii", "replace")
    pairs = [pair.partition("=") for pair in note.split()]
    if not all(letter in ("v", "d") and size.isdigit() for letter, _, size in pairs):
        raise AskedWrongly(f"${VARIABLE.decode()} is for our launchers alone, unable to understand: {note}")
    return tuple((letter, int(size)) for letter, _, size in pairs)


def under(limits: SoftLimits, argv: tuple[str, ...]) -> tuple[str, ...]:
    """What to run so that argv runs under these limits, in full kilobytes, from its first instruction.

    Setting them on the running program comes some milliseconds too late, on ourselves they make posix_spawn fail for
    want of memory, and a fork costs more than this second exec. The shell gets argv as its parameters, never as text.
    """
    if not limits:
        return argv
    commands = [f"ulimit -S -{letter} {size // 1024}" for letter, size in limits]
    return ("/bin/sh", "-c", "; ".join([*commands, 'exec "$@"']), "sh", *argv)
