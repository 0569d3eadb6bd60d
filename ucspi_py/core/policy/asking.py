"""The client's side of the policy protocol: a request as it is sent, and its reply as it comes (attr_scan_plain.c)."""

from collections.abc import Iterable

from ..text import has_control, is_utf8

#: Bytes of a reply; a header field has at most 998 in a line (RFC 5322, 2.1.1).
REPLY_LIMIT = 12288
#: What would end a value, or cannot be shown, is sent as Postfix shows it (stringops.h, printable()).
_SENT = bytes(byte if byte > 31 and byte != 127 else ord("?") for byte in range(256))
_ACTION = b"action"


class NotAReply(Exception):
    """What came is no reply; nothing more of this connection can be understood. sentence: why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def request(attributes: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write a request. attributes: names and values."""
    return b"".join(b"%b=%b\n" % (name, value.translate(_SENT)) for name, value in attributes) + b"\n"


class ReplyReader:
    """Reads one reply: lines ``name=value``, one of them ``action=...``, and an empty one."""

    def __init__(self) -> None:
        self._data = bytearray()

    def receive(self, data: bytes) -> bytes | None:
        """Read a piece -> the action; None = the reply is not whole yet. Raises NotAReply."""
        self._data += data
        lines, end, rest = (b"\n" + bytes(self._data)).partition(b"\n\n")
        if len(self._data) > REPLY_LIMIT:
            raise NotAReply(f"its reply has more than {REPLY_LIMIT} bytes")
        if not end:
            return None
        if rest:
            raise NotAReply("it says something behind its reply")
        return _action(lines.split(b"\n")[1:])


def _action(lines: list[bytes]) -> bytes:
    """The first action; other attributes are passed over."""
    found = [line.partition(b"=") for line in lines]
    if not all(equals for _, equals, _ in found):
        raise NotAReply("its reply has a line that is not name=value")
    action = next((value for name, _, value in found if name == _ACTION), None)
    if action is None:
        raise NotAReply("its reply has no action")
    if has_control(action.replace(b"\t", b" ")):
        raise NotAReply("its action has a control character")
    if not is_utf8(action):
        raise NotAReply("its action is not UTF-8")
    return action
