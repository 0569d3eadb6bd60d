"""The client's side of the policy protocol: bytes and values, without a socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.policy.asking import REPLY_LIMIT, NotAReply, ReplyReader, request


def test_a_request_is_lines_and_an_empty_one() -> None:
    """In the order in which it is told; a value may have any sign but those that end it."""
    assert request([(b"request", b"x"), (b"sender", b""), (b"helo_name", b"a=b c")]) == (
        b"request=x\nsender=\nhelo_name=a=b c\n\n"
    )


@pytest.mark.parametrize("sign", [b"\n", b"\0", b"\r", b"\x7f"])
def test_no_value_can_end_a_line_or_a_request(sign: bytes) -> None:
    """Whatever a client has made us believe."""
    assert request([(b"sender", b"a" + sign + sign + b"recipient=b")]) == b"sender=a??recipient=b\n\n"


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        (b"action=DUNNO\n\n", b"DUNNO"),
        (b"action=550 5.7.23 a = b\n\n", b"550 5.7.23 a = b"),
        (b"reason=x\naction=OK\nother=y\naction=REJECT\n\n", b"OK"),
        (b"action=\n\n", b""),
        ("action=PREPEND X: é\n\n".encode(), "PREPEND X: é".encode()),
    ],
)
def test_a_reply_has_an_action_however_it_comes(reply: bytes, action: bytes) -> None:
    """In one piece and in many; other attributes are passed over, and the first action counts (attr_scan_plain.c)."""
    in_pieces = ReplyReader()

    assert ReplyReader().receive(reply) == action
    assert [in_pieces.receive(bytes([byte])) for byte in reply] == [None] * (len(reply) - 1) + [action]


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"action=", b"\n", b"\n\n", b"OK"]))))
def test_whatever_comes_is_an_action_or_none(pieces: list[bytes]) -> None:
    """In pieces as they come it is what it is as a whole."""
    whole, in_pieces = b"".join(pieces), ReplyReader()
    found = None
    try:
        for piece in pieces:
            found = in_pieces.receive(piece)
            if found is not None:
                break
        assert found is None or whole.startswith(b"action=") or b"\naction=" in whole
    except NotAReply:
        assert b"\n\n" in b"\n" + whole


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"\n", "has no action"),
        (b"reason=x\n\n", "has no action"),
        (b"Action=OK\n\n", "has no action"),
        (b"garbage\n\n", "a line that is not name=value"),
        (b"action=OK\r\n\r\n\n", "a line that is not name=value"),
        (b"action=O\0K\n\n", "has a control character"),
        (b"action=PREPEND X: a\rY: b\n\n", "has a control character"),
        (b"action=PREPEND X: \xff\n\n", "is not UTF-8"),
        (b"action=OK\n\naction=OK\n\n", "says something behind its reply"),
        (b"x" * (REPLY_LIMIT + 1), "more than 12288 bytes"),
        (b"action=" + b"x" * REPLY_LIMIT + b"\n\n", "more than 12288 bytes"),
    ],
)
def test_what_is_no_reply_is_said(reply: bytes, why: str) -> None:
    """Nothing of it is done."""
    with pytest.raises(NotAReply, match=why):
        ReplyReader().receive(reply)
