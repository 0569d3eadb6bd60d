"""The ledger as a tenant of the store: a grant and a revocation as changes of a record, in Python and in Lua.

A ledger that cannot be asked opens nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ..numbers import MOST
from ..store.change import Outcome, Row, Tenant
from . import record
from .address import neighbourhood
from .grant import AHEAD, Grant, How, is_live

TENANT = Tenant(
    table="relay",
    key="address",
    columns=("grants TEXT NOT NULL",),
    version=1,
    tag="r",
    parse=record.parsed,
    neighbourhood=neighbourhood,
)

#: The grants of a record that live: is_live() and record.grants() once more, as far as a change looks at them.
_LIVING = f"""
local now = tonumber(argv[1])
local living = {{}}
for line in string.gmatch(text or '', '[^\\n]+') do
  local expires, renewed, granted, logins, how, user =
    string.match(line, '^(%d+) (%d+) (%d+) (%d+) (%S+) (%S+) %S+ %S+ %S+$')
  if not expires then return end
  expires, renewed, granted, logins = tonumber(expires), tonumber(renewed), tonumber(granted), tonumber(logins)
  if now < expires and renewed <= now + {AHEAD} then
    table.insert(living, {{line = line, expires = expires, granted = granted, logins = logins, how = how, user = user}})
  end
end
"""
_GRANT = f"""{_LIVING}
local seconds, most = tonumber(argv[2]), tonumber(argv[3])
local how, user, rest = argv[4], argv[5], argv[6] .. ' ' .. argv[7] .. ' ' .. argv[8]
local lines, users, number, last, mine = {{}}, {{[user] = true}}, 1, now, nil
for _, one in ipairs(living) do
  if not users[one.user] then users[one.user], number = true, number + 1 end
  last = math.max(last, one.expires)
  if one.how == how and one.user == user then mine = one else table.insert(lines, one.line) end
end
if number > most and not mine then return 0, table.concat(lines, '\\n'), last - now end
mine = mine or {{expires = 0, granted = now, logins = 0}}
local expires, logins = math.max(now + seconds, mine.expires), math.min(mine.logins + 1, {MOST})
table.insert(lines, string.format('%d %d %d %d %s %s %s', expires, now, mine.granted, logins, how, user, rest))
return number, table.concat(lines, '\\n'), math.max(last, expires) - now
"""
_REVOKE = f"""{_LIVING}
if not text then return 0 end
local lines, last, revoked = {{}}, now, 0
for _, one in ipairs(living) do
  if argv[2] == '' or one.user == argv[2] then
    revoked = revoked + 1
  else
    table.insert(lines, one.line)
    last = math.max(last, one.expires)
  end
end
return revoked, table.concat(lines, '\\n'), last - now
"""


@dataclass(frozen=True, slots=True)
class Granting:
    """A login, which grants or renews. The result is how many users of the address have a grant then; 0 = too many.

    now: seconds since 1970. seconds: the life of the grant, which never shortens one that is there. most: users of an
    address. The texts are those of a Grant. without_store: nobody has one.
    """

    tenant: ClassVar[Tenant] = TENANT
    lua: ClassVar[str] = _GRANT
    without_store: ClassVar[int] = 0

    now: int
    seconds: int
    most: int
    how: How
    user: bytes
    by: bytes
    relayclient: bytes = b""
    channel: bytes = b""

    @property
    def arguments(self) -> tuple[int | str, ...]:
        """Those of the Lua."""
        texts = map(record.written, (self.user, self.by, self.relayclient, self.channel))
        return self.now, self.seconds, self.most, self.how.value, *texts

    def apply(self, row: Row | None, /) -> Outcome[int]:
        """Grant; row: the grants of the address, None = there are none."""
        living = [one for one in record.grants(row) if is_live(one, self.now)]
        others = [one for one in living if (one.how, one.user) != (self.how, self.user)]
        mine = next((one for one in living if one not in others), None)
        users = len({self.user, *(one.user for one in living)})
        if users > self.most and mine is None:
            return _outcome(0, others)
        return _outcome(users, (*others, self._renewed(mine)))

    def _renewed(self, mine: Grant | None) -> Grant:
        expires, granted, logins = self.now + self.seconds, self.now, 1
        if mine:
            expires, granted, logins = max(expires, mine.expires), mine.granted, min(mine.logins + 1, MOST)
        texts = self.user, self.by, self.relayclient, self.channel
        return Grant(expires, self.now, granted, logins, self.how, *texts)

    def result(self, answer: int, /) -> int:
        """Read the answer of the Lua, a number of users; 0 = too many. answer: that."""
        return answer


@dataclass(frozen=True, slots=True)
class Revoking:
    """The end of the grants of an address; the result is how many lived until now.

    now: seconds since 1970. user: whose grants end; None = everybody's. without_store: none has ended.
    """

    tenant: ClassVar[Tenant] = TENANT
    lua: ClassVar[str] = _REVOKE
    without_store: ClassVar[int] = 0

    now: int
    user: bytes | None = None

    @property
    def arguments(self) -> tuple[int | str, ...]:
        """Those of the Lua."""
        return self.now, "" if self.user is None else record.written(self.user)

    def apply(self, row: Row | None, /) -> Outcome[int]:
        """Revoke; row: the grants of the address, None = there are none."""
        living = [one for one in record.grants(row) if is_live(one, self.now)]
        kept = [one for one in living if self.user not in (None, one.user)]
        return _outcome(len(living) - len(kept), kept)

    def result(self, answer: int, /) -> int:
        """Read the answer of the Lua, a number of grants. answer: that."""
        return answer


def _outcome(result: int, grants: Iterable[Grant]) -> Outcome[int]:
    kept = tuple(grants)
    return Outcome(result, record.row(kept), max((one.expires for one in kept), default=0) - 1)
