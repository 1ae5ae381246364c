-- Writes a consumer's sign of life, what it does, and what it has finished since the last one.
--
-- KEYS  1 signs of life of the group's consumers   2 their reports   3 history of the group
-- ARGV  1 consumer   2 report   3.. bucket, count: finished pieces by the time that they took
-- Returns 1 if a sign of life lies in the future, because Redis' clock was set back; else 0.
--
-- XINFO CONSUMERS does not know who lives: Redis 7.0 counts a consumer that waits for entries as idle. Times are Redis' own.
local HOUR_MS = 3600000
local MINUTE_MS = 60000
local MINUTES_KEPT = 60
local FUTURE_MS = 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local ahead = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now + FUTURE_MS), '+inf', 'LIMIT', 0, 1)
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - HOUR_MS))) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end
redis.call('PEXPIRE', KEYS[1], HOUR_MS)
redis.call('PEXPIRE', KEYS[2], HOUR_MS)

local minute = math.floor(now / MINUTE_MS)
local isNew = false
for at = 3, #ARGV, 2 do
  local count = tonumber(ARGV[at + 1])
  local total = redis.call('HINCRBY', KEYS[3], string.format('%.0f:%s', minute, ARGV[at]), ARGV[at + 1])
  if total == count then isNew = true end
end
if isNew then
  for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
    if tonumber(string.match(field, '^%d+')) <= minute - MINUTES_KEPT then redis.call('HDEL', KEYS[3], field) end
  end
  redis.call('PEXPIRE', KEYS[3], 2 * HOUR_MS)
end
return #ahead
