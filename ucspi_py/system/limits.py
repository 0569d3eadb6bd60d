"""softlimit in front of us: its soft limits are meant for the programs, and CPython cannot live under them.

The launchers in bin/ note them and raise them (launch.py); here they are laid on the program.
"""

#: Pairs of the shell's letter for a limit (v: address space, d: data) and its bytes.
SoftLimits = tuple[tuple[str, int], ...]


def under(limits: SoftLimits, argv: tuple[str, ...]) -> tuple[str, ...]:
    """What to run so that argv runs under these limits, in full kilobytes, from its first instruction.

    Setting them on the running program comes some milliseconds too late, on ourselves they make posix_spawn fail for
    want of memory, and a fork costs more than this second exec. The shell gets argv as its parameters, never as text.
    """
    if not limits:
        return argv
    commands = [f"ulimit -S -{letter} {size // 1024}" for letter, size in limits]
    return ("/bin/sh", "-c", "; ".join([*commands, 'exec "$@"']), "sh", *argv)
