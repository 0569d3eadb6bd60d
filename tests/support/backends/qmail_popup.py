"""A model of qmail-popup: POP3 until somebody has logged in, by a program that reads descriptor 3.

    qmail_popup.py HOST PROGRAM [ARGUMENT ...]

Written after the behaviour of qmail-popup.c (notqmail a7012e4): the program has the client on 0 and 1, and on 3 user,
password and timestamp with a NUL behind each; whatever reads mail is run by it. Not modelled: APOP.
"""

import os
import sys
import time

_LINE_LIMIT = 1000


class End(Exception):
    """The process ends. args: its exit code."""


def main() -> int:
    """The program; its exit code."""
    host, *program = sys.argv[1:]
    stamp = f"<{os.getpid()}.{int(time.time())}@{host}>".encode()
    say(b"+OK " + stamp)
    user = b""
    try:
        while True:
            verb, _, argument = line().partition(b" ")
            user = obey(verb.lower(), argument, user, stamp, program)
    except End as end:
        return int(end.args[0])


def obey(verb: bytes, argument: bytes, user: bytes, stamp: bytes, program: list[str]) -> bytes:
    """Answer one command; the user who wants to log in."""
    if verb == b"quit":
        say(b"+OK ")
        raise End(0)
    if verb == b"user" and argument:
        say(b"+OK ")
        return argument
    if verb == b"pass" and user:
        raise End(log_in(b"".join(field + b"\0" for field in (user, argument, stamp)), program))
    say(b"-ERR USER first" if verb == b"pass" else b"-ERR authorization first")
    return user


def log_in(secret: bytes, program: list[str]) -> int:
    """Have the program decide, and do whatever follows; the exit code."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(writer)
        os.dup2(reader, 3)
        os.set_inheritable(3, True)  # where it was 3 already
        try:
            os.execvp(program[0], program)
        finally:
            os._exit(1)
    os.close(reader)
    os.write(writer, secret)
    os.close(writer)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFEXITED(status):
        say(b"-ERR aack, child crashed")
        return 1
    if os.WEXITSTATUS(status):
        say(b"-ERR authorization failed")
        return 1
    return 0


def line() -> bytes:
    """A line of the client's, and not a byte of what follows: that is for whoever reads mail."""
    said = bytearray()
    while not said.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte or len(said) > _LINE_LIMIT:
            raise End(1)
        said += byte
    return bytes(said).rstrip(b"\r\n")


def say(text: bytes) -> None:
    """One line to the client."""
    os.write(1, text + b"\r\n")


if __name__ == "__main__":
    sys.exit(main())
