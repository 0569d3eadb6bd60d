"""The fields of the gate's log lines: who says it, of whom, and texts that cannot forge another field."""

from .visitor import Visitor

PROGRAM = b"smtpgate"
#: Bytes that are shown of a field.
FIELD_LIMIT = 512
#: A name from DNS may have any byte in it. Filters of fail2ban ban the address in the first brackets.
_NO_BRACKETS = bytes.maketrans(b"[]", b"??")
_FIELD = bytes(byte if 33 <= byte <= 126 and byte not in b"<>" else ord("?") for byte in range(256))


def program(client: Visitor) -> bytes:
    """Name the gate, with the id of the client's connection where Postfix has a process id."""
    return b"%b[%b]" % (PROGRAM, client.unique_id) if client.unique_id else PROGRAM


def who(client: Visitor) -> bytes:
    """Name the client and its address."""
    return b"%b[%b]" % (field(client.name).translate(_NO_BRACKETS), field(client.ip))


def field(text: bytes) -> bytes:
    """Show a text as one field, without a blank, < or >. text: the client's, of any length."""
    safe = text[:FIELD_LIMIT].translate(_FIELD)
    return safe + b"..." if len(text) > FIELD_LIMIT else safe
