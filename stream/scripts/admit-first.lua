-- Admits requests of which each is the first with its record, whose own limit alone counts it; the others are left uncounted.
--
-- KEYS  for each request: its record (string, as in take-limits.lua)
-- ARGV  1 time in ms, empty for Redis' clock   2 how long a record is kept, in ms   3 interval of the limit in ms   4 `member=token` of each
-- Returns the positions of those whose records exist: take-limits.lua decides on them.
--
-- Atomic, like that one: two requests must not both be the first.
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local first, keep, others = string.format('%.3f ', now + tonumber(ARGV[3])) .. ARGV[4], ARGV[2], {}
for position, record in ipairs(KEYS) do
  if not redis.call('SET', record, first, 'PX', keep, 'NX') then others[#others + 1] = position end
end
return others
