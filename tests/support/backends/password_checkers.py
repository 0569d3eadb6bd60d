"""What vchkpw (vpopmail 5.4) and cmd5checkpw (0.30) do with descriptor 3, and the codes that they end with.

    password_checkers.py vchkpw|cmd5checkpw USERS program [ arg ... ]

USERS has a line login:password for each user. Written anew after their behaviour, mistakes included: vchkpw cuts what
it reads at 155 bytes, and ends with 0 where the program cannot be run. Either takes a password or the answer to a
challenge, whatever the client's mechanism was.
"""

import hashlib
import hmac
import os
import sys
from collections.abc import Callable

#: vchkpw.c, AUTH_SIZE without its NUL.
_CUT = 155
_LIMIT = 512
#: vchkpw takes a login by these ports for one of SMTP, and the answer to a challenge in no other.
_SMTP_PORTS = ("25", "465", "587")


def vchkpw(users: dict[bytes, bytes], program: list[str]) -> int:
    """vchkpw.c; 11: no descriptor 3. 12: no login. 13: no password. 20: no such form of a login. 3: wrong."""
    try:
        data = _read(_CUT)[:_CUT]
    except OSError:
        return 11
    login, secret, challenge, *_ = data.split(b"\0") + [b""] * 3
    if not login or not secret:
        return 13 if login else 12
    if any(byte <= 32 or byte > 126 for byte in login):
        return 20
    password = users.get(login)
    by_smtp = os.environ.get("TCPLOCALPORT") in _SMTP_PORTS or "true" in "".join(program[:1])
    if password is None or not (secret == password or (by_smtp and secret == _digest(password, challenge))):
        return 3
    _run(program)
    return 0


def cmd5checkpw(users: dict[bytes, bytes], program: list[str]) -> int:
    """main.c; 2: no program, or not two fields. 1: wrong, or more than 512 bytes. 111: no descriptor, no program."""
    if not program:
        return 2
    try:
        data = _read(_LIMIT + 1)
    except OSError:
        return 111
    if len(data) > _LIMIT:
        return 1
    login, *fields = data.split(b"\0")
    if len(fields) < 2:
        return 2
    secret, challenge = fields[:2]
    password = users.get(login)
    if password is None or secret not in (password, _digest(password, challenge)):
        return 1
    _run(program)
    return 111


def _read(most: int) -> bytes:
    data = b""
    while len(data) < most and (more := os.read(3, most - len(data))):
        data += more
    os.close(3)
    return data


def _digest(password: bytes, challenge: bytes) -> bytes:
    """RFC 2195, 2."""
    return hmac.new(password, challenge, hashlib.md5).hexdigest().encode()


def _run(program: list[str]) -> None:
    try:
        os.execvp(program[0], program)
    except (OSError, IndexError):
        return


DIALECTS: dict[str, Callable[[dict[bytes, bytes], list[str]], int]] = {"vchkpw": vchkpw, "cmd5checkpw": cmd5checkpw}


def main() -> int:
    """The program; its exit code."""
    with open(sys.argv[2], "rb") as file:
        users = dict(line.rstrip(b"\n").split(b":", 1) for line in file)
    return DIALECTS[sys.argv[1]](users, sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
