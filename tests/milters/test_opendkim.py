"""Debian's opendkim at the gate signs for whoever is logged in and verifies what strangers bring."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.milters.conftest import Start
from tests.support.milters.dkim import Key, opendkim
from tests.support.milters.site import Site, lines

MESSAGE = (
    b"From: Joe <s@example.net>\r\nTo:far@elsewhere.example\r\nSubject:  a\r\n\tfolded  one \r\nCc:\r\n"
    b"X-Eight: \xe2\x82\xac\r\n\r\n"
    b".a dot\r\n..\r\ntrailing blanks  \r\n\r\n\xe2\x82\xac\r\n" + b"0123456789 " * 20 + b"\r\n\r\n\r\n"
)
SIGNATURE = re.compile(
    rb"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example\.net; s=sel;\n(?:[\t ][^\n]*\n)+"
)
RESULT = re.compile(rb"Authentication-Results: mx\.example\.org;\n\t?[^\n]*dkim=(\w+)[^\n]*\n(?:[\t ][^\n]*\n)*")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """The key of example.net."""
    return Key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def service(key: Key, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Opendkim, which refuses nobody."""
    with opendkim(tmp_path_factory.mktemp("opendkim"), key, "Canonicalization simple/simple") as running:
        yield running


@pytest.fixture(scope="module")
def at(service: str, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gate with it."""
    with start(tmp_path_factory.mktemp("site"), [service]) as running:
        yield running


@pytest.mark.parametrize("body_lines", [0, 5000])
def test_who_is_logged_in_is_signed_for(at: Site, key: Key, body_lines: int) -> None:
    """The signature is above all else, which is as it was to the byte, and it is good; with one byte more it is not."""
    message = MESSAGE + b"a line of a longer message\r\n" * body_lines

    text = at.takes(message, logged_in=True)

    signature = SIGNATURE.match(text)
    assert signature
    assert text[signature.end() :] == lines(message)
    assert key.verifies(text)
    assert not key.verifies(text + b"more\n")


def test_swaks_is_signed_for(at: Site, key: Key) -> None:
    """Its own message; it must be from whom the key is for."""
    code, said, kept = at.swaks("--header", "Subject: by swaks", logged_in=True)

    assert code == 0, said
    assert SIGNATURE.match(kept[0].text)
    assert key.verifies(kept[0].text)


def test_who_comes_behind_a_message_that_has_no_end_is_signed_for(at: Site, key: Key) -> None:
    """Its signature is good, also where opendkim forgets with a client what it has agreed on."""
    at.leaves(logged_in=True)
    text = at.takes(MESSAGE, logged_in=True)

    assert SIGNATURE.match(text)
    assert key.verifies(text)


def test_a_stranger_is_not_signed_for(at: Site) -> None:
    """Its message is as it was, to the byte, whomever it says it is from."""
    assert at.takes(MESSAGE) == lines(MESSAGE)


def test_where_everybody_sends_mail_all_is_signed_for(key: Key, start_before_mailfront: Start, tmp_path: Path) -> None:
    """By the name of the daemon, as postconf(5) has it."""
    own = ("Canonicalization simple/simple", "MTA ORIGINATING")
    with (
        opendkim(tmp_path, key, *own) as service,
        start_before_mailfront(tmp_path / "site", [service], "milter_macro_daemon_name = ORIGINATING") as at,
    ):
        text = at.takes(MESSAGE)
    assert SIGNATURE.match(text)
    assert key.verifies(text)


def test_what_a_stranger_brings_is_verified(at: Site) -> None:
    """The result is above all else, under our name; a body that was changed does not pass."""
    signed = at.takes(MESSAGE, logged_in=True)

    for message, result in ((signed, b"pass"), (signed.replace(b"blanks", b"blank"), b"fail")):
        text = at.takes(message.replace(b"\n", b"\r\n"))
        said = RESULT.match(text)
        assert said
        assert said[1] == result
        assert text[said.end() :] == message


def test_a_result_of_our_own_that_a_stranger_brings_is_taken_out(at: Site) -> None:
    """Another host's stays, and so does all else."""
    ours, theirs = (
        b"Authentication-Results: mx.example.org; dkim=pass\r\n",
        b"Authentication-Results: a.example; dkim=x\r\n",
    )

    assert at.takes(theirs + ours + MESSAGE) == lines(theirs + MESSAGE)


def test_a_bad_signature_is_refused_where_opendkim_is_told_to(
    key: Key, start_before_mailfront: Start, tmp_path: Path
) -> None:
    """Behind the message, which is kept nowhere; a good one passes."""
    with (
        opendkim(tmp_path, key, "Canonicalization simple/simple", "On-BadSignature reject") as service,
        start_before_mailfront(tmp_path / "site", [service]) as at,
    ):
        signed = at.takes(MESSAGE, logged_in=True).replace(b"\n", b"\r\n")
        assert at.refuses(signed.replace(b"blanks", b"blank")) == "550 5.7.0 bad DKIM signature data"
        assert RESULT.match(at.takes(signed))
