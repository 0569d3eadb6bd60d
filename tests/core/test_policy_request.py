"""Requests of the policy protocol, as a server reads them, and its replies."""

import pytest

from ucspi_py.core.policy import reply
from ucspi_py.core.policy.request import LINE_LIMIT, LINES_LIMIT, Garbage, NotPolicy, Request, RequestReader

_ONE = b"request=smtpd_access_policy\nsender=\nrecipient=b@example.org\n\n"
_TWO = b"request=smtpd_access_policy\nccert_subject=a+3Db\n\n"


def _read(*pieces: bytes) -> list[Request | Garbage]:
    reader = RequestReader()
    return [one for piece in pieces for one in reader.receive(piece)]


def test_two_requests_in_one_write_are_read_in_order() -> None:
    first, second = _read(_ONE + _TWO)
    assert isinstance(first, Request) and first.get(b"recipient") == b"b@example.org"
    assert isinstance(second, Request) and second.get(b"ccert_subject") == b"a+3Db"


@pytest.mark.parametrize("at", range(len(_ONE + _TWO)))
def test_a_request_may_come_in_any_pieces(at: int) -> None:
    whole = _ONE + _TWO
    assert _read(whole[:at], whole[at:]) == _read(whole)


def test_a_request_may_come_byte_by_byte() -> None:
    assert _read(*(_ONE[at : at + 1] for at in range(len(_ONE)))) == _read(_ONE)


def test_an_empty_sender_is_not_a_missing_one() -> None:
    (request,) = _read(_ONE)
    assert isinstance(request, Request)
    assert request.attributes[b"sender"] == b"" and b"client_name" not in request.attributes
    assert request.get(b"client_name") == b""


def test_nothing_of_a_request_is_carried_into_the_next_one() -> None:
    _, second = _read(_ONE + _TWO)
    assert isinstance(second, Request)
    assert set(second.attributes) == {b"request", b"ccert_subject"}


def test_a_value_may_have_equals_signs_and_a_line_a_carriage_return() -> None:
    (request,) = _read(b"instance=1.2=3\r\n\r\n")
    assert request == Request({b"instance": b"1.2=3"})


@pytest.mark.parametrize("line", [b"GET / HTTP/1.0", b"=value"])
def test_a_line_that_is_no_attribute_is_told_and_passed_over(line: bytes) -> None:
    assert _read(line + b"\n" + _ONE) == [Garbage(line), *_read(_ONE)]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_above_the_limit_ends_the_connection(end: bytes) -> None:
    assert _read(b"a=" + b"x" * (LINE_LIMIT - 2) + b"\n\n")
    with pytest.raises(NotPolicy):
        _read(b"a=" + b"x" * (LINE_LIMIT - 1) + end)


def test_more_lines_than_the_limit_end_the_connection() -> None:
    lines = [b"a%d=x\n" % number for number in range(LINES_LIMIT + 1)]
    assert _read(b"".join(lines[:-1]) + b"\n")
    with pytest.raises(NotPolicy):
        _read(*lines)


def test_names_and_values_are_kept_to_512_bytes_as_postgrey_does() -> None:
    (request,) = _read(b"n" * 600 + b"=" + b"v" * 600 + b"\n\n")
    assert request == Request({b"n" * 512: b"v" * 512})


def test_whether_a_request_is_half_read_is_known() -> None:
    reader = RequestReader()
    assert reader.is_between
    reader.receive(b"requ")
    assert not reader.is_between
    reader.receive(b"est=x\n")
    assert not reader.is_between
    reader.receive(b"\n")
    assert reader.is_between


def test_a_reply_ends_with_an_empty_line() -> None:
    assert reply.packed(reply.DUNNO) == b"action=DUNNO\n\n"


def test_no_text_can_end_a_reply_early() -> None:
    assert reply.packed(b"PREPEND X: a\n\naction=OK") == b"action=PREPEND X: a??action=OK\n\n"
