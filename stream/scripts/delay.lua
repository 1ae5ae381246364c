-- Delays an entry until its next attempt is due.
--
-- KEYS  1 stream that the entry was read from   2 retry set of the group
-- ARGV  1 group   2 consumer   3 entry id   4 delay in ms   5 member: the whole entry, a JSON array of fields and values
-- Returns 1 if moved, 0 if the entry is no longer this consumer's.
--
-- Atomic: an entry acked but not in the retry set would be lost to Redis, one pending and in the retry set worked on twice.
-- Types are checked before the first write: Lua does not roll back. XACK comes first: when Redis is full, only a script that
-- has already written may continue to write.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'none' and kind ~= 'zset' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a sorted set')
end
local delay = tonumber(ARGV[4])
if delay == nil then return redis.error_reply('ERR delay is not a number') end
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + math.ceil(delay)
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], string.format('%.0f', due), ARGV[5])
return 1
