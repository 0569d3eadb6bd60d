"""UCSPI-TLS: what a program gets that asks for TLS itself, and what it is told (ucspi-tls(2) of s6-networking)."""

from collections.abc import Mapping

from .environment import variables, without_tls
from .facts import TlsFacts

#: What a program writes to its control socket: to begin, and to begin and be told.
ASKS = (b"y", b"Y")
ASKS_TO_BE_TOLD = b"Y"

#: The program's descriptors: the control socket, and the one for reading and writing once TLS has begun.
CONTROL, DATA = 3, 4

_SWITCH = b"UCSPITLS"


def offered(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Build the environment of a program that may ask: $UCSPITLS is a rule's, or empty, which is no demand."""
    return without_tls(environment) | {
        b"SSLCTLFD": b"%d" % CONTROL,
        b"SSLREADFD": b"%d" % DATA,
        b"SSLWRITEFD": b"%d" % DATA,
        _SWITCH: environment.get(_SWITCH, b""),
    }


def told(facts: TlsFacts) -> bytes:
    """Write what is known of the client's TLS as a program wants it: variables that end with NUL, and one more NUL."""
    return b"".join(b"%b=%b\0" % variable for variable in variables(facts).items()) + b"\0"
