"""--tls of pytcpserver -> what is asked of TLS. Never opens a file."""

import re
from collections.abc import Sequence

from ...core.errors import AskedWrongly
from ...core.tls.settings import Pair, TlsSettings

FORM = "[NAME,...=]CERT[:KEY]"

_NAME = re.compile(r"(\*?\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def settings(words: Sequence[str]) -> TlsSettings | None:
    """Make the settings of all --tls that were given; None = none was. Raises AskedWrongly."""
    return TlsSettings(tuple(map(_pair, words))) if words else None


def _pair(word: str) -> Pair:
    """A name has no slash, so that files whose names have an equals sign can be written with one."""
    names, equals, files = word.partition("=")
    if not equals or "/" in names:
        names, files = "", word
    certificate, colon, key = files.partition(":")
    if not certificate or (colon and not key) or ":" in key:
        raise AskedWrongly(f"--tls must be {FORM}, not '{word}'")
    return Pair(certificate, key or certificate, tuple(map(_name, names.split(","))) if names else ())


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise AskedWrongly(f"--tls takes names as mail.example.org and *.example.org, not '{text}'")
    return text.lower().removeprefix("*")
