"""Debian's opendmarc behind opendkim at the gate: what the one puts above a message the other one reads."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.milters.conftest import Start
from tests.support.milters.dkim import Key, opendkim
from tests.support.milters.dmarc import opendmarc
from tests.support.milters.site import REFUSED, Site, lines

POLICIES = {"example.net": "reject", "example.com": "none"}
RESULTS = re.compile(rb"(?:Authentication-Results: mx\.example\.org;[^\n]*\n(?:[\t ][^\n]*\n)*)*")


def message(domain: str) -> bytes:
    """One from an address of a domain."""
    return f"From: s@{domain}\r\nTo: r@example.org\r\nSubject: x\r\n\r\nbody\r\n".encode()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Opendkim and opendmarc, in this order."""
    folder = tmp_path_factory.mktemp("milters")
    with ExitStack() as running:
        first = running.enter_context(opendkim(folder, Key(folder), "AlwaysAddARHeader yes"))
        yield [first, running.enter_context(opendmarc(folder, "mx.example.org", POLICIES))]


@pytest.fixture(scope="module")
def at(services: list[str], start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gate with both."""
    with start(tmp_path_factory.mktemp("site"), services) as running:
        yield running


def test_who_may_not_fail_and_fails_is_refused(at: Site) -> None:
    """It is kept nowhere, and swaks hears so, too; also behind a user, who may do that, and has left a message."""
    refusal = "550 5.7.1 rejected by DMARC policy for example.net"

    at.leaves(logged_in=True)
    assert at.refuses(message("example.net")) == refusal
    code, said, kept = at.swaks("--data", message("example.net").decode())
    assert (code, kept) == (REFUSED, [])
    assert f"<** {refusal}" in said


def test_who_may_fail_is_marked(at: Site) -> None:
    """The rest is as it was, to the byte."""
    text = at.takes(message("example.com"))

    results = RESULTS.match(text)
    assert results
    assert b"dmarc=fail (p=none" in results[0]
    assert b"dkim=none" in results[0]
    assert text[results.end() :] == lines(message("example.com"))


def test_what_is_signed_passes(at: Site) -> None:
    """Signed here for one who is logged in, brought back by a stranger."""
    signed = at.takes(message("example.net"), logged_in=True)
    signed = signed[signed.index(b"DKIM-Signature:") :]

    text = at.takes(signed.replace(b"\n", b"\r\n"))

    results = RESULTS.match(text)
    assert results
    assert b"dmarc=pass (p=reject" in results[0]
    assert b"dkim=pass" in results[0]
    assert text[results.end() :] == signed
