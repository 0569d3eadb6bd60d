"""Where a daemon listens, as Postfix writes it."""

import pytest

from ucspi_py.core.auth.place import InetPlace, UnixPlace, place
from ucspi_py.core.errors import AskedWrongly

QUEUE = "/var/spool/postfix"


def test_a_path_may_have_any_byte() -> None:
    """As main.cf has it."""
    assert place("/\udce9", QUEUE) == UnixPlace("/\udce9")


@pytest.mark.parametrize("text", ["private/auth", "unix:private/auth", "/var/spool/postfix/private/auth"])
def test_a_path_is_one_in_the_queue_directory(text: str) -> None:
    """Unless it begins with a slash."""
    assert place(text, QUEUE) == UnixPlace("/var/spool/postfix/private/auth")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("inet:127.0.0.1:65535", InetPlace("127.0.0.1", 65535)), ("inet:[::1]:1", InetPlace("::1", 1))],
)
def test_a_port(text: str, expected: InetPlace) -> None:
    """Of an address."""
    assert place(text, QUEUE) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("inet:dovecot:12345", "passwords go to an address, not to a name for which others may answer"),
        ("inet:127.0.0.1", "passwords go to an address, not to a name for which others may answer"),
        ("inet:127.0.0.1:", "there is no such port"),
        ("inet:127.0.0.1:0", "there is no such port"),
        ("inet:127.0.0.1:65536", "there is no such port"),
        ("/" + "x" * 107, "the path of a socket has 107 bytes at most"),
    ],
)
def test_what_is_no_place(text: str, sentence: str) -> None:
    """Said before anybody is asked."""
    with pytest.raises(AskedWrongly, match=sentence):
        place(text, QUEUE)


def test_a_place_is_written_as_it_was_given() -> None:
    """In the log."""
    assert [str(UnixPlace("/run/auth")), str(InetPlace("::1", 9))] == ["/run/auth", "inet:[::1]:9"]
