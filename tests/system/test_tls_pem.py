"""Certificates and keys as sealed descriptors."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from ucspi_py.core.errors import Failure
from ucspi_py.core.tls.settings import Pair
from ucspi_py.system.tls import pem


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Authority(tmp_path).pair("mail.example.org")


@pytest.fixture
def fd(pair: Pair) -> Iterator[int]:
    fd = pem.sealed(pair)
    yield fd
    os.close(fd)


def test_openssl_reads_both_from_one_descriptor(fd: int) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(f"/proc/self/fd/{fd}")


def test_both_may_stand_in_one_file(pair: Pair, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(Path(pair.certificate).read_bytes() + Path(pair.key).read_bytes())
    fd = pem.sealed(Pair(str(both), str(both)))
    with open(fd, "rb") as file:
        assert file.seek(0) == 0
        assert file.read().count(b"-----BEGIN ") == 2


def test_nobody_changes_what_is_sealed(fd: int) -> None:
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    try:
        for change in (lambda: os.pwrite(again, b"x", 0), lambda: os.ftruncate(again, 0)):
            with pytest.raises(PermissionError):
                change()
        with pytest.raises(PermissionError):
            os.pwrite(again, b"x", os.fstat(again).st_size)
    finally:
        os.close(again)


def test_no_program_inherits_a_key(fd: int) -> None:
    assert not os.get_inheritable(fd)


def test_a_file_that_is_not_there_is_named(pair: Pair) -> None:
    os.unlink(pair.key)
    with pytest.raises(Failure, match=f"^unable to read {pair.key}: file does not exist$"):
        pem.sealed(pair)


def test_a_file_without_a_key_is_named(pair: Pair) -> None:
    with pytest.raises(Failure, match=f"^unable to use {pair.certificate}: there is no private key in it$"):
        pem.sealed(pair._replace(key=pair.certificate))


def test_a_file_that_is_too_big_is_not_read(pair: Pair) -> None:
    os.truncate(pair.certificate, pem.LIMIT + 1)
    with pytest.raises(Failure, match=f"^unable to use {pair.certificate}: file is too big$"):
        pem.sealed(pair)


def test_a_fifo_does_not_hang_us(pair: Pair) -> None:
    os.unlink(pair.certificate)
    os.mkfifo(pair.certificate)
    with pytest.raises(Failure, match=f"^unable to use {pair.certificate}: not a regular file$"):
        pem.sealed(pair)
