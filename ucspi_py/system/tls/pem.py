"""Certificates and keys read from their files, and handed on as sealed descriptors. Never says what is in them."""

import fcntl
import os
from collections.abc import Callable

from ...core.errors import Failure, unable
from ...core.tls import pem
from ...core.tls.settings import Pair
from ..rules.whole_file import open_regular

#: Bytes of one file; a chain of four RSA-4096 certificates has 8 KB.
LIMIT = 262144

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def sealed(pair: Pair) -> int:
    """Read a certificate with its chain, and its key -> a descriptor of both in one PEM, key first.

    ``load_cert_chain("/proc/self/fd/N")`` reads it, in any process that it is passed to (memfd_create(2)); nobody can
    write, grow, shrink or unseal it. The caller closes it. Raises Failure that names the file.
    """
    text = _taken(pem.private_key, pair.key) + _taken(pem.chain, pair.certificate)
    fd = os.memfd_create("tls", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(fd, "wb", buffering=0, closefd=False) as file:
            file.write(text)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _taken(take: Callable[[bytes], bytes], path: str) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(LIMIT + 1)
        if len(data) > LIMIT:
            raise Failure("file is too big")
        return take(data)
    except OSError as error:
        raise unable(f"read {path}", error) from None
    except Failure as failure:
        raise Failure(f"unable to use {path}: {failure.sentence}") from None
