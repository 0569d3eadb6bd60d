"""A $DNSCACHEIP that means nothing is said at the start, by each program that asks name servers."""

import os
import subprocess

import pytest

from tests.support.programs import ours

COMMANDS = [
    ("pytcpserver", "127.0.0.1", "0", "true"),
    ("pytcpserver", "-HRl0", "127.0.0.1", "0", "pyrblsmtpd", "-r", "zone", "true"),
    ("pytcpserver", "-HRl0", "door.example", "0", "true"),
    ("pyrblsmtpd", "-r", "zone", "true"),
    ("pyrblcheck", "-r", "zone", "127.0.0.2"),
    ("pyrblcheck", "-r", "zone", "--zones"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_word_that_means_nothing_ends_the_start(command: tuple[str, ...]) -> None:
    """Exit 100, and one line that names the word and what was expected; C asks somebody else in silence."""
    environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": "127.0.0.1@99999", "TCPREMOTEIP": "192.0.2.1"}

    done = subprocess.run(
        [ours(command[0]), *command[1:]], env=environment, capture_output=True, timeout=20, check=False
    )

    lines = done.stderr.splitlines()
    name = command[0].removeprefix("py").encode()
    assert done.returncode == 100
    assert lines[0].startswith(b"%s: fatal: $DNSCACHEIP: '127.0.0.1@99999' has no port" % name)
    assert [line.split()[1] for line in lines] == [b"fatal:", b"usage:"]


def test_where_no_name_server_is_asked_nobody_minds() -> None:
    """The variable is of no use there."""
    environment = {"PATH": os.environ["PATH"], "DNSCACHEIP": "localhost"}

    done = subprocess.run([ours("pyrblsmtpd"), "echo", "passed"], env=environment, capture_output=True, check=False)

    assert done.stdout == b"passed\n"
