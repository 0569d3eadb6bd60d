"""SASL exchanges, sans-IO: a client's lines -> challenges, then credentials (RFC 4954, 4). Never checks them."""

import binascii
import enum
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..text import has_control
from .credentials import LIMIT, Credentials

#: RFC 2195, 2: the digest, in hexadecimal digits.
_DIGEST = re.compile(rb"[0-9a-f]{32}", re.IGNORECASE)


class Challenge(NamedTuple):
    """What the client has to answer. text: in base64, as it stands behind 334."""

    text: bytes


class Fault(enum.Enum):
    """Why an exchange came to no credentials. Its value is what a log says: Postfix's words, where it has some.

    Filters of fail2ban take "failed" for an attack, unless the mechanism is invalid.
    """

    UNKNOWN = "authentication failed: Invalid authentication mechanism"
    WANTS_TLS = "authentication not tried: TLS is required"
    ABORTED = "authentication aborted"
    NOT_BASE64 = "authentication failed: Invalid base64 data"
    NOT_FIRST = "authentication failed: Initial response not expected"
    TOO_LONG = "authentication failed: Response limit exceeded"
    MALFORMED = "authentication failed: Malformed credentials"


Step = Challenge | Credentials | Fault


class Exchange:
    """One exchange. mechanism: one of MECHANISMS. challenge: what CRAM-MD5 has answered, never the same one twice."""

    __slots__ = ("_answers", "_challenge", "_prompts", "mechanism")

    def __init__(self, mechanism: bytes, challenge: bytes = b"") -> None:
        self.mechanism = mechanism
        self._challenge = challenge
        self._prompts = MECHANISMS[mechanism].prompts or (challenge,)
        self._answers: list[bytes] = []

    def begin(self, initial: bytes | None) -> Step:
        """Begin. initial: the response that came with AUTH, None = none did; ``=`` is an empty one (RFC 4954, 4)."""
        if initial is None:
            return self._next()
        if not MECHANISMS[self.mechanism].prompts:
            return Fault.NOT_FIRST
        return self._take(b"" if initial == b"=" else initial)

    def respond(self, line: bytes) -> Step:
        """Take the client's next line. line: without its line end."""
        return Fault.ABORTED if line == b"*" else self._take(line)

    def _take(self, response: bytes) -> Step:
        answer = _decoded(response)
        if answer is None:
            return Fault.NOT_BASE64
        self._answers.append(answer)
        return self._next()

    def _next(self) -> Step:
        if len(self._answers) < len(self._prompts):
            return Challenge(binascii.b2a_base64(self._prompts[len(self._answers)], newline=False))
        said = MECHANISMS[self.mechanism].read(self._answers)
        if said is None or not all(map(_is_sound, said)) or has_control(said[0]):
            return Fault.MALFORMED
        return Credentials(self.mechanism, *said, self._challenge)


def _decoded(response: bytes) -> bytes | None:
    """Read base64 (RFC 4648, 4); strict_mode takes a superfluous ``=`` at its end."""
    try:
        return None if len(response) % 4 else binascii.a2b_base64(response, strict_mode=True)
    except ValueError:
        return None


def _is_sound(word: bytes) -> bool:
    return 0 < len(word) <= LIMIT and b"\0" not in word


def _plain(answers: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """RFC 4616, 2: [authzid] NUL authcid NUL passwd. Nobody logs in for somebody else."""
    words = answers[0].split(b"\0")
    if len(words) != 3 or words[0] not in (b"", words[1]):
        return None
    return words[1], words[2]


def _login(answers: Sequence[bytes]) -> tuple[bytes, bytes]:
    return answers[0], answers[1]


def _cram_md5(answers: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """RFC 2195, 2: a login, which may have blanks, a blank, the digest."""
    login, _, digest = answers[0].rpartition(b" ")
    return (login, digest) if _DIGEST.fullmatch(digest) else None


class _Mechanism(NamedTuple):
    """prompts: what the client is told before each response; () = the challenge, which no response may precede.

    read: responses -> login and secret; None = they are none.
    """

    prompts: tuple[bytes, ...]
    read: Callable[[Sequence[bytes]], tuple[bytes, bytes] | None]


#: Those that there are, in capitals. LOGIN has no RFC; its prompts are those that clients know.
MECHANISMS = {
    b"PLAIN": _Mechanism((b"",), _plain),
    b"LOGIN": _Mechanism((b"Username:", b"Password:"), _login),
    b"CRAM-MD5": _Mechanism((), _cram_md5),
}
