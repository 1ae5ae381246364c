-- Says what a pool has of what another system grants to few, and whether it asks for one more; tells it what others say.
--
-- KEYS  1 what each pool has
-- ARGV  1 pool   2 what it has   3 whether it asks for one more: none, new, repeated   4 since when it has asked without having any; or 0
-- Returns 1 if the request that it repeats is gone, so somebody has answered it; since when it asks, in ms, or 0; then for each other pool
-- that was heard of lately: its name, what it has, and since when it asks.
--
-- Times are Redis' own. A report of a pool that has died ends its fairness to itself within seconds, a request sooner.
local REPORT_MS = 5000
local REQUEST_MS = 2000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('HSET', KEYS[1], 'has ' .. ARGV[1], string.format('%.0f %s', now, ARGV[2]))
local request = 'asks ' .. ARGV[1]
local answered = ARGV[3] == 'repeated' and redis.call('HEXISTS', KEYS[1], request) == 0
if ARGV[3] ~= 'none' and not answered then
  local said, since = string.match(redis.call('HGET', KEYS[1], request) or '', '^(%d+) (%d+)$')
  if not said or now - tonumber(said) > REQUEST_MS then since = string.format('%.0f', now) end
  if ARGV[4] ~= '0' then since = ARGV[4] end
  redis.call('HSET', KEYS[1], request, string.format('%.0f %s', now, since))
end
redis.call('PEXPIRE', KEYS[1], 2 * REPORT_MS)

local reports, asks = {}, {}
local fields = redis.call('HGETALL', KEYS[1])
for at = 1, #fields, 2 do
  local kind, pool = string.match(fields[at], '^(%a+) (.*)$')
  local said, words = string.match(fields[at + 1], '^(%d+) (.*)$')
  local keptMs = kind == 'asks' and REQUEST_MS or REPORT_MS
  if now - tonumber(said) > keptMs then
    redis.call('HDEL', KEYS[1], fields[at])
  elseif kind == 'asks' then
    asks[pool] = words
  elseif pool ~= ARGV[1] then
    reports[pool] = words
  end
end
local answer = { answered and 1 or 0, asks[ARGV[1]] or '0' }
for pool, words in pairs(reports) do
  answer[#answer + 1] = pool
  answer[#answer + 1] = words
  answer[#answer + 1] = asks[pool] or '0'
end
return answer
