-- Writes a consumer's sign of life.
--
-- KEYS  1 signs of life of the group's consumers
-- ARGV  1 consumer
-- Returns 1.
--
-- XINFO CONSUMERS does not know who lives: Redis 7.0 counts a consumer that waits for entries as idle. Times are Redis' own.
local HOUR_MS = 3600000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - HOUR_MS))
redis.call('PEXPIRE', KEYS[1], HOUR_MS)
return 1
