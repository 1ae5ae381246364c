-- Counts pieces of work against the quotas that they use. A quota allows so many pieces in any window of time.
--
-- KEYS  for each quota of the first piece, then of the next: its pieces by the ms at which they were counted (sorted set), and how
--       many were refused in this window (string)
-- ARGV  1 time in ms, empty for Redis' clock; then for each piece: its name, 1 if it is counted whatever is used up, how many
--       quotas it uses, and of each of them the limit and the window in ms
-- Returns for each piece {0, 0} if it was counted, now or before, or {n, ms}: its n-th quota is used up, and the ms after
--         which it may have room
--
-- Atomic: two consumers must not take the last place in a quota. A piece is counted in all of its quotas or in none, and once
-- in a window however often it is asked for.
--
-- Of those that are refused in one window, as many as the limit are told to come back after one window, as many again after two, and so
-- on: else all of them would come back at once, again and again.
local MOST_WINDOWS = 24
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local answers = {}
local key_at, at = 0, 2
while at <= #ARGV do
  local piece, is_forced, count = ARGV[at], ARGV[at + 1] == '1', tonumber(ARGV[at + 2])
  local used_up, wait = 0, 0
  for n = 1, count do
    local key, limit, window = KEYS[key_at + 2 * n - 1], tonumber(ARGV[at + 1 + 2 * n]), tonumber(ARGV[at + 2 + 2 * n])
    local used = redis.call('ZCARD', key)
    -- What has left the window matters only here.
    if used >= limit then
      used = used - redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    end
    if used_up == 0 and not is_forced and used >= limit and not redis.call('ZSCORE', key, piece) then
      local leaver = redis.call('ZRANGE', key, used - limit, used - limit, 'WITHSCORES')
      local before = redis.call('INCR', KEYS[key_at + 2 * n]) - 1
      if before == 0 then redis.call('PEXPIRE', KEYS[key_at + 2 * n], window) end
      used_up = n
      -- Redis' clock may be set back: no wait for a place is longer than the window.
      wait = math.min(window, math.max(0, leaver[2] + window - now))
        + math.min(MOST_WINDOWS, math.floor(before / limit)) * window
    end
  end
  if used_up == 0 then
    for n = 1, count do
      local key, window = KEYS[key_at + 2 * n - 1], tonumber(ARGV[at + 2 + 2 * n])
      -- Counted before its last window, it counts again.
      if redis.call('ZADD', key, 'NX', now, piece) == 0 and tonumber(redis.call('ZSCORE', key, piece)) <= now - window then
        redis.call('ZADD', key, now, piece)
      end
      redis.call('PEXPIRE', key, window)
    end
  end
  answers[#answers + 1] = { used_up, math.ceil(wait) }
  key_at = key_at + 2 * count
  at = at + 3 + 2 * count
end
return answers
