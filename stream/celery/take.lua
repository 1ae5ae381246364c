-- Moves messages of a Celery queue aside, each only if it is still where it was seen: no worker gets it any more.
--
-- KEYS  1 aside (hash)   2 lock   3 unacked (hash)   4 its index (sorted set)   5... lists of the queue, by priority
-- ARGV  1 token of the lock   2 its life in ms; then for each message
--       field   its value aside   the message as it was seen   position of its list in KEYS, or 0   delivery tag   score or ''
-- Returns for each message whether it was moved.
--
-- Atomic: a worker takes a message by BRPOP, or gives it back from `unacked`, at any time. It is added aside before it is removed:
-- when Redis is full, the addition is refused, and nothing is lost.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return redis.error_reply('NOTALONE the lock is not ours')
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local moved = {}
for at = 3, #ARGV, 6 do
  local field, value, seen, list, tag, score = unpack(ARGV, at, at + 5)
  local was_aside = redis.call('HSETNX', KEYS[1], field, value) == 0
  local is_moved
  if list ~= '0' then
    is_moved = redis.call('LREM', KEYS[tonumber(list)], -1, seen) > 0
  else
    is_moved = redis.call('HGET', KEYS[3], tag) == seen and (redis.call('ZSCORE', KEYS[4], tag) or '') == score
    if is_moved then
      redis.call('HDEL', KEYS[3], tag)
      redis.call('ZREM', KEYS[4], tag)
    end
  end
  if not is_moved and not was_aside then
    redis.call('HDEL', KEYS[1], field)
  end
  table.insert(moved, is_moved and 1 or 0)
end
return moved
