-- Takes tokens from a budget that consumers of several groups share, gives tokens back, or lowers its rate.
--
-- KEYS  1 budget (hash)   2 consumers that share it (sorted set, by the ms at which they asked last)
-- ARGV  1 consumer   2 priority of its group, 0 first   3 tokens wanted   4 tokens given back   5 tokens a second, 0 if unlimited
--       6 tokens a day, 0 if unlimited   7 1 if the other system said that it is too fast   8 time in ms, empty for Redis' clock
-- Returns {granted, ms after which to ask again, share of the rate that is in force in thousandths, consumers}
--
-- Atomic: two consumers must not take the same token. Types are checked before the first write: Lua does not roll back.
--
-- A second's budget is a bucket that holds half a second. A day's is counted in slots of half an hour, of which the last 49
-- count, so that no 24 hours have more. After `too fast` the rate is halved, once in 5 s, and regains 0.5 % of its whole a second.
-- While a group of a higher priority wants more than it got, the others have a tenth of the rate; and a tenth of the
-- day is kept for the first.
local expected = { 'hash', 'zset' }
for at = 1, 2 do
  local kind = redis.call('TYPE', KEYS[at]).ok
  if kind ~= 'none' and kind ~= expected[at] then
    return redis.error_reply('WRONGTYPE ' .. KEYS[at] .. ' holds a ' .. kind .. ', expected a ' .. expected[at])
  end
end
local SLOT, DAY_SLOTS, DAY = 1800000, 48, 86400000
local REMEMBERED, CUT_EVERY, LEAST, REGAINED = 60000, 5000, 0.01, 0.005
local CONTENDED, LOWER_SHARE, LOWER_DAY, WAIT = 2000, 10, 0.9, 5000

local priority, wanted, back = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local per_second, per_day = tonumber(ARGV[5]), tonumber(ARGV[6])
local now = tonumber(ARGV[8])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local flat = redis.call('HGETALL', KEYS[1])
local budget = {}
for at = 1, #flat, 2 do budget[flat[at]] = flat[at + 1] end
local function number(field, otherwise) return tonumber(budget[field]) or otherwise end
local function keep(field, value)
  budget[field] = value
  redis.call('HSET', KEYS[1], field, string.format('%.6f', value))
end

redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - REMEMBERED)
local consumers = redis.call('ZCARD', KEYS[2])

-- Redis' clock may be set back: then no time has passed.
local passed = math.max(0, now - number('at', now))
local factor = math.min(1, number('factor', 1) + REGAINED * passed / 1000)
if ARGV[7] == '1' and now - number('cut', -CUT_EVERY) >= CUT_EVERY then
  factor = math.max(LEAST, factor / 2)
  keep('cut', now)
end
local rate = per_second * factor
local size = math.max(1, rate / 2)
local tokens = math.min(size, number('tokens', size) + passed * rate / 1000 + back)

local slot = math.floor(now / SLOT)
local used = 0
for field, value in pairs(budget) do
  local of = tonumber(string.match(field, '^day:(%d+)$'))
  if of ~= nil then
    if of < slot - DAY_SLOTS then redis.call('HDEL', KEYS[1], field) else used = used + tonumber(value) end
  end
end
local today = 'day:' .. string.format('%.0f', slot)
used = used - back

local granted, wait = wanted, 0
if per_second > 0 then
  -- A slice: what a quarter of a second has for each consumer, so that none hoards what another could use.
  local slice = math.max(1, math.ceil(rate / 4 / consumers))
  granted = math.min(granted, math.floor(tokens), slice)
  if granted < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
end
if per_day > 0 then
  local day = priority > 0 and math.ceil(per_day * LOWER_DAY) or per_day
  granted = math.min(granted, day - used)
  if used >= day then wait = WAIT end
end
granted = math.max(0, granted)

-- Lower priorities wait while a higher one does, but are not starved.
local contended = -1
for higher = 0, priority - 1 do contended = math.max(contended, number('wants:' .. higher, -1)) end
if granted > 0 and contended >= 0 and now - contended < CONTENDED then
  local interval = per_second > 0 and 1000 / rate or DAY / per_day
  local since = now - number('lower', 0)
  if since < interval * LOWER_SHARE then
    granted = 0
    wait = math.ceil(math.min(interval * LOWER_SHARE - since, CONTENDED - (now - contended)))
  else
    granted = 1
    keep('lower', now)
  end
end
local wants = 'wants:' .. priority
if wanted > 0 then
  if granted == 0 then
    keep(wants, now)
  elseif per_second == 0 or tokens - granted >= 1 then
    redis.call('HDEL', KEYS[1], wants)
  end
end

keep('at', math.max(now, number('at', now)))
keep('factor', factor)
keep('tokens', tokens - (per_second > 0 and granted or 0))
if per_day > 0 and granted ~= back then keep(today, number(today, 0) + granted - back) end
redis.call('PEXPIRE', KEYS[1], DAY + 2 * SLOT)
redis.call('PEXPIRE', KEYS[2], DAY)
return { granted, math.min(math.max(wait, 0), WAIT), math.floor(factor * 1000 + 0.5), consumers }
