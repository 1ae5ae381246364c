-- Puts a message that was moved aside where it came from.
--
-- KEYS  1 aside (hash)   2 lock   3 the list, or `unacked` (hash)   4 its index (sorted set)
-- ARGV  1 token of the lock   2 its life in ms   3 field   4 the message   5 delivery tag, '' for a list   6 score or ''
-- Returns whether it was aside.
--
-- Atomic: it is never in both places, and added before it is removed, for a full Redis refuses the addition. At the right end of
-- its list, where the next worker reads, for it was among the oldest.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return redis.error_reply('NOTALONE the lock is not ours')
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if redis.call('HEXISTS', KEYS[1], ARGV[3]) == 0 then
  return 0
end
if ARGV[5] == '' then
  redis.call('RPUSH', KEYS[3], ARGV[4])
else
  redis.call('HSET', KEYS[3], ARGV[5], ARGV[4])
  if ARGV[6] ~= '' then
    redis.call('ZADD', KEYS[4], ARGV[6], ARGV[5])
  end
end
redis.call('HDEL', KEYS[1], ARGV[3])
return 1
