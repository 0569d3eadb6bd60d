"""What an operator lets in by hand, as changes of records, in Python and in Lua.

A record that is written by hand has nothing that the report would take for a delay.
"""

from dataclasses import dataclass
from typing import ClassVar

from ...store.change import Outcome, Row, Tenant
from ..network import Record
from ..triplet.decision import Client, Triplet
from .kinds import TENANTS, Kind

#: Seconds for which what is let in by hand is known, and is renewed by visits after that: the memory of a greylist.
MEMORY = 35 * 86400
#: Passes after which a client waits no more.
_PASSES = 5


@dataclass(frozen=True, slots=True)
class _Allowed:
    """now: seconds since 1970."""

    without_store: ClassVar[None] = None

    now: int

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.now, MEMORY

    def result(self, _answer: int, /) -> None:
        """Nothing is told."""


@dataclass(frozen=True, slots=True)
class NetworkAllowed(_Allowed):
    """A network is known from now on. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = TENANTS[Kind.NETWORK]
    lua: ClassVar[str] = "return 0, string.format('%d %d', argv[1], argv[1]), argv[2] + 1"

    def apply(self, _record: Row | None, /) -> Outcome[None]:
        """Whatever was remembered of it."""
        return Outcome(None, Record(self.now, self.now), self.now + MEMORY)


@dataclass(frozen=True, slots=True)
class TripletAllowed(_Allowed):
    """A triplet is known from now on: its first attempt was before any delay. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = TENANTS[Kind.TRIPLET]
    lua: ClassVar[str] = "return 0, string.format('%d %d -', argv[1] - argv[2], argv[1]), argv[2] + 1"

    def apply(self, _record: Row | None, /) -> Outcome[None]:
        """Whatever was remembered of it."""
        return Outcome(None, Triplet(self.now - MEMORY, self.now), self.now + MEMORY)


@dataclass(frozen=True, slots=True)
class ClientAllowed(_Allowed):
    """A client has passed often enough. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = TENANTS[Kind.CLIENT]
    lua: ClassVar[str] = f"""
local passes = text and tonumber(string.match(text, '^(%d+) ')) or 0
return 0, string.format('%d %d', math.max(passes, {_PASSES}), argv[1]), argv[2] + 1
"""

    def apply(self, record: Row | None, /) -> Outcome[None]:
        """More passes than that stay. record: what is remembered of it, None = nothing."""
        passes = max(record[0], _PASSES) if record else _PASSES
        return Outcome(None, Client(passes, self.now), self.now + MEMORY)
