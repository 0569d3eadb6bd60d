"""examples/tcp.smtp: it compiles as in C, and each of its rules says what its comment promises."""

import subprocess
from pathlib import Path

import pytest

from tests.support.programs import ours, theirs

SOURCE = Path(__file__).parents[2] / "examples/tcp.smtp"

RELAY = b"set environment variable RELAYCLIENT=\nset environment variable RBLSMTPD=\nallow connection\n"


@pytest.fixture(scope="module")
def cdbs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The rules as djb's program and as ours compile them."""
    folder = tmp_path_factory.mktemp("rules")
    return compiled(theirs("tcprules"), folder), compiled(ours("pytcprules"), folder)


def compiled(program: str, folder: Path) -> Path:
    """The rules as a program compiles them."""
    cdb = folder / f"{Path(program).name}.cdb"
    with SOURCE.open("rb") as source:
        subprocess.run([program, cdb, folder / "tmp"], stdin=source, check=True)
    return cdb


def test_same_bytes(cdbs: tuple[Path, Path]) -> None:
    """Ours is djb's, byte for byte."""
    assert cdbs[0].read_bytes() == cdbs[1].read_bytes()


@pytest.mark.parametrize(
    ("ip", "name", "expected"),
    [
        ("127.0.0.1", "", b"rule 127.:\n" + RELAY),
        ("192.168.10.7", "", b"rule 192.168.10.:\n" + RELAY),
        ("10.1.0.1", "", b"rule 10.1.:\n" + RELAY),
        ("10.3.255.1", "", b"rule 10.3.:\n" + RELAY),
        ("10.4.0.1", "", b"rule :\nallow connection\n"),
        ("192.168.10.254", "", b"rule 192.168.10.254:\nallow connection\n"),
        ("192.0.2.66", "", b"rule 192.0.2.66:\ndeny connection\n"),
        ("198.51.100.127", "", b"rule :\nallow connection\n"),
        ("198.51.100.128", "", b"rule 198.51.100.128:\ndeny connection\n"),
        ("198.51.100.255", "", b"rule 198.51.100.255:\ndeny connection\n"),
        (
            "203.0.113.8",
            "",
            b"rule 203.0.113.:\nset environment variable RBLSMTPD="
            b"Please use the submission service of your provider\nallow connection\n",
        ),
        (
            "203.0.113.9",
            "",
            b"rule 203.0.113.9:\nset environment variable RBLSMTPD="
            b"-No mail from here, write to postmaster@example.org\nallow connection\n",
        ),
        (
            "192.0.2.25",
            "",
            b"rule 192.0.2.25:\nset environment variable RBLSMTPD=\n"
            b"set environment variable DATABYTES=100000000\nallow connection\n",
        ),
        (
            "198.51.100.7",
            "",
            b"rule 198.51.100.7:\nset environment variable DATABYTES=1000000\nallow connection\n",
        ),
        (
            "192.0.2.99",
            "mx.partner.example",
            b"rule =mx.partner.example:\nset environment variable RBLSMTPD=\nallow connection\n",
        ),
        ("192.0.2.99", "a-1.pool.dialup.example", b"rule =.dialup.example:\ndeny connection\n"),
        ("192.0.2.99", "mail.example.net", b"rule :\nallow connection\n"),
    ],
)
def test_rules(ip: str, name: str, expected: bytes, cdbs: tuple[Path, Path]) -> None:
    """tcprulescheck, theirs and ours, answers for each rule what the file explains."""
    environment = {"TCPREMOTEIP": ip} | ({"TCPREMOTEHOST": name} if name else {})
    for checker, cdb in zip((theirs("tcprulescheck"), ours("pytcprulescheck")), cdbs, strict=True):
        done = subprocess.run([checker, cdb], env=environment, capture_output=True, check=True)
        assert done.stdout == expected
