"""What is taken out of PEM files."""

import pytest

from ucspi_py.core.errors import Failure
from ucspi_py.core.tls import pem


def _block(label: str, body: str = "MAA=") -> bytes:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


LEAF, CHAIN = _block("CERTIFICATE", "bGVhZg=="), _block("CERTIFICATE", "Y2hhaW4=")
KEY = _block("PRIVATE KEY", "a2V5")


def test_a_chain_keeps_its_order_and_loses_what_is_beside_it() -> None:
    assert pem.chain(b"Bag Attributes\n" + KEY + LEAF + _block("DH PARAMETERS") + CHAIN) == LEAF + CHAIN


@pytest.mark.parametrize("label", ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"])
def test_the_first_key_is_taken(label: str) -> None:
    own = _block(label)
    assert pem.private_key(_block("EC PARAMETERS") + LEAF + own + KEY) == own


def test_lines_may_end_as_in_windows() -> None:
    assert pem.private_key(KEY.replace(b"\n", b"\r\n")) == KEY.replace(b"\n", b"\r\n").rstrip() + b"\n"


@pytest.mark.parametrize(
    "data", [_block("ENCRYPTED PRIVATE KEY"), _block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\na2V5")]
)
def test_an_encrypted_key_is_none_for_us(data: bytes) -> None:
    with pytest.raises(Failure, match="its key is encrypted"):
        pem.private_key(data)


@pytest.mark.parametrize("data", [b"", KEY, LEAF[:-10], b"-----BEGIN CERTIFICATE-----" * 1000])
def test_what_has_no_certificate_says_so(data: bytes) -> None:
    with pytest.raises(Failure, match="there is no certificate in it"):
        pem.chain(data)


@pytest.mark.parametrize("data", [b"", LEAF, KEY[:-10]])
def test_what_has_no_key_says_so(data: bytes) -> None:
    with pytest.raises(Failure, match="there is no private key in it"):
        pem.private_key(data)
