"""Cyrus SASL's smtpd.conf: which mechanisms it has, and where saslauthd listens. Never reads the file.

Source: Cyrus SASL 2.1.28, lib/config.c (sasl_config_init), and its options.html; Postfix's SASL_README. Of the ways in
which Cyrus SASL checks a password saslauthd alone is known here: the others are plugins of its library.
"""

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import AskedWrongly

#: Where the library looks when it is not told where, Debian's Postfix first.
_FOLDERS = ("/etc/postfix/sasl", "/etc/sasl2", "/etc/sasl", "/usr/lib/sasl2", "/usr/lib64/sasl2")
#: As Debian, Red Hat and others build it.
SASLAUTHD_PATH = "/var/run/saslauthd/mux"
#: A password is all that saslauthd can check.
_KNOWN = ("PLAIN", "LOGIN")
_METHOD = "saslauthd"
#: Read, or without effect on a password and on who is let in.
_TAKEN = ("pwcheck_method", "mech_list", "saslauthd_path", "log_level", "minimum_layer")


class SmtpdConf(NamedTuple):
    """What a file says.

    mechanisms: of those that are known here, in the file's order. saslauthd: the path of its socket. without_effect: a
    sentence for each line that does nothing here.
    """

    mechanisms: tuple[bytes, ...]
    saslauthd: str
    without_effect: tuple[str, ...] = ()


class _Line(NamedTuple):
    where: str
    name: str
    value: str


def paths(config_path: str, name: str) -> tuple[str, ...]:
    """List where the file may be, the first one that is there counts.

    config_path: cyrus_sasl_config_path, folders with colons between them; "" = where the library looks. name: of the
    application, smtpd_sasl_path.
    """
    folders = tuple(filter(None, config_path.split(":"))) or _FOLDERS
    return tuple(posixpath.join(folder, f"{name}.conf") for folder in folders)


def smtpd_conf(place: str, text: str) -> SmtpdConf:
    """Read what a file says. place: its path, for sentences. Raises AskedWrongly."""
    lines = list(_lines(place, text))
    first: dict[str, _Line] = {}
    for line in lines:
        first.setdefault(line.name, line)  # config.c, sasl_config_getstring: the first one counts
    _hold_to_saslauthd(place, first.get("pwcheck_method"))
    _hold_to_no_layer(first.get("minimum_layer"))
    mechanisms, others = _mechanisms(place, first.get("mech_list"))
    idle = [f"{line.where}: {line.name} does nothing here" for line in lines if line.name not in _TAKEN]
    path = first["saslauthd_path"].value if "saslauthd_path" in first else SASLAUTHD_PATH
    return SmtpdConf(mechanisms, path, (*others, *idle))


def _lines(place: str, text: str) -> Iterator[_Line]:
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        where = f"{place} line {number}"
        name, colon, value = stripped.partition(":")
        if not colon or not value.strip() or not name.replace("-", "").replace("_", "").isalnum():
            raise AskedWrongly(f"{where}: '{stripped}' is not name: value")
        yield _Line(where, name.lower(), value.strip())


def _hold_to_saslauthd(place: str, line: _Line | None) -> None:
    if line is None:
        raise AskedWrongly(f"{place}: without pwcheck_method the passwords are auxprop's; here it is {_METHOD} only")
    if line.value.lower().split() != [_METHOD]:
        raise AskedWrongly(f"{line.where}: of pwcheck_method {_METHOD} is known here, and not '{line.value}'")


def _hold_to_no_layer(line: _Line | None) -> None:
    """Such a server takes no password without encryption."""
    if line and line.value.strip("0"):
        raise AskedWrongly(f"{line.where}: minimum_layer is not known here; smtpd_tls_auth_only = yes asks for TLS")


def _mechanisms(place: str, line: _Line | None) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Those that are known, and a sentence about the others; without a line the library has all that are installed."""
    words = line.value.upper().split() if line else list(_KNOWN)
    known = tuple(word.encode() for word in dict.fromkeys(words) if word in _KNOWN)
    if not known:
        where = line.where if line else place
        raise AskedWrongly(
            f"{where}: of mech_list plain and login are known with saslauthd, and not '{' '.join(words)}'"
        )
    others = [word for word in words if word not in _KNOWN]
    if not others or not line:
        return known, ()
    return known, (f"{line.where}: saslauthd cannot check {', '.join(others)}, which are not offered",)
