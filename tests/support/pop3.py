"""POP3 as qmail has it: a server, qmail-popup, checkpassword, pyrelay allow, and what reads mail, as its user."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click
import pytest

from .backends.known import program
from .checkout import ROOT
from .programs import ours
from .recorder import USER, Recorder
from .server import QUIET, Server

_START = "import sys; sys.path[:0] = {places!r}; from ucspi_py.cli.start import main; main(['pyrelay', *sys.argv[1:]])"
#: Reads no mail, and says who would.
READS_MAIL = r"""
printf '+OK %s\r\n' "$USER as $(id -u)"
while read -r line; do
  case $line in
    QUIT*) printf '+OK bye\r\n'; exit 0 ;;
    STAT*) printf '+OK 0 0\r\n' ;;
    *) printf -- '-ERR\r\n' ;;
  esac
done
"""
NAME, PASSWORD = "joe", "his password"


@cache
def python_for_all() -> Sequence[str]:
    """A command that is pyrelay for every user: the test's own Python may be its owner's alone."""
    start = _START.format(places=[str(ROOT), str(Path(click.__file__).parents[1])])
    for python in (sys.executable, "/usr/bin/python3"):
        command = (python, "-IB", "-X", "utf8", "-c", start)
        try:
            done = subprocess.run(
                [*command, "--version"], user=USER, group=USER, extra_groups=(), capture_output=True, check=False
            )
        except OSError:
            continue
        if done.returncode == 0:
            return command
    pytest.skip("no Python that every user may run")


def login_chain(recorder: Recorder, *allow: str, uid: int = USER) -> Sequence[str]:
    """qmail-popup and all that follows. allow: options of pyrelay allow. uid: whom checkpassword becomes."""
    relay = python_for_all() if uid != os.getuid() else (ours("pyrelay"),)
    return (
        *program("qmail_popup"),
        "mx.example.org",
        *program("one_user"),
        NAME,
        PASSWORD,
        str(uid),
        *relay,
        "allow",
        "--socket",
        recorder.socket,
        *allow,
        "sh",
        "-c",
        READS_MAIL,
    )


def serving(recorder: Recorder, folder: Path, *allow: str, options: Sequence[str] = ()) -> Server:
    """The whole, with its own port. options: of pytcpserver."""
    return Server(ours("pytcpserver"), (*options, *QUIET), login_chain(recorder, *allow), folder)


def read_mail(server: Server, source: str, password: str = PASSWORD) -> list[bytes]:
    """Log in from an address, as a user's mail program does; the replies behind the greeting."""
    with server.connect(source) as client:
        return session(client, password)


def session(client: socket.socket, password: str) -> list[bytes]:
    """Log in on a connection, and look for mail; the replies behind the greeting."""
    told = []
    with client.makefile("rb") as replies:
        replies.readline()
        for command in (f"USER {NAME}", f"PASS {password}", "STAT", "QUIT"):
            client.sendall(f"{command}\r\n".encode())
            told.append(replies.readline().rstrip())
            if told[-1].startswith(b"-"):
                break
    return told
