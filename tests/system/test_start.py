"""What is decided at the start, without starting."""

from ucspi_py.core.service.environment import passed_on


def test_messages_of_systemd_are_for_us_alone() -> None:
    """A program that told systemd that it is ready, or took its sockets, would speak for the server."""
    ours = dict.fromkeys(
        (
            b"LISTEN_FDS",
            b"LISTEN_PID",
            b"LISTEN_FDNAMES",
            b"LISTEN_PIDFDID",
            b"FDSTORE",
            b"NOTIFY_SOCKET",
            b"WATCHDOG_PID",
            b"WATCHDOG_USEC",
            b"MEMORY_PRESSURE_WATCH",
            b"MEMORY_PRESSURE_WRITE",
            b"CREDENTIALS_DIRECTORY",
        ),
        b"1",
    )
    theirs = {b"PATH": b"/bin", b"LISTEN": b"x", b"EMPTY": b"", b"RELAYCLIENT": b"", b"\xff": b"\xfe"}

    assert passed_on(theirs | ours) == theirs
