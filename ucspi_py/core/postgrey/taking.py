"""Records of postgrey's taken over, as changes of ours, in Python and in Lua.

What is remembered already stays where it says as much: an import may run while clients come, and may run twice.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..greylist.triplet.changes import CLIENTS, TRIPLETS
from ..greylist.triplet.decision import Client, Triplet, client_expiry, expiry, has_passed
from ..greylist.triplet.settings import TripletSettings
from ..store.change import Outcome, Row, Tenant

_TRIPLET = """
local first, last, delay, life = tonumber(argv[1]), tonumber(argv[2]), tonumber(argv[3]), tonumber(argv[4])
if text then
  local known_first, known_last = string.match(text, '^(%d+) (%d+) %S+$')
  known_first, known_last = tonumber(known_first), tonumber(known_last)
  if not known_last then return end
  local known, other = known_last - known_first >= delay, last - first >= delay
  if (known and not other) or (known == other and known_last >= last) then return 0 end
end
return 1, string.format('%d %d -', first, last), life
"""
_CLIENT = """
local passes, last, life = tonumber(argv[1]), tonumber(argv[2]), tonumber(argv[3])
if text then
  local known_passes, known_last = string.match(text, '^(%d+) (%d+)$')
  known_passes, known_last = tonumber(known_passes), tonumber(known_last)
  if not known_last then return end
  if known_passes >= passes and known_last >= last then return 0 end
  life = life + math.max(known_last - last, 0)
  passes, last = math.max(passes, known_passes), math.max(last, known_last)
end
return 1, string.format('%d %d', passes, last), life
"""


@dataclass(frozen=True, slots=True)
class TripletTaken:
    """A triplet is taken over, unless as much is known of it. The result is whether it was. now: seconds since 1970."""

    tenant: ClassVar[Tenant] = TRIPLETS
    lua: ClassVar[str] = _TRIPLET
    without_store: ClassVar[bool] = False

    now: int
    record: Triplet
    settings: TripletSettings

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        life = expiry(self.record, self.settings) - self.now + 1
        return self.record.first, self.record.last, self.settings.delay, life

    def apply(self, record: Row | None, /) -> Outcome[bool]:
        """Take it over. record: what is remembered of it, None = nothing."""
        kept = Triplet(*record) if record else None
        if kept and self._says_as_much(kept):
            return Outcome(False, kept, expiry(kept, self.settings))
        return Outcome(True, self.record, expiry(self.record, self.settings))

    def result(self, answer: int, /) -> bool:
        """Read the answer of the Lua."""
        return answer == 1

    def _says_as_much(self, known: Triplet) -> bool:
        ours, theirs = has_passed(known, self.settings), has_passed(self.record, self.settings)
        return (ours and not theirs) or (ours == theirs and known.last >= self.record.last)


@dataclass(frozen=True, slots=True)
class ClientTaken:
    """A client is taken over, unless as much is known of it. The result is whether it was. now: seconds since 1970.

    max_age: seconds since its last pass until it is forgotten.
    """

    tenant: ClassVar[Tenant] = CLIENTS
    lua: ClassVar[str] = _CLIENT
    without_store: ClassVar[bool] = False

    now: int
    record: Client
    max_age: int

    @property
    def arguments(self) -> tuple[int, ...]:
        """Those of the Lua."""
        return self.record.passes, self.record.last, client_expiry(self.record, self.max_age) - self.now + 1

    def apply(self, record: Row | None, /) -> Outcome[bool]:
        """Take it over. record: what is remembered of it, None = nothing."""
        known = Client(*record) if record else Client(0, 0)
        kept = Client(max(known.passes, self.record.passes), max(known.last, self.record.last))
        return Outcome(kept != known, kept, client_expiry(kept, self.max_age))

    def result(self, answer: int, /) -> bool:
        """Read the answer of the Lua."""
        return answer == 1
