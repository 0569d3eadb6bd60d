"""Debian's opendkim, and another program to ask whether a signature is good."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..programs import theirs
from ..waiting import PATIENCE
from .daemon import daemon

DOMAIN, SELECTOR = "example.net", "sel"
#: Asks Debian's dkimpy about the message on standard input; the argument is what DNS has of the key.
_ASK_DKIMPY = """\
import dkim, sys
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda *_, **__: sys.argv[1].encode()))
"""


class Key:
    """A key of 2048 bits of example.net. file: the private one. record: the public one, as DNS has it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "dkim.key"
        openssl = theirs("openssl")
        subprocess.run([openssl, "genrsa", "-out", str(self.file), "2048"], check=True, capture_output=True)
        told = subprocess.run(
            [openssl, "rsa", "-in", str(self.file), "-pubout"], check=True, capture_output=True, text=True
        )
        self.record = "v=DKIM1; k=rsa; p=" + "".join(told.stdout.splitlines()[1:-1])

    def verifies(self, message: bytes) -> bool:
        """Whether dkimpy takes the message for signed by this key. message: its lines end in LF or CRLF."""
        theirs("dkimverify")  # of the same package
        command = ("/usr/bin/python3", "-c", _ASK_DKIMPY, self.record)
        told = subprocess.run(command, input=message, check=True, stdout=subprocess.PIPE, timeout=PATIENCE)
        return {b"True\n": True, b"False\n": False}[told.stdout]


@contextmanager
def opendkim(folder: Path, key: Key, *more: str) -> Iterator[str]:
    """Run opendkim, which signs for example.net and knows no other key -> the service. more: of its configuration."""
    path, keys, configuration = folder / "opendkim", folder / "opendkim.keys", folder / "opendkim.conf"
    keys.write_text(f"{SELECTOR}._domainkey.{DOMAIN} {key.record}\n")
    lines = (
        "Mode sv",
        f"Socket local:{path}",
        "UMask 000",
        f"Domain {DOMAIN}",
        f"Selector {SELECTOR}",
        f"KeyFile {key.file}",
        "RequireSafeKeys no",
        f"TestPublicKeys {keys}",
        *more,
    )
    configuration.write_text("\n".join((*lines, "")))
    with daemon((theirs("opendkim"), "-f", "-x", str(configuration)), path, folder):
        yield f"unix:{path}"
