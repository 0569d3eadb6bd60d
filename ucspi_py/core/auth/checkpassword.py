"""The checkpassword interface: what a program reads from descriptor 3, and what its end says. Never runs one.

Source: cr.yp.to/checkpwd/interface.html; cmd5checkpw 0.30 (main.c), vpopmail 5.4 (vchkpw.c), qmail-smtpd-auth 0.31.
"""

import enum
import posixpath
from collections.abc import Sequence

from .answer import Answer, Verdict
from .credentials import Credentials, Peer

#: Bytes that a program reads from descriptor 3; one that sees more refuses or, worse, cuts them.
LIMIT = 512

#: Exit codes by which a program says that it could not tell: it was misused, its exec failed, try again later.
_MISUSED, _NOT_RUN, _LATER = 2, (126, 127), 111
_CANNOT_TELL = (_MISUSED, *_NOT_RUN, _LATER)

#: Programs of the chain behind a checker. Patches of qmail-smtpd differ in whether a host name stands before it: one
#: argument too few or too many, and the program that says yes to everybody is the checker.
_NO_CHECKERS = ("true", "false", "sh", "cat")


class Order(enum.Enum):
    """In which order a program wants the two halves of CRAM-MD5; nothing in the bytes tells them apart.

    RESPONSE_FIRST: cmd5checkpw 0.30, vchkpw, and those for s/qmail. CHALLENGE_FIRST: indimail's, cmd5checkpw of old.
    """

    RESPONSE_FIRST = "response,challenge"
    CHALLENGE_FIRST = "challenge,response"


def told(credentials: Credentials, order: Order = Order.RESPONSE_FIRST) -> bytes | None:
    """Make what a checker reads from descriptor 3: three fields, a NUL behind each.

    The third is empty where there is no challenge; who knows of two only, passes over it. None: no checker may be asked
    about these: nothing is said, a NUL is within, or it is more than 512 bytes.
    """
    login, secret, challenge = credentials.login, credentials.secret, credentials.challenge
    fields = (login, secret, challenge)
    if order is Order.CHALLENGE_FIRST and challenge:
        fields = (login, challenge, secret)
    if not login or not secret or any(b"\0" in field for field in fields):
        return None
    data = b"\0".join((*fields, b""))
    return data if len(data) <= LIMIT else None


def environment(path: bytes, peer: Peer) -> dict[bytes, bytes]:
    """Make all of a checker's environment: nothing of it is chosen by a client.

    path: $PATH of the server. vchkpw tells SMTP from POP by TCPLOCALPORT.
    """
    known = {b"TCPREMOTEIP": peer.remote_ip, b"TCPLOCALIP": peer.local_ip, b"TCPLOCALPORT": peer.local_port}
    return {b"PATH": path, b"PROTO": b"TCP"} | {name: value for name, value in known.items() if value}


def answer(login: bytes, code: int | None) -> Answer:
    """Take the end of a checker for its answer.

    login: who was asked about. code: how it ended; below 0 = minus a signal's number, None = it took too long and was
    killed. Whatever is neither 0 nor a failure to tell refuses: vchkpw has a number for each reason (3, 7 to 15, 20 to
    23).
    """
    if code == 0:
        return Answer(Verdict.YES, login)
    return Answer(Verdict.LATER if code is None or code < 0 or code in _CANNOT_TELL else Verdict.NO, b"", _end(code))


def command_flaw(command: Sequence[str]) -> str | None:
    """Find what is wrong with a checker's command line before it is run. None: nothing.

    command: the program and its arguments; checkpassword runs them where the password is right.
    """
    if not command:
        return "there is no checkpassword program"
    name = posixpath.basename(command[0])
    if name in _NO_CHECKERS:
        return f"{command[0]} checks no passwords: is the checkpassword program missing before it?"
    return None


def probe_flaw(name: str, code: int | None) -> str | None:
    """Find what is wrong with a checker that was asked about a user whom nobody has, with a password nobody has.

    name: of the program. code: as in answer(). None: it says no, or that it cannot tell for now: those who keep the
    passwords may be away.
    """
    if code == 0:
        return f"{name} takes any password for right: everybody could relay"
    if code is None or code == _LATER or (code > 0 and code not in _CANNOT_TELL):
        return None
    return f"{name} checks no passwords: {_end(code)}"


def _end(code: int | None) -> str:
    """The end of a checker, in words."""
    if code is None:
        return "the checkpassword program took too long"
    if code < 0:
        return f"the checkpassword program was killed by signal {-code}"
    if code in _NOT_RUN:
        return f"the checkpassword program cannot be run (exit {code})"
    if code == _MISUSED:
        return "the checkpassword program was misused (exit 2)"
    return f"the checkpassword program exits {code}"
