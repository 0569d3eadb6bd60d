"""The lines of the guard: whole, safe, and without a password."""

from ucspi_py.core.guard import loglines


def test_an_error_is_named_without_its_words() -> None:
    """They may be what somebody has said."""
    try:
        int("pa55word")
    except ValueError as error:
        line = loglines.internal_error(error)

    assert line.startswith(b"guard: warning: internal error: ValueError (test_guard_loglines.py:")
    assert line.endswith(b")\n")
    assert b"pa55word" not in line


def test_no_login_forges_a_line() -> None:
    """Line ends and colons in it are shown as what they are not."""
    line = loglines.cannot_tell("it took too long", b"192.0.2.1", b"bob)\nguard: warning: all is well (")

    assert line == b"guard: warning: it took too long (client 192.0.2.1, user bob)?guard??warning??all?is?well?()\n"


def test_the_end_of_the_guard_says_what_is_gone() -> None:
    """In one line, with the status."""
    line = loglines.gone(7, 9)

    assert line.startswith(b"tcpserver: warning: guard 7 ended with status 9, no password is checked by checkpassword")
    assert line.count(b"\n") == 1
