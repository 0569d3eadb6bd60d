"""The greylist as a tenant of the store: its record, and a visit as the one change of it, in Python and in Lua.

Others may ask whether a network is known, which changes nothing.

A store that cannot be asked lets everybody in: greylisting is a courtesy to the mailboxes behind; mail is the service.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..smtp.verdict import Accept, Verdict
from ..store.change import Outcome, Row, Tenant
from .network import Record, decide, expiry, patience
from .settings import GreylistSettings

#: decide() and expiry() once more. A record is ``first passed``, with - for None; the answer is how many seconds are
#: left to wait.
_LUA = """
local now, delay, window, memory = tonumber(argv[1]), tonumber(argv[2]), tonumber(argv[3]), tonumber(argv[4])
local first, passed
if text then
  first, passed = string.match(text, '^(%d+) (%d+)$')
  first = tonumber(first or string.match(text, '^(%d+) %-$'))
  passed = tonumber(passed)
  if not first then return end
  if (passed and passed + memory or first + window) < now then first, passed = nil, nil end
end
first = first or now
if passed then
  if now - passed > math.floor(memory / 100) then passed = now end
  return 0, string.format('%d %d', first, passed), passed + memory - now + 1
end
first = math.min(first, now)
if first + delay > now then
  return first + delay - now, string.format('%d -', first), first + window - now + 1
end
return 0, string.format('%d %d', first, now), memory + 1
"""
#: Whether a network was let in, so many seconds ago at most.
_KNOWN = """
local now, age = tonumber(argv[1]), tonumber(argv[2])
if not text then return 0 end
local passed = string.match(text, '^%d+ (%d+)$')
if passed then return passed + age >= now and 1 or 0 end
if string.match(text, '^%d+ %-$') then return 0 end
"""


def parsed(text: bytes) -> Record:
    """Parse a record as Redis has it. Raises ValueError for what is none."""
    first, passed = text.split(b" ")
    return Record(int(first), None if passed == b"-" else int(passed))


TENANT = Tenant(
    table="greylist",
    key="network",
    columns=("first INTEGER NOT NULL", "passed INTEGER"),
    version=1,
    tag="g",
    parse=parsed,
    old_prefix="greylist:",
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A network's visit. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = TENANT
    lua: ClassVar[str] = _LUA

    now: int
    settings: GreylistSettings

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.now, self.settings.delay, self.settings.window, self.settings.memory

    @property
    def without_store(self) -> Verdict:
        """Everybody is let in."""
        return Accept()

    def apply(self, record: Row | None, /) -> Outcome[Verdict]:
        """Decide on the visit; record: what is remembered of the network, None = nothing."""
        decision = decide(None if record is None else Record(*record), self.now, self.settings)
        return Outcome(decision.verdict, decision.record, expiry(decision.record, self.settings))

    def result(self, answer: int, /) -> Verdict:
        """Read the answer of the Lua: how many seconds are left to wait; 0 = let in."""
        return patience(answer) if answer else Accept()


@dataclass(frozen=True, slots=True)
class NetworkKnown:
    """Somebody asks whether a network was ever let in; nothing is changed.

    now: seconds since 1970. max_age: seconds since then until it is forgotten.
    """

    tenant: ClassVar[Tenant] = TENANT
    lua: ClassVar[str] = _KNOWN
    without_store: ClassVar[bool] = False

    now: int
    max_age: int

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.now, self.max_age

    def apply(self, record: Row | None, /) -> Outcome[bool]:
        """Look whether it was."""
        passed = None if record is None else Record(*record).passed
        return Outcome(passed is not None and passed + self.max_age >= self.now, record, self.now)

    def result(self, answer: int, /) -> bool:
        """Read the answer of the Lua."""
        return answer == 1
