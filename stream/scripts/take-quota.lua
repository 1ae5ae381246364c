-- Counts pieces of work against the quotas that they use. A quota allows so many pieces in any window of time.
--
-- KEYS  for each quota of the first piece, then of the next: the only piece that it has counted, after the ms at which it did, or `*`
--       if there are more (string); all of them, by the ms, once there are more (sorted set); and how many were refused in this
--       window (string)
-- ARGV  1 time in ms, empty for Redis' clock   2 how many kinds of quotas there are; for each kind its limit and its window in ms;
--       for each piece: `-` or, if it is counted whatever is used up, `!`; the kind of each of its quotas, a digit from 1; a blank
--       and its name
-- Returns for each piece {0, 0} if it was counted, now or before, or {n, ms}: its n-th quota is used up, and the ms after
--         which it may have room
--
-- Atomic: two consumers must not take the last place in a quota. A piece is counted in all of its quotas or in none, and once
-- in a window however often it is asked for.
--
-- Most quotas are of one who takes one in a window: that is one command on one string, not a sorted set of one.
--
-- Of those that are refused in one window, as many as the limit are told to come back after one window, as many again after two, and so
-- on: else all of them would come back at once, again and again.
local MOST_WINDOWS = 24
local MORE = '*'
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_text = string.format('%.0f ', now)
local kinds, at = {}, 3
for kind = 1, tonumber(ARGV[2]) do
  kinds[kind] = { limit = tonumber(ARGV[at]), window = tonumber(ARGV[at + 1]), window_text = ARGV[at + 1] }
  at = at + 2
end

-- Counts the first piece of a window. False: there is one, and then all are in the sorted set.
local function is_first(only, all, window, piece)
  local before = redis.call('SET', only, now_text .. piece, 'PX', window, 'NX', 'GET')
  if not before then return true end
  if before ~= MORE then
    local blank = string.find(before, ' ', 1, true)
    redis.call('ZADD', all, string.sub(before, 1, blank - 1), string.sub(before, blank + 1))
    redis.call('PEXPIRE', all, window)
    redis.call('SET', only, MORE, 'PX', window)
  end
  return false
end

local answers, first_key = {}, 0
for request = at, #ARGV do
  local asked = ARGV[request]
  local blank = string.find(asked, ' ', 1, true)
  local is_forced, count, piece = string.sub(asked, 1, 1) == '!', blank - 2, string.sub(asked, blank + 1)
  local used_up, wait, counted = 0, 0, {}
  for n = 1, count do
    local kind, key = kinds[string.byte(asked, n + 1) - 48], first_key + 3 * n
    counted[n] = is_first(KEYS[key - 2], KEYS[key - 1], kind.window_text, piece)
    if not counted[n] then
      local all, limit, window = KEYS[key - 1], kind.limit, kind.window
      local used = redis.call('ZCARD', all)
      -- What has left the window matters only here.
      if used >= limit then
        used = used - redis.call('ZREMRANGEBYSCORE', all, '-inf', now - window)
      end
      if used_up == 0 and not is_forced and used >= limit and not redis.call('ZSCORE', all, piece) then
        local leaver = redis.call('ZRANGE', all, used - limit, used - limit, 'WITHSCORES')
        local before = redis.call('INCR', KEYS[key]) - 1
        if before == 0 then redis.call('PEXPIRE', KEYS[key], window) end
        used_up = n
        -- Redis' clock may be set back: no wait for a place is longer than the window.
        wait = math.min(window, math.max(0, leaver[2] + window - now))
          + math.min(MOST_WINDOWS, math.floor(before / limit)) * window
      end
    end
  end
  for n = 1, count do
    local kind, key = kinds[string.byte(asked, n + 1) - 48], first_key + 3 * n
    if used_up > 0 then
      if counted[n] then redis.call('DEL', KEYS[key - 2]) end
    elseif not counted[n] then
      local all = KEYS[key - 1]
      -- Counted before its last window, it counts again.
      if redis.call('ZADD', all, 'NX', now, piece) == 0 and tonumber(redis.call('ZSCORE', all, piece)) <= now - kind.window then
        redis.call('ZADD', all, now, piece)
      end
      redis.call('PEXPIRE', all, kind.window_text)
      redis.call('PEXPIRE', KEYS[key - 2], kind.window_text)
    end
  end
  answers[#answers + 1] = { used_up, math.ceil(wait) }
  first_key = first_key + 3 * count
end
return answers
