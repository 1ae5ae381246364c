-- Says what a pool has of what another system grants to few, and whether it asks for one more; tells it what it must know of others.
--
-- KEYS  1 what each pool has
-- ARGV  1 pool   2 what it has   3 whether it asks for one more: none, new, repeated   4 since when it has asked without having any; or 0
-- Returns 1 if the request that it repeats is gone, so somebody has answered it; since when it asks, in ms, or 0; what all others have; how many groups
-- there are; how many pools ask; the pool for which it is to give one up, or ''. Four times a second one of all pools is told more, if any of them asks, and a new
-- one at once, ten times a second at most: for each pool, itself included, its name, what it has, and since when it asks. It decides who gives one up for whom,
-- and writes that down (`assignAnswers`).
--
-- Times are Redis' own. A report of a pool that has died ends its fairness to itself within seconds, a request sooner.
--
-- Fields: `has POOL`: ms and what it has; `asks POOL`: ms and since when; `gives POOL`: 0, what it had then, and for whom; `sum all`: 0, the ms when all were
-- looked at, groups, pools that ask, and what all have. With the 0 whoever expects a time there takes them for old.
local REPORT_MS = 5000
local REQUEST_MS = 2000
local LOOK_EVERY_MS = 250
local LOOK_FOR_NEW_MS = 100
local key, pool = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local has = tonumber(string.match(ARGV[2], '^%d+'))

local before = redis.call('HGET', key, 'has ' .. pool)
redis.call('HSET', key, 'has ' .. pool, string.format('%.0f %s', now, ARGV[2]))

local request = 'asks ' .. pool
local answered = ARGV[3] == 'repeated' and redis.call('HEXISTS', key, request) == 0
local said, since = string.match(redis.call('HGET', key, request) or '', '^(%d+) (%d+)$')
local had = tonumber(string.match(before or '', '^%d+ (%d+)') or 0)
-- What it wanted when it had some was one more: who has had its turn waits behind those who wait for theirs.
local isNext = had > 0 and has == 0
if isNext or not said or now - tonumber(said) > REQUEST_MS then since = nil end
if ARGV[3] ~= 'none' and not answered then
  since = since or string.format('%.0f', now)
  if ARGV[4] ~= '0' then since = ARGV[4] end
  redis.call('HSET', key, request, string.format('%.0f %s', now, since))
elseif isNext then
  redis.call('HDEL', key, request)
end
redis.call('PEXPIRE', key, 2 * REPORT_MS)

local sum = redis.call('HGET', key, 'sum all') or ''
local looked, groups, asking, total = string.match(sum, '^0 (%d+) (%d+) (%d+) (%d+)$')
if looked and math.abs(now - tonumber(looked)) < (before and LOOK_EVERY_MS or LOOK_FOR_NEW_MS) then
  total = tonumber(total) - had + has
  redis.call('HSET', key, 'sum all', string.format('0 %s %s %s %.0f', looked, groups, asking, total))
  local had, asker = string.match(redis.call('HGET', key, 'gives ' .. pool) or '', '^0 (%d+) (.*)$')
  -- Decided when it had more, or for one that asks no more: not true any more.
  local asked = asker and has >= tonumber(had) and string.match(redis.call('HGET', key, 'asks ' .. asker) or '', '^%d+')
  if not asked or now - tonumber(asked) > REQUEST_MS then asker = nil end
  return { answered and 1 or 0, since or '0', total - has, groups + (before and 0 or 1), tonumber(asking), asker or '' }
end

local reports, asks, known = {}, {}, {}
total, groups, asking = 0, 0, 0
local fields = redis.call('HGETALL', key)
for at = 1, #fields, 2 do
  local kind, name = string.match(fields[at], '^(%a+) (.*)$')
  local told, words = string.match(fields[at + 1], '^(%d+) (.*)$')
  local age = now - tonumber(told)
  if kind == 'has' and age <= REPORT_MS then
    reports[name] = words
    local count, group = string.match(words, '^(%d+) %d+ %d+ (.*)$')
    total = total + count
    if not known[group] then groups = groups + 1 end
    known[group] = true
  elseif kind == 'asks' and age <= REQUEST_MS then
    asks[name] = words
    asking = asking + 1
  elseif kind ~= 'sum' then
    redis.call('HDEL', key, fields[at])
  end
end
redis.call('HSET', key, 'sum all', string.format('0 %.0f %.0f %.0f %.0f', now, groups, asking, total))
local answer = { answered and 1 or 0, since or '0', total - has, groups, asking, '' }
if asking == 0 then return answer end
for name, words in pairs(reports) do
  answer[#answer + 1] = name
  answer[#answer + 1] = words
  answer[#answer + 1] = asks[name] or '0'
end
return answer
