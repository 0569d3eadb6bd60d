"""Addresses of the envelope: parsed once, and written anew for whoever hears of them (RFC 5321, 4.1.2)."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from ..text import is_utf8

#: RFC 5321, 4.5.3.1.3: bytes of a path with its < and >, so that no domain has more than the 255 of 4.5.3.1.2. A local
#: part may be longer than the 64 of 4.5.3.1.1: those that carry another address in them (VERP, SRS, BATV) are.
_PATH_LIMIT = 256

#: RFC 5321, 4.1.2: Atom and Quoted-string, with the 8-bit bytes of RFC 6531, 3.3. Dots may stand anywhere, as for
#: Postfix: there are mailboxes named a..b and a., and on the wire these are quoted.
_ATOM = rb"[\w!#$%&'*+/=?^`{|}~.\x80-\xff-]+"
_QUOTED = rb'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"'
#: RFC 1123, 2.1, with the _ that Postfix takes (valid_hostname.c): what has digits and dots alone is an address.
_LABEL = rb"[\w\x80-\xff](?:[\w\x80-\xff-]{0,61}[\w\x80-\xff])?"
_DOMAIN = rb"(?![\d.]+(?:[> \t]|\Z))%b(?:\.%b)*\.?" % (_LABEL, _LABEL)
_LITERAL = rb"\[[0-9A-Za-z:.]+\]"
_MAILBOX = rb"(?P<local>%b|%b)(?:@(?P<domain>%b|%b))?" % (_ATOM, _QUOTED, _DOMAIN, _LITERAL)
#: RFC 5321, 4.1.2: a source route "MUST BE accepted, SHOULD NOT be generated, and SHOULD be ignored".
_ROUTE = rb"(?:@[\w\x80-\xff.,@\[\]-]+:)?"
_PATH = re.compile(rb"<%b%b>(?=[ \t]|\Z)" % (_ROUTE, _MAILBOX))
_NAKED = re.compile(rb"%b(?=[ \t]|\Z)" % _MAILBOX)
_EMPTY = re.compile(rb"<>(?=[ \t]|\Z)")

_PAIR = re.compile(rb"\\(.)")
_SPECIAL = re.compile(rb'(["\\])')
#: RFC 5321, 4.1.2: Dot-string, which needs no quotes.
_DOT_STRING = re.compile(rb"[\w!#$%&'*+/=?^`{|}~\x80-\xff-]+(?:\.[\w!#$%&'*+/=?^`{|}~\x80-\xff-]+)*")
#: What sends a mailbox on to elsewhere: user%other and other!user (RFC 5321, appendix F.2), and a second @.
_ROUTING = re.compile(rb"[%!@]")


class Path(NamedTuple):
    """A forward- or reverse-path without its source route.

    local: the local part, unquoted; b"" with no domain is the null reverse-path. domain: as it was said, a literal with
    its brackets; None where there is no @.
    """

    local: bytes
    domain: bytes | None

    @property
    def is_null(self) -> bool:
        """Whether it is the null reverse-path."""
        return self == NULL

    @property
    def is_postmaster(self) -> bool:
        """Whether it is the bare postmaster, who takes mail from everybody (RFC 5321, 4.5.1)."""
        return self.domain is None and self.local.lower() == b"postmaster"

    @property
    def wire(self) -> bytes:
        """The path as it is told to a backend: quoted where it must be, with its < and >."""
        return b"<%b>" % self.address

    @property
    def address(self) -> bytes:
        """The address as it is logged and looked up: quoted where it must be; b"" of the null reverse-path."""
        local = self.local
        if not _DOT_STRING.fullmatch(local) and not self.is_null:
            local = b'"%b"' % _SPECIAL.sub(rb"\\\1", local)
        return local if self.domain is None else b"%b@%b" % (local, self.domain)


#: The null reverse-path, <>.
NULL = Path(b"", None)


def parse_path(argument: bytes, *, strict: bool, utf8: bool) -> tuple[Path, bytes] | None:
    """Parse a path at the start of an argument -> the path, and what stands behind it; None = there is no path.

    argument: behind ``FROM:`` or ``TO:``, without blanks at either end. strict: not without < and >
    (strict_rfc821_envelopes). utf8: UTF-8 may stand in it (RFC 6531, 3.3). Source: RFC 5321, 4.1.2.
    """
    if _EMPTY.match(argument):
        return NULL, argument[2:].lstrip()
    found = (_NAKED if not strict and not argument.startswith(b"<") else _PATH).match(argument)
    if found is None or not _is_text(found[0], utf8):
        return None
    path = _path(found["local"], found["domain"])
    return None if path is None else (path, argument[found.end() :].lstrip())


def route(path: Path) -> bool:
    """Whether a local part sends the message on to elsewhere (Postfix, resolve.c: RESOLVE_FLAG_ROUTED)."""
    return bool(_ROUTING.search(path.local))


def _is_text(said: bytes, utf8: bool) -> bool:
    return said.isascii() or (utf8 and is_utf8(said))


def _path(said: bytes, domain: bytes | None) -> Path | None:
    """A path of its two parts as they were said; None where it breaks a limit."""
    local = _PAIR.sub(rb"\1", said[1:-1]) if said.startswith(b'"') else said
    if domain is not None:
        # Postfix (resolve.c) drops the dot of a name that is whole, too.
        domain = domain.removesuffix(b".")
        if domain.startswith(b"[") and not _is_literal(domain[1:-1]):
            return None
    path = Path(local, domain)
    return None if path.is_null or len(path.wire) > _PATH_LIMIT else path


def _is_literal(text: bytes) -> bool:
    """Whether it is an address as it stands in brackets (RFC 5321, 4.1.3)."""
    words = text.decode("ascii")
    try:
        if words[:5].lower() == "ipv6:":
            IPv6Address(words[5:])
        else:
            IPv4Address(words)
    except ValueError:
        return False
    return True
