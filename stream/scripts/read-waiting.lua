-- Entries that wait in the retry set, the next one first.
--
-- KEYS  1 retry set of the group
-- ARGV  1 no earlier than, in ms   2 due within, in ms from now   3 how many
-- Returns for each its member, and when it is due, in ms.
--
-- A script, because times are Redis' own. What is due now is left to the promoter.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local from = math.max(now, tonumber(ARGV[1]))
local to = now + tonumber(ARGV[2])
local range = { string.format('%.0f', from), string.format('%.0f', to), 'WITHSCORES', 'LIMIT', 0, ARGV[3] }
return redis.call('ZRANGEBYSCORE', KEYS[1], unpack(range))
