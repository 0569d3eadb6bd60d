"""When a message may pass milters, read of what they have said alone. See tests/fuzz_milter_gate.py."""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

#: Bytes of another body that a milter may send in the fuzz.
BODY_LIMIT = 20
_LIMIT = 1024 * 1024 + 1
_NAME = rb"[!-9;-~]+\0"
_CHANGES = {
    b"h": (rb"%b[^\0]*\0" % _NAME, 1),
    b"b": (rb"(?s:.*)", 2),
    b"+": (rb"[^\0]*\0", 4),
    b"-": (rb"[^\0]*\0", 8),
    b"m": (rb"[\0-\x7f](?s:...)%b[^\0]*\0" % _NAME, 16),
    b"q": (rb"(?s:.*)", 32),
    b"e": (rb"[^\0]*\0(?:[^\0]*\0)?", 64),
    b"2": (rb"[^\0]*\0(?:[^\0]*\0)?", 128),
    b"i": (rb"[\0-\x7f](?s:...)%b[^\0]*\0" % _NAME, 1),
}
#: A version, actions, flags, and lists of macros.
_OFFER = re.compile(rb"(?s:.{12}(?:.{4}[^\0]*\0){0,99})")


class Verdict(Enum):
    """What a milter has said to one command."""

    ON = "c"
    ACCEPT = "a"
    DISCARD = "d"
    REFUSE = "r"
    SHUT_DOWN = "4"
    QUARANTINE = "q"
    FAIL = ""


class Told(NamedTuple):
    """A command that a milter heard.

    message: the number of the last MAIL. said: None = nothing, as agreed on. is_due: whether it owed an answer.
    """

    message: int
    command: bytes
    data: bytes
    said: bytes | None
    is_due: bool


_FINAL = {
    b"c": Verdict.ON,
    b"s": Verdict.ON,
    b"a": Verdict.ACCEPT,
    b"d": Verdict.DISCARD,
    b"r": Verdict.REFUSE,
    b"t": Verdict.REFUSE,
    b"4": Verdict.SHUT_DOWN,
}


def passes(number: int, history: Sequence[Told], *, may_fail: bool) -> bool:
    """Whether a milter lets a message go on. history: all that it heard in a session. may_fail: with accept.

    The last DATA of a message counts: one that is refused may be said again, or the message accepted behind it.
    """
    reading = _Reading(history)
    verdicts = [reading.verdict(told) for told in history]
    for at, (told, found) in enumerate(zip(history, verdicts, strict=True)):
        if told.message > number or found is Verdict.FAIL:
            break
        if told.command == b"T" and _goes_on(number, history[at + 1 :], verdicts[at + 1 :]):
            continue
        outcome = _outcome(found, told, number)
        if outcome is not None:
            return outcome
    return may_fail


def _goes_on(number: int, later: Sequence[Told], verdicts: Sequence[Verdict | None]) -> bool:
    """Whether a message goes on behind its DATA: with another one, or accepted at a command that is none."""
    return any(
        told.message == number and (told.command in (b"R", b"T") or (told.command, found) == (b"U", Verdict.ACCEPT))
        for told, found in zip(later, verdicts, strict=True)
    )


class _Reading:
    """What a milter says, read from the beginning. A packet that is not whole behind an answer is part of the next."""

    def __init__(self, history: Sequence[Told]) -> None:
        self._actions = _actions(history)
        self._rest = b""

    def verdict(self, told: Told) -> Verdict | None:
        """Read an answer; None = it owed nothing, and said nothing."""
        if told.command == b"O":
            return Verdict.ON if self._actions >= 0 else Verdict.FAIL
        if told.said is None or not told.is_due:
            return None if told.said is None else Verdict.FAIL
        packets, self._rest = _split(self._rest + told.said)
        if not packets or not all(_may_be(*packet, told.command, self._actions) for packet in packets[:-1]):
            return Verdict.FAIL
        if sum(len(data) for command, data in packets[:-1] if command == b"b") > BODY_LIMIT:
            return Verdict.FAIL
        is_held = any(command == b"q" for command, _ in packets[:-1])
        return _final(*packets[-1], is_held=is_held)


def _outcome(found: Verdict | None, told: Told, number: int) -> bool | None:
    """What an answer says of a message; None = nothing yet."""
    if found is Verdict.SHUT_DOWN:
        return False
    if told.command in (b"C", b"H"):
        of_all = {Verdict.REFUSE: False, Verdict.QUARANTINE: False, Verdict.ACCEPT: True}
        return of_all.get(found) if found else None
    if told.message < number or told.command == b"O":
        return None
    if found is Verdict.REFUSE and told.command in (b"R", b"U"):
        return None
    if found is Verdict.ON:
        return True if told.command == b"E" else None
    return found is Verdict.ACCEPT if found else None


def asks(told: Iterable[Told], number: int) -> bool:
    """Whether a milter asks for anything at the end of a message."""
    ends = (one.said or b"" for one in told if (one.message, one.command) == (number, b"E"))
    return any(command in _CHANGES for said in ends for command, _ in _split(said)[0])


def _final(command: bytes, data: bytes, *, is_held: bool) -> Verdict:
    if command == b"y":
        return Verdict.REFUSE if _is_reply(data) else Verdict.FAIL
    found = Verdict.FAIL if data else _FINAL.get(command, Verdict.FAIL)
    return Verdict.QUARANTINE if is_held and found in (Verdict.ON, Verdict.ACCEPT) else found


def _may_be(command: bytes, data: bytes, event: bytes, actions: int) -> bool:
    """Whether a packet may stand before an answer."""
    if (command, data) == (b"p", b""):
        return True
    if command not in _CHANGES or (event != b"E" and command != b"q"):
        return False
    pattern, needed = _CHANGES[command]
    return bool(re.fullmatch(pattern, data) and needed & actions)


def _is_reply(data: bytes) -> bool:
    """Whether a reply is one: %% is a %, each line has the code of all, and an enhanced code its class."""
    text = re.sub(rb"%(%?)", rb"\1", data.removesuffix(b"\0"))
    *firsts, last = text.split(b"\r\n")
    line = rb"%b%%b(?:$|(?:[^\d\r\n\0]|%b)[^\r\n\0]*)" % (re.escape(text[:3]), re.escape(text[:1]))
    if not re.match(rb"[45]\d\d", text) or len(firsts) > 31:
        return False
    return all(re.fullmatch(line % b"-", one) for one in firsts) and bool(re.fullmatch(line % b" ", last))


def _split(said: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Packets, and what is not whole behind them; a length that is none makes nothing of all."""
    packets = []
    while len(said) >= 4:
        length = int.from_bytes(said[:4])
        if not 1 <= length <= _LIMIT:
            return [], b""
        if len(said) < 4 + length:
            break
        packets.append((said[4:5], said[5 : 4 + length]))
        said = said[4 + length :]
    return packets, said


def _actions(history: Sequence[Told]) -> int:
    """What was agreed on; -1 = nothing."""
    packets, rest = _split(history[0].said or b"") if history else ([], b"")
    if rest or len(packets) != 1 or packets[0][0] != b"O" or not _OFFER.fullmatch(packets[0][1]):
        return -1
    version, actions = int.from_bytes(packets[0][1][:4]), int.from_bytes(packets[0][1][4:8])
    return actions if 2 <= version <= 6 and actions < 0x200 else -1
