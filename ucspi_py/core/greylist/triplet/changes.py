"""Triplets and their clients as tenants of the store, and the changes of their records, in Python and in Lua.

A store that cannot be asked lets everybody in: greylisting is a courtesy to the mailboxes behind; mail is the service.
"""

from dataclasses import dataclass
from typing import ClassVar

from ...store.change import Outcome, Row, Tenant
from ..attempt import Deferred, Passed, Verdict
from .decision import APART, FOUND, WORTH_RENEWING, Client, Triplet, client_expiry, counted, decide, expiry, is_listed
from .key import neighbourhood
from .settings import TripletSettings

NO_STORE = b"store unavailable"

#: decide() and expiry() once more. A record is ``first last waited``, with - for None. The answer is how many seconds
#: are left to wait; 0 = it was let in before; below = how many it has waited, and one more.
_VISIT = f"""
local now, delay, window, age = tonumber(argv[1]), tonumber(argv[2]), tonumber(argv[3]), tonumber(argv[4])
local part = math.floor(age / {WORTH_RENEWING})
local kept = window + math.floor(window / {WORTH_RENEWING})
local first, last, waited
if text then
  first, last, waited = string.match(text, '^(%d+) (%d+) (%S+)$')
  first, last = tonumber(first), tonumber(last)
  if not last or (waited ~= '-' and not tonumber(waited)) then return end
end
local passed = first and last - first >= delay
if first and now > (passed and last + age + part or first + kept) then first, passed = nil, nil end
if passed then
  local since = math.min(first, now)
  if since + delay > now then
    return since + delay - now, string.format('%d %d -', since, now), math.max(since + kept - now + 1, 1)
  end
  if now - last > part then last = now end
  return 0, string.format('%d %d %s', first, last, waited), last + age + part - now + 1
end
if not first or first > now or now - first > window then first, last, waited = now, now, '-' end
local spent = now - first
if spent < delay then return delay - spent, string.format('%d %d %s', first, last, waited), first + kept - now + 1 end
return -spent - 1, string.format('%d %d %d', first, now, spent), age + part + 1
"""
#: What the changes of a client begin with: its record ``passes last``, unless that means nothing any more.
_CLIENT = """
local now, age = tonumber(argv[1]), tonumber(argv[2])
local count, last
if text then
  count, last = string.match(text, '^(%d+) (%d+)$')
  count, last = tonumber(count), tonumber(last)
  if not last then return end
  if now > last + age then count, last = nil, nil end
end
"""
_LISTED = f"""{_CLIENT}
local enough = tonumber(argv[3])
if not count or enough == 0 or count < enough then return 0 end
if now >= last + {APART} or last > now then return 1, string.format('%d %d', count + 1, now), age + 1 end
return 1
"""
_COUNTED = f"""{_CLIENT}
if count and now < last + {APART} then return 0 end
count = (count or 0) + 1
return count, string.format('%d %d', count, now), age + 1
"""
_KNOWN = f"""{_CLIENT}
return count and 1 or 0
"""


def _triplet(text: bytes) -> Triplet:
    """Parse a record as Redis has it. Raises ValueError for what is none."""
    first, last, waited = text.split(b" ")
    return Triplet(int(first), int(last), None if waited == b"-" else int(waited))


def _client(text: bytes) -> Client:
    """Parse a record as Redis has it. Raises ValueError for what is none."""
    count, last = text.split(b" ")
    return Client(int(count), int(last))


TRIPLETS = Tenant(
    table="triplets",
    key="triplet",
    columns=("first INTEGER NOT NULL", "last INTEGER NOT NULL", "waited INTEGER"),
    version=1,
    tag="t",
    parse=_triplet,
    neighbourhood=neighbourhood,
    has_hex_keys=True,
)
CLIENTS = Tenant(
    table="greylist_clients",
    key="client",
    columns=("passes INTEGER NOT NULL", "last INTEGER NOT NULL"),
    version=1,
    tag="c",
    parse=_client,
)


@dataclass(frozen=True, slots=True)
class TripletVisit:
    """An attempt of a triplet. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = TRIPLETS
    lua: ClassVar[str] = _VISIT
    without_store: ClassVar[Verdict] = Passed(NO_STORE)

    now: int
    settings: TripletSettings

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.now, self.settings.delay, self.settings.retry_window, self.settings.max_age

    def apply(self, record: Row | None, /) -> Outcome[Verdict]:
        """Decide on the attempt; record: what is remembered of the triplet, None = nothing."""
        verdict, kept = decide(None if record is None else Triplet(*record), self.now, self.settings)
        return Outcome(verdict, kept, expiry(kept, self.settings))

    def result(self, answer: int, /) -> Verdict:
        """Read the answer of the Lua."""
        if answer > 0:
            return Deferred(answer, answer == self.settings.delay)
        return Passed(FOUND, -answer - 1) if answer else Passed(FOUND)


@dataclass(frozen=True, slots=True)
class ClientVisit:
    """A client comes. The result is whether it has passed so often that it waits no more. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = CLIENTS
    lua: ClassVar[str] = _LISTED
    without_store: ClassVar[bool] = False

    now: int
    settings: TripletSettings

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.now, self.settings.max_age, self.settings.auto_whitelist_clients

    def apply(self, record: Row | None, /) -> Outcome[bool]:
        """Look whether it has."""
        found, kept = is_listed(None if record is None else Client(*record), self.now, self.settings)
        return Outcome(found, kept, client_expiry(kept, self.settings.max_age) if kept else self.now)

    def result(self, answer: int, /) -> bool:
        """Read the answer of the Lua."""
        return answer == 1


@dataclass(frozen=True, slots=True)
class ClientPass:
    """A triplet of a client is let in for the first time. The result is how many counted; 0 = this one did not.

    now: seconds since 1970. without_store: it did not.
    """

    tenant: ClassVar[Tenant] = CLIENTS
    lua: ClassVar[str] = _COUNTED
    without_store: ClassVar[int] = 0

    now: int
    settings: TripletSettings

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.now, self.settings.max_age

    def apply(self, record: Row | None, /) -> Outcome[int]:
        """Count it."""
        known = None if record is None else Client(*record)
        kept = counted(known, self.now, self.settings)
        return Outcome(0 if kept == known else kept.passes, kept, client_expiry(kept, self.settings.max_age))

    def result(self, answer: int, /) -> int:
        """Read the answer of the Lua."""
        return answer


@dataclass(frozen=True, slots=True)
class ClientKnown:
    """Somebody asks whether a triplet of a client was ever let in; nothing is changed.

    now: seconds since 1970. max_age: seconds since then until it is forgotten.
    """

    tenant: ClassVar[Tenant] = CLIENTS
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
        known = record is not None and client_expiry(Client(*record), self.max_age) >= self.now
        return Outcome(known, record, self.now)

    def result(self, answer: int, /) -> bool:
        """Read the answer of the Lua."""
        return answer == 1
