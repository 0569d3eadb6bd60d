"""pysmtpgate --check connects to milters as a worker will, and says what each of them hears and may change."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.milter import optneg, scripted_milter
from tests.support.milters.dkim import Key, opendkim
from tests.support.ports import free_port
from tests.support.programs import need_root, ours
from tests.support.waiting import PATIENCE, until
from ucspi_py.core.milter.words import Actions, Protocol

FAILING = "all mail is refused for now (tempfail)"
_TIME = re.compile(r"(?<=within )\d+ ms")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter, but for private in it."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # noqa: S103  # workers come as others
        (Path(name) / "private").mkdir(mode=0o700)
        yield Path(name)


def check(milters: str, folder: Path, *words: str) -> tuple[int, list[str]]:
    """The exit code, and the lines about milters that are asked; how long that took is left out."""
    (folder / "main.cf").write_text(f"smtpd_milters = {milters}\nqueue_directory = {folder}\n")
    command = [ours("pysmtpgate"), "--check", "-f", "main.cf", *words]
    environment = {**os.environ, "DNSCACHEIP": "127.0.0.1@9"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stderr == ""
    return done.returncode, [_TIME.sub("N", line) for line in done.stdout.splitlines() if "milter " in line]


def test_milters_that_answer_have_no_flaw(folder: Path) -> None:
    """Over either kind of socket; each is only agreed with."""
    with scripted_milter() as inet, scripted_milter(folder / "private/milter") as unix:
        inet.says[b"O"] = optneg(4, Actions.ADDHDRS | Actions.QUARANTINE, Protocol.NOBODY)
        code, lines = check(f"{inet.service}, {{ unix:private/milter, default_action=reject }}", folder)
        until(lambda: inet.commands + unix.commands == b"OQOQ")

    assert code == 0
    assert lines == [
        f"main.cf:1: fine: milter {inet.service} answers within N, version 4; hears the client, HELO, MAIL, RCPT, DATA "
        f"and headers; may add headers; may quarantine, which refuses the message here; where it fails, {FAILING}",
        "main.cf:1: fine: milter unix:private/milter answers within N, version 6; hears the client, HELO, MAIL, RCPT, "
        "DATA, headers and the body; may add headers, change headers, replace the body, change the sender, "
        "add recipients and delete recipients; may quarantine, which refuses the message here; where it fails, "
        "all mail is refused (reject)",
    ]


def test_milters_that_are_not_there_are_errors(folder: Path) -> None:
    """Each with the reason, and what to do."""
    port, we = free_port(), pwd.getpwuid(os.geteuid()).pw_name
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "left"))
    code, lines = check(f"inet:localhost:{port}, unix:private/milter, unix:left, inet:milter.example:1", folder)

    assert code == 100
    beginning, until = "main.cf:1: error: milter", f"until it answers, {FAILING}"
    unable = f"user {we} is unable to connect to {folder}"
    assert lines == [
        f"{beginning} inet:localhost:{port}: unable to connect to it: connection refused; {until}; start it",
        f"{beginning} unix:private/milter: {unable}/private/milter: file does not exist; {until}; "
        "start it, or write the path of its socket",
        f"{beginning} unix:left: {unable}/left: connection refused; {until}; start it",
        f"{beginning} inet:milter.example:1: milter.example has no address; {until}; "
        "write its address: /etc/hosts is not read",
    ]


def test_a_socket_that_the_worker_may_not_enter_is_named(folder: Path) -> None:
    """With the group that is missing, as its user, and not as us."""
    need_root()
    shutil.chown(folder / "private", group="mail")
    (folder / "private").chmod(0o750)
    with scripted_milter(folder / "private/milter"):
        code, [line] = check("unix:private/milter", folder, "-u", "nobody", "-g", "nogroup")

    assert code == 100
    assert f"user nobody is unable to connect to {folder}/private/milter: access denied: " in line
    assert f"{folder}/private is for group mail, which is missing; pytcpserver -g mail has it" in line


def test_opendkim(folder: Path) -> None:
    """Debian's says what it is for."""
    with opendkim(folder, Key(folder)) as milter:
        code, lines = check(milter, folder)

    assert code == 0
    assert lines == [
        f"main.cf:1: fine: milter {milter} answers within N, version 6; hears the client, MAIL, RCPT, headers and the "
        f"body; may add headers and change headers; where it fails, {FAILING}"
    ]
