"""What a Redis server runs for a fleet: each script one command, by its own clock, with all its keys named.

All keys of a script are one client's, or one user's. Nothing hangs on the clocks of the hosts. A clock of the server
that was stepped back, as where another server follows, leaves nobody counted for longer than it may be: what lies
further ahead than it could is passed over.
"""

#: What ENTER and TRY count by: the generic cell rate algorithm (ATM Forum, TM 4.0, 4.4.2). What is kept is the time at
#: which nothing of it would be left, one number however many there were. What is written there as ``nan`` lies nowhere,
#: and is passed over, too.
_RATE = """
local function with_one_more(key, most, worth, now)
  local empty = tonumber(redis.call('GET', key) or now) or now
  if not (empty >= now and empty <= now + most * worth) then empty = now end
  return empty + worth
end

local function keep(key, empty, now)
  redis.call('SET', key, string.format('%.0f', empty), 'PX', math.ceil((empty - now) / 1000))
end
"""

#: A client comes. KEYS: of its arrivals, of its connections, of those of its network. ARGV: how many connections it may
#: have, how many its network, how many arrivals within the period, each -1 where that is not limited; microseconds that
#: one arrival is worth (a period divided by its arrivals); milliseconds that a connection counts for without a renewal;
#: the name of this one. Answers how many connections it has and its network, without this one, and how many arrivals,
#: with this one. It is counted unless one of these is too much.
ENTER = f"""{_RATE}
local per_client, per_network, arrivals = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local worth, life = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local milli = math.floor(now / 1000)

local function connections(key, most)
  if most < 0 then return 0 end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', milli)
  redis.call('ZREMRANGEBYSCORE', key, '(' .. string.format('%.0f', milli + life), '+inf')
  return redis.call('ZCARD', key)
end

local function count(key, most)
  if most < 0 then return end
  redis.call('ZADD', key, string.format('%.0f', milli + life), ARGV[6])
  redis.call('PEXPIRE', key, life)
end

local of_client = connections(KEYS[2], per_client)
local of_network = connections(KEYS[3], per_network)
local came, empty = 0, now
if arrivals >= 0 then
  empty = with_one_more(KEYS[1], arrivals, worth, now)
  came = math.ceil((empty - now) / worth)
end
if (per_client < 0 or of_client < per_client) and (per_network < 0 or of_network < per_network)
  and (arrivals < 0 or came <= arrivals) then
  count(KEYS[2], per_client)
  count(KEYS[3], per_network)
  if arrivals >= 0 then keep(KEYS[1], empty, now) end
end
return {{of_client, of_network, came}}
"""

#: A connection is still there. KEYS: those under which it is counted, one or two. ARGV: milliseconds that it counts for
#: from now on; its name.
RENEW = """
local time = redis.call('TIME')
local ends = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1])
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, ends, ARGV[2])
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
"""

#: A connection has ended. KEYS: as of RENEW. ARGV: its name.
LEAVE = """
for _, key in ipairs(KEYS) do
  redis.call('ZREM', key, ARGV[1])
end
return 1
"""

#: A password is tried. KEYS: of the wrong ones of a user; or of a network, of whether its user is known there, and of
#: the wrong ones of both. ARGV: how many there may be within the period, and microseconds that one is worth; of a
#: network the same two of both, and whether the host knows the user there, "" = it does not. Answers whether it is
#: known, and whether there was room; then it is counted, as an arrival is.
TRY = f"""{_RATE}
local key, most, worth = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local is_known = KEYS[2] and (ARGV[5] ~= '' or redis.call('GET', KEYS[2]))
if is_known then key, most, worth = KEYS[3], tonumber(ARGV[3]), tonumber(ARGV[4]) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local empty = with_one_more(key, most, worth, now)
local has_room = empty <= now + most * worth
if has_room then keep(key, empty, now) end
return {{is_known and 1 or 0, has_room and 1 or 0}}
"""

#: A password was not wrong. KEYS: where it was counted; of a login in a network, whether its user is known there. ARGV:
#: microseconds that one is worth; of a login, seconds for which it is remembered.
TAKE_BACK = """
local empty = tonumber(redis.call('GET', KEYS[1]) or '')
if empty then
  redis.call('SET', KEYS[1], string.format('%.0f', empty - tonumber(ARGV[1])), 'KEEPTTL')
end
if KEYS[2] then redis.call('SET', KEYS[2], '1', 'EX', ARGV[2]) end
return 1
"""
