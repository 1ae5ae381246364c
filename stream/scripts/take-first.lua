-- Counts pieces of work of which each is the first in the window of its only quota; the others are left uncounted.
--
-- KEYS  for each piece, of its quota: the only piece that it has counted (string, as in take-quota.lua)
-- ARGV  1 time in ms, empty for Redis' clock   2 window of the quotas in ms   3.. the name of each piece
-- Returns the positions of those that are not the first: take-quota.lua decides on them.
--
-- Atomic, like that one: two consumers must not both be the first. Nearly every piece is, and then one key, one command and no answer
-- are all that it costs.
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_text, window, others = string.format('%.0f ', now), ARGV[2], {}
for position, only in ipairs(KEYS) do
  if not redis.call('SET', only, now_text .. ARGV[position + 2], 'PX', window, 'NX') then
    others[#others + 1] = position
  end
end
return others
