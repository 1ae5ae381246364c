-- Makes entries due now that wait in the retry set.
--
-- KEYS  1 retry set of the group
-- ARGV  for each: its member now, and its member from then on
-- Returns how many were still there.
--
-- Atomic: an entry is never in the set twice, or not at all. ZREM comes first: when Redis is full, only a script that has already
-- written may continue to write.
local refused = lacking({ 'ZREM', KEYS[1], '' }, { 'ZADD', KEYS[1], 0, '' })
if refused then return refused end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local hastened = 0
for at = 1, #ARGV, 2 do
  if redis.call('ZREM', KEYS[1], ARGV[at]) == 1 then
    redis.call('ZADD', KEYS[1], now, ARGV[at + 1])
    hastened = hastened + 1
  end
end
return hastened
