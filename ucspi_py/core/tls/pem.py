"""What is taken out of PEM files (RFC 7468). Never reads a file, and never looks into a certificate."""

import re

from ..errors import Failure

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n.*?-----END \1-----", re.DOTALL)
#: In a label (PKCS#8, RFC 7468, 11), or in a header (RFC 1421, 4.6.1.1).
_ENCRYPTED = b"ENCRYPTED"


def chain(data: bytes) -> bytes:
    """Take out a certificate and its chain, in their order, and nothing else. data: of their file. Raises Failure."""
    blocks = [match[0] for match in _BLOCK.finditer(data) if match[1] == b"CERTIFICATE"]
    if not blocks:
        raise Failure("there is no certificate in it")
    return b"\n".join((*blocks, b""))


def private_key(data: bytes) -> bytes:
    """Take out the first private key, and nothing else. data: of its file.

    Raises Failure, also for one that is encrypted: nobody is there to be asked for its password.
    """
    for match in _BLOCK.finditer(data):
        if match[1].endswith(b"PRIVATE KEY"):
            if _ENCRYPTED in match[1] or b"," + _ENCRYPTED in match[0]:
                raise Failure("its key is encrypted")
            return match[0] + b"\n"
    raise Failure("there is no private key in it")
