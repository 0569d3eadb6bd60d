"""Addresses of the envelope: parsed once, and written anew for whoever hears of them (RFC 5321, 4.1.2)."""

from typing import NamedTuple


class Path(NamedTuple):
    """A forward- or reverse-path without its source route.

    local: the local part, unquoted; b"" with no domain is the null reverse-path. domain: as it was said, a literal with
    its brackets; None where there is no @.
    """

    local: bytes
    domain: bytes | None


#: The null reverse-path, <>.
NULL = Path(b"", None)
