"""Sockets that a supervisor passes: which are ours, and which host and port each is for."""

import pytest

from ucspi_py.core.errors import Failure
from ucspi_py.core.service.passed_sockets import PassedSocket, Wanted, chosen, listen_fds

SMTP = PassedSocket(3, "smtp", b"0.0.0.0", 25)
SUBMISSION = PassedSocket(4, "submission", b"::1", 587)
ANY = Wanted(None, None, None)


def _listen_fds(environment: dict[str, str]) -> tuple[tuple[int, str], ...]:
    return listen_fds(environment, 7, lambda: 99)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ()),
        ({"LISTEN_FDS": "1"}, ()),
        ({"LISTEN_PID": "7"}, ()),
        ({"LISTEN_PID": "8", "LISTEN_FDS": "1"}, ()),
        ({"LISTEN_PID": "07", "LISTEN_FDS": "1"}, ()),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "0"}, ()),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, ((3, ""), (4, ""))),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}, ((3, "a"), (4, "b"))),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"}, ((3, "a"), (4, ""))),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_PIDFDID": "99"}, ((3, ""),)),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_PIDFDID": "98"}, ()),
    ],
    ids=str,
)
def test_descriptors_are_ours_by_our_process_id(
    environment: dict[str, str], expected: tuple[tuple[int, str], ...]
) -> None:
    """A child of the process that they are for has the same environment, and is not meant."""
    assert _listen_fds(environment) == expected


@pytest.mark.parametrize("written", ["x", "-1", "", "1025", "99999999999999999999", "٣"])
def test_a_number_that_is_none_stops_the_start(written: str) -> None:
    """Whoever writes it means to pass something."""
    with pytest.raises(Failure, match="LISTEN_FDS is no number"):
        _listen_fds({"LISTEN_PID": "7", "LISTEN_FDS": written})


def test_the_socket_of_one_client_is_none_to_listen_on() -> None:
    """A .socket unit with Accept=yes starts us for each client."""
    with pytest.raises(Failure, match="needs Accept=no"):
        _listen_fds({"LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "connection"})


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([ANY], [SMTP, SUBMISSION]),
        ([Wanted(b"0.0.0.0", 25, "25"), Wanted(b"::1", 587, "submission")], [SMTP, SUBMISSION]),
        ([Wanted(b"::1", 587, "587"), Wanted(b"0.0.0.0", 25, "smtp")], [SUBMISSION, SMTP]),
        ([Wanted(None, None, "submission"), Wanted(None, 25, "25")], [SUBMISSION, SMTP]),
        ([Wanted(b"0.0.0.0", None, None), ANY], [SMTP, SUBMISSION]),
    ],
)
def test_sockets_follow_the_command_line(wanted: list[Wanted], expected: list[PassedSocket]) -> None:
    """By address, by port or by name, in whichever order they are passed."""
    for passed in ([SMTP, SUBMISSION], [SUBMISSION, SMTP]):
        found = chosen(wanted, passed)
        assert found == (expected if len(wanted) > 1 else passed)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ([Wanted(b"127.0.0.1", 25, "smtp"), ANY], "none of .* for 127.0.0.1 smtp: 0.0.0.0 25 (smtp), ::1 587 (subm"),
        ([Wanted(None, None, "web"), ANY], "none of .* for - web"),
        ([ANY, ANY], "none of .* for - -"),
        ([Wanted(b"0.0.0.0", 25, "25")], "nobody has asked for: ::1 587 (submission)"),
    ],
)
def test_sockets_and_the_command_line_must_match(wanted: list[Wanted], sentence: str) -> None:
    """A socket from which nobody accepts would let its clients wait for ever."""
    with pytest.raises(Failure, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        chosen(wanted, [SMTP, SUBMISSION])
