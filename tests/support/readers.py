"""How mail servers read the content of a message: what stands behind 354 -> what they take for one message."""

from collections.abc import Callable
from typing import NamedTuple


class Read(NamedTuple):
    """What a server has read: the lines of the message, and the bytes that it took for it, the end among them."""

    lines: list[bytes]
    taken: int


def rfc(said: bytes) -> Read | None:
    """Read as RFC 5321 says: a line ends in CRLF, a dot that begins it is taken away. None: no end."""
    taken = 0
    lines: list[bytes] = []
    for line in said.split(b"\r\n")[:-1]:
        taken += len(line) + 2
        if line == b".":
            return Read(lines, taken)
        lines.append(line.removeprefix(b"."))
    return None


def qmail(said: bytes) -> Read | None:
    """Read as qmail-smtpd.c does (blast). None: no end, or a LF without CR, at which it leaves."""
    content, state = bytearray(), "line end"
    for at, byte in enumerate(said):
        char = bytes((byte,))
        if (state, char) == ("dot CR", b"\n"):
            return Read(bytes(content).split(b"\n")[:-1], at + 1)
        if char == b"\n" and state != "CR":
            return None
        before, state = _blast(state, char)
        content += before
    return None


def _blast(state: str, char: bytes) -> tuple[bytes, str]:
    """What is written at a byte, and the state behind it."""
    if char == b"\n":
        return b"\n", "line end"
    if state == "dot CR":
        return (b".\r", "CR") if char == b"\r" else (b".\r" + char, "line")
    if state == "CR":
        return (b"\r", "CR") if char == b"\r" else (b"\r" + char, "line")
    if char == b"\r":
        return b"", "dot CR" if state == "dot" else "CR"
    return (b"", "dot") if state == "line end" and char == b"." else (char, "line")


def by_lf(said: bytes) -> Read | None:
    """Read as the loosest do (mailfront, Postfix of old): a line ends in LF, any CRs before it do not count."""
    taken = 0
    lines: list[bytes] = []
    for line in said.split(b"\n")[:-1]:
        taken += len(line) + 1
        text = line.rstrip(b"\r")
        if text == b".":
            return Read(lines, taken)
        lines.append(text.removeprefix(b"."))
    return None


READERS: dict[str, Callable[[bytes], Read | None]] = {"RFC 5321": rfc, "qmail": qmail, "by LF": by_lf}
