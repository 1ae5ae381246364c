-- Delays entries until their next attempt is due.
--
-- KEYS  1 stream that the entries were read from   2 retry set of the group
-- ARGV  1 group   2 consumer   3 how many entries; their ids, in the order of the stream; for each its delay in ms; for each its
--       member: the whole entry, a JSON array of fields and values
-- Returns the ids of those that were moved: the others are no longer this consumer's.
--
-- Atomic: an entry acked but not in the retry set would be lost to Redis, one pending and in the retry set worked on twice.
-- Types, numbers and rights are checked before the first write: Lua does not roll back. XACK comes first: when Redis is full, only a script
-- that has already written may continue to write.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'none' and kind ~= 'zset' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a sorted set')
end
local refused = lacking({ 'XACK', KEYS[1], ARGV[1], '0-1' }, { 'ZADD', KEYS[2], 0, '' })
if refused then return refused end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count = tonumber(ARGV[3])
local ids = { unpack(ARGV, 4, 3 + count) }
local held = held_by(KEYS[1], ARGV[1], ARGV[2], ids)
local moved, members = {}, {}
for at, id in ipairs(ids) do
  local delay = tonumber(ARGV[3 + count + at])
  if delay == nil or delay ~= delay then return redis.error_reply('ERR delay is not a number') end
  if held[id] then
    -- Named twice, it is moved once.
    held[id] = nil
    moved[#moved + 1] = id
    members[#members + 1] = string.format('%.0f', now + math.ceil(delay))
    members[#members + 1] = ARGV[3 + 2 * count + at]
  end
end
if #moved > 0 then
  redis.call('XACK', KEYS[1], ARGV[1], unpack(moved))
  redis.call('ZADD', KEYS[2], unpack(members))
end
return moved
