"""SASL exchanges: what clients say comes to credentials, or to the fault that it has."""

import hmac
from base64 import b64encode

import pytest

from ucspi_py.core.auth.credentials import Credentials
from ucspi_py.core.auth.sasl import Challenge, Exchange, Fault, Step

#: RFC 2195, 2: the example, whose secret is tanstaaftanstaaf.
CHALLENGE, DIGEST = b"<1896.697170952@postoffice.reston.mci.net>", b"b913a602c7eda7a495b4e6e7334d3890"


def exchange(mechanism: bytes, *lines: bytes, initial: bytes | None = None, challenge: bytes = b"") -> list[Step]:
    """Each step of an exchange. lines: as they are, in base64."""
    one = Exchange(mechanism, challenge)
    steps = [one.begin(initial)]
    for line in lines:
        assert isinstance(steps[-1], Challenge)
        steps.append(one.respond(line))
    return steps


def plain(said: bytes) -> Step:
    """What PLAIN comes to. said: its message, which is not in base64."""
    return exchange(b"PLAIN", initial=b64encode(said))[-1]


def test_plain_comes_with_its_initial_response() -> None:
    """The whole of it in one line."""
    assert plain(b"\0u@example.org\0pass word") == Credentials(b"PLAIN", b"u@example.org", b"pass word")


def test_plain_without_initial_response_is_asked_for_nothing() -> None:
    """An empty challenge."""
    steps = exchange(b"PLAIN", b64encode(b"u\0u\0p"))

    assert steps == [Challenge(b""), Credentials(b"PLAIN", b"u", b"p")]


@pytest.mark.parametrize(
    "said",
    [b"", b"u\0p", b"\0u\0p\0", b"\0\0p", b"\0u\0", b"v\0u\0p", b"\0u\n\0p", b"\0\x7fu\0p", b"\0u\0" + b"p" * 256],
    ids=["nothing", "one NUL", "three NULs", "no login", "no password", "for another", "LF", "DEL", "too long"],
)
def test_malformed_plain_is_no_credentials(said: bytes) -> None:
    """None of them is ever asked about."""
    assert plain(said) is Fault.MALFORMED


def test_login_asks_for_both() -> None:
    """The prompts that clients know by heart."""
    assert exchange(b"LOGIN", b64encode(b"u"), b64encode(b"p")) == [
        Challenge(b"VXNlcm5hbWU6"),
        Challenge(b"UGFzc3dvcmQ6"),
        Credentials(b"LOGIN", b"u", b"p"),
    ]


def test_login_takes_the_name_with_the_command() -> None:
    """As Outlook says it."""
    assert exchange(b"LOGIN", b64encode(b"p"), initial=b64encode(b"u")) == [
        Challenge(b"UGFzc3dvcmQ6"),
        Credentials(b"LOGIN", b"u", b"p"),
    ]


@pytest.mark.parametrize("words", [(b"", b"p"), (b"u", b""), (b"u\0x", b"p"), (b"u", b"p\0x"), (b"u\r\nX: y", b"p")])
def test_login_with_odd_bytes_is_no_credentials(words: tuple[bytes, bytes]) -> None:
    """NUL would end a field for the checker, control characters a line in a log."""
    assert exchange(b"LOGIN", *map(b64encode, words))[-1] is Fault.MALFORMED


def test_cram_md5_answers_its_challenge() -> None:
    """RFC 2195's own example."""
    steps = exchange(b"CRAM-MD5", b64encode(b"tim " + DIGEST), challenge=CHALLENGE)

    assert hmac.digest(b"tanstaaftanstaaf", CHALLENGE, "md5").hex().encode() == DIGEST
    assert steps == [Challenge(b64encode(CHALLENGE)), Credentials(b"CRAM-MD5", b"tim", DIGEST, CHALLENGE)]


def test_a_login_of_cram_md5_may_have_blanks() -> None:
    """The digest is behind the last one."""
    steps = exchange(b"CRAM-MD5", b64encode(b"a b " + DIGEST), challenge=CHALLENGE)

    assert steps[-1] == Credentials(b"CRAM-MD5", b"a b", DIGEST, CHALLENGE)


@pytest.mark.parametrize("said", [b"", b"tim", b"tim " + DIGEST[1:], b"tim x" + DIGEST[1:], DIGEST, b" " + DIGEST])
def test_what_is_no_digest_is_no_credentials(said: bytes) -> None:
    """32 hexadecimal digits behind a login."""
    assert exchange(b"CRAM-MD5", b64encode(said), challenge=CHALLENGE)[-1] is Fault.MALFORMED


def test_nothing_comes_before_the_challenge_of_cram_md5() -> None:
    """The server speaks first."""
    assert exchange(b"CRAM-MD5", initial=b"dGlt", challenge=CHALLENGE) == [Fault.NOT_FIRST]


@pytest.mark.parametrize("line", [b"!", b"AAA", b"A", b"AA=A", b"====", b"QU FB", b" QUFB", b"* ", b"QUFB=", b"\x80"])
def test_what_is_no_base64_is_not_guessed_at(line: bytes) -> None:
    """Neither with the command nor behind a challenge."""
    assert exchange(b"PLAIN", initial=line) == [Fault.NOT_BASE64]
    assert exchange(b"PLAIN", line)[-1] is Fault.NOT_BASE64


def test_a_client_may_give_up() -> None:
    """By a star, which is no base64."""
    assert exchange(b"LOGIN", b"*")[-1] is Fault.ABORTED


def test_an_equals_sign_is_an_empty_response() -> None:
    """And not none, for which it would be asked."""
    assert exchange(b"PLAIN", initial=b"=") == [Fault.MALFORMED]
    assert exchange(b"LOGIN", b64encode(b"p"), initial=b"=")[-1] is Fault.MALFORMED


def test_nobody_sees_a_secret_by_accident() -> None:
    """Not in what is shown of credentials."""
    assert "hush" not in repr(plain(b"\0u\0hush"))
