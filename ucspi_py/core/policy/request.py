"""Requests of Postfix's policy delegation protocol, out of what a client of a policy server sends. Never answers.

Source: SMTPD_POLICY_README, "Protocol description".
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..errors import Failure

#: The ``request`` that Postfix's smtpd makes; others belong to other protocols of the same form.
SMTPD = b"smtpd_access_policy"

#: Bytes of a line without its end, and lines of a request. Postfix sends some 30, with few bytes in each.
LINE_LIMIT, LINES_LIMIT = 2048, 100
#: Bytes that postgrey keeps of a name and of a value.
_KEPT = 512


class NotPolicy(Failure):
    """What a client sends has no end where a request must have one. No more can be made of its connection."""


class Request(NamedTuple):
    """One request. attributes: by name; one that is not there is not known, as an empty one is."""

    attributes: Mapping[bytes, bytes]

    def get(self, name: bytes) -> bytes:
        """The value of an attribute; b"" = it is empty, or not there."""
        return self.attributes.get(name, b"")


class Garbage(NamedTuple):
    """A line that is no attribute. It is passed over: the request that it stands in may be good."""

    line: bytes


class RequestReader:
    """One connection's bytes -> its requests, in their order; they come in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._attributes: dict[bytes, bytes] = {}
        self._lines = 0

    @property
    def is_between(self) -> bool:
        """Whether no request has been begun and not ended."""
        return not self._rest and not self._lines

    def receive(self, data: bytes) -> list[Request | Garbage]:
        """Take what has come -> what it completes. Raises NotPolicy where a limit is passed."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        complete: list[Request | Garbage] = []
        for line in lines:
            self._take(line.removesuffix(b"\r"), complete)
        if len(self._rest) > LINE_LIMIT:
            raise NotPolicy("a line is too long")
        return complete

    def _take(self, line: bytes, complete: list[Request | Garbage]) -> None:
        if not line:
            complete.append(Request(self._attributes))
            self._attributes, self._lines = {}, 0
            return
        self._lines += 1
        if len(line) > LINE_LIMIT or self._lines > LINES_LIMIT:
            raise NotPolicy("a line is too long" if len(line) > LINE_LIMIT else "a request has too many lines")
        name, equals, value = line.partition(b"=")
        if name and equals:
            self._attributes[name[:_KEPT]] = value[:_KEPT]
        else:
            complete.append(Garbage(line))
