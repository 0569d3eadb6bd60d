"""A checkpassword program that knows one user: one_user.py USER PASSWORD UID PROGRAM [ARGUMENT ...]

As checkpassword(8) it becomes that user, sets USER, HOME and SHELL, and then the program takes its place.
"""

import os
import sys

_LIMIT = 512
_NO, _MISUSED, _LATER = 1, 2, 111


def main() -> int:
    """The program; its exit code where nobody has logged in."""
    user, password, uid, *program = sys.argv[1:]
    with os.fdopen(3, "rb") as secret:
        fields = secret.read(_LIMIT + 1).split(b"\0")
    if len(fields) != 4 or not program:
        return _MISUSED
    if fields[:2] != [user.encode(), password.encode()]:
        return _NO
    os.get_exec_path()  # loads what execvp needs, and that user may not be able to read
    if int(uid) != os.getuid():
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    os.environ.update(USER=user, HOME="/", SHELL="/bin/sh")
    try:
        os.execvp(program[0], program)
    except OSError:
        return _LATER


if __name__ == "__main__":
    sys.exit(main())
