"""What the launchers in bin/ noted for us before the interpreter started. Never a setting of the operator's."""

from collections.abc import MutableMapping

from ..core.errors import AskedWrongly
from .limits import SoftLimits

#: Words: ``v=BYTES`` and ``d=BYTES`` for soft limits that were raised, ``LC_CTYPE=value`` for what to put back,
#: ``-NAME`` for what to take out of the environment again.
VARIABLE = b"UCSPI_PY_LAUNCH"


def take_note(environment: MutableMapping[bytes, bytes]) -> SoftLimits:
    """The soft limits meant for the programs; the environment becomes what whoever started us made it.

    The shell of the launcher adds PWD; CPython, started in the C locale, changes LC_CTYPE for all its children
    (PEP 538). The note itself is taken out as well. Raises AskedWrongly for a note that no launcher wrote.
    """
    limits = []
    for word in environment.pop(VARIABLE, b"").split():
        name, equals, value = word.partition(b"=")
        if name in (b"v", b"d") and value.isdigit():
            limits.append((name.decode("ascii"), int(value)))
        elif name == b"LC_CTYPE" and equals:
            environment[name] = value
        elif word in (b"-LC_CTYPE", b"-PWD"):
            environment.pop(word[1:], None)
        else:
            raise AskedWrongly(f"${VARIABLE.decode()} is for our launchers alone, unable to understand {word!r}")
    return tuple(limits)
