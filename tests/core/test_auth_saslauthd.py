"""saslauthd's protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.auth.saslauthd import AnswerReader, answer, question


def plain(login: bytes, secret: bytes = b"s3cret") -> Credentials:
    """Of PLAIN."""
    return Credentials(b"PLAIN", login, secret)


def test_a_question_is_four_fields_each_behind_its_length() -> None:
    """Login, password, service, realm."""
    assert question(plain(b"joe"), b"smtp", b"") == b"\0\3joe\0\6s3cret\0\4smtp\0\0"


def test_what_stands_behind_the_last_at_is_the_realm() -> None:
    """checkpw.c cuts there, whatever realm the server has."""
    assert question(plain(b"a@b@example.org"), b"smtp", b"here") == b"\0\3a@b\0\6s3cret\0\4smtp\0\x0bexample.org"


def test_a_login_without_a_realm_has_that_of_the_server() -> None:
    """smtpd_sasl_local_domain."""
    assert question(plain(b"joe"), b"smtp", b"here") == b"\0\3joe\0\6s3cret\0\4smtp\0\4here"


@pytest.mark.parametrize(
    ("login", "secret"),
    [(b"", b"x"), (b"joe", b""), (b"@example.org", b"x"), (b"j\0oe", b"x"), (b"joe", b"\0x"), (b"j" * 257, b"x")],
)
def test_what_saslauthd_would_not_take_is_not_asked(login: bytes, secret: bytes) -> None:
    """It ends the connection at a field of more than 256 bytes."""
    assert question(plain(login, secret), b"smtp", b"") is None


def test_256_bytes_are_the_most() -> None:
    """ipc_unix.c, MAX_REQ_LEN."""
    assert question(plain(b"j" * 256, b"p" * 256), b"smtp", b"") is not None
    assert question(plain(b"j", b"p" * 257), b"smtp", b"") is None


def test_an_ok_is_a_yes() -> None:
    """Whatever comes behind it."""
    assert answer(b"joe", b"", b"OK remote authentication successful") == Answer(Verdict.YES, b"joe")


def test_who_logs_in_without_a_realm_has_the_servers_from_then_on() -> None:
    """canonusr.c."""
    assert answer(b"joe", b"example.org", b"OK").login == b"joe@example.org"
    assert answer(b"joe@example.net", b"example.org", b"OK").login == b"joe@example.net"


def test_a_no_is_a_no_and_its_reason_is_that_of_the_library() -> None:
    """As Postfix logs it."""
    assert answer(b"joe", b"", b"NO remote server says no") == Answer(Verdict.NO, b"", "authentication failure")


@pytest.mark.parametrize("said", [b"", b"O", b"ok", b"BAD", b"\xff"])
def test_what_is_neither_is_no_refusal(said: bytes) -> None:
    """Nor a yes."""
    assert answer(b"joe", b"", said).verdict is Verdict.LATER


@given(st.binary(max_size=40), st.lists(st.integers(1, 50)))
def test_an_answer_comes_in_any_pieces(said: bytes, sizes: list[int]) -> None:
    """saslauthd writes the length by itself."""
    reader = AnswerReader()
    wire = len(said).to_bytes(2, "big") + said
    answers = []
    for size in [*sizes, *[1] * len(wire)]:
        if wire:
            piece, wire = wire[:size], wire[size:]
            answers.append(reader.receive(piece))

    assert answers[-1] == said
    assert answers[:-1] == [None] * (len(answers) - 1)


def test_an_endless_answer_is_cut() -> None:
    """1024 bytes are as many as the library reads."""
    reader = AnswerReader()

    assert reader.receive(b"\xff\xffNO" + b"x" * 70000) == b"NO" + b"x" * 1022
