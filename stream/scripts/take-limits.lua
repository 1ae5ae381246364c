-- Takes one from each limit of a request, or from none of them; for many requests, one after the other.
--
-- KEYS  for each request: its record (string: the ms at which the record's own limit is whole again, then ` member=token` of those
--       that were admitted, the latest last), then its other limits (strings: the ms at which each is whole again)
-- ARGV  1 time in ms, empty for Redis' clock   2 how long a record is kept, in ms   3 how many kinds of limits there are;
--       for each kind: how many, in how many ms, whether it is the record's own (1), and whom it counts, as a sum: 1 a member that
--       the record does not have, 2 one that it has, 4 one that it has with the same token;
--       for each request: `member=token kinds`: its token (empty: none), and the kind of each of its limits, a digit from 1
-- Returns for each request: the position of the limit that refuses it, 0 if none does; the ms after which none will; what is
--       left of its first limit, -1 if that does not count it; and the ms after which that is whole again
--
-- Atomic: two requests must not take the same place, and one that is refused must not use up what others may take.
--
-- A limit of n in t is a bucket of n that fills evenly, at one each t/n (GCRA). Its key expires when it is whole.
-- Requests of one call share limits, so the key of a limit is read once and written once. Most requests are about what nobody has asked
-- for before: their record is made by the command that finds out that there is none, and deleted if another limit refuses.
local LONGEST_RECORD = 1024
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
local now_text = string.format('%.3f', now)
local kinds, at = {}, 4
for kind = 1, tonumber(ARGV[3]) do
  local quota, period = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  kinds[kind] = { period = period, interval = period / quota, own = ARGV[at + 2] == '1', counts = tonumber(ARGV[at + 3]) }
  at = at + 4
end

-- By key: when a limit is whole again, 0 if it is; and those to be written.
local whole_at, is_taken = {}, {}
local function read(limit)
  local at = whole_at[limit]
  if not at then
    at = tonumber(redis.call('GET', limit)) or 0
    whole_at[limit] = at
  end
  return at
end

-- By the kinds of a request: those, what a record begins with that nobody has asked for before, and, if the record's own limit is the
-- only one, what is left of it after the first and when that is whole again.
local plans = {}
local function plan_of(digits)
  local plan = { limits = #digits, first = now_text }
  for limit = 1, #digits do
    local kind = kinds[string.byte(digits, limit) - 48]
    plan[limit] = kind
    if kind.own and kind.counts % 2 == 1 then plan.first = string.format('%.3f', now + kind.interval) end
  end
  local only = plan[1]
  if #digits == 1 and only.own and only.counts % 2 == 1 and only.interval <= only.period then
    plan.left = math.max(0, math.floor((only.period - only.interval + 1) / only.interval))
    plan.refill = math.ceil(only.interval)
  end
  plans[digits] = plan
  return plan
end

local answers, key = {}, 1
for request = at, #ARGV do
  local asked = ARGV[request]
  local space = string.find(asked, ' ', 1, true)
  local digits = string.sub(asked, space + 1)
  asked = string.sub(asked, 1, space - 1)
  local plan = plans[digits] or plan_of(digits)
  local limits, count = plan.limits, #answers
  local record_key, who, own, members = KEYS[key], 1, 0, ''
  key = key + 1
  local record = redis.call('SET', record_key, plan.first .. ' ' .. asked, 'PX', ARGV[2], 'NX', 'GET')
  if not record and plan.left then
    answers[count + 1], answers[count + 2], answers[count + 3], answers[count + 4] = 0, 0, plan.left, plan.refill
  else
    local named, token = string.match(asked, '^(%S+)=(%w*)$')
    local member = ' ' .. named .. '='
    if record then
      local blank = string.find(record, ' ', 1, true)
      own, members = tonumber(string.sub(record, 1, blank - 1)), string.sub(record, blank)
      local from, to = string.find(members, member, 1, true)
      if from then
        local known = string.match(members, '^%w*', to + 1)
        who = (token ~= '' and token == known) and 4 or 2
        members = string.sub(members, 1, from - 1) .. string.sub(members, to + 1 + #known)
      end
    end

    local refused, wait, whole, keys = 0, 0, {}, {}
    for limit = 1, limits do
      local kind = plan[limit]
      if not kind.own then
        keys[limit] = KEYS[key]
        key = key + 1
      end
      if bit.band(kind.counts, who) ~= 0 then
        local before = kind.own and own or read(keys[limit])
        whole[limit] = math.max(now, before) + kind.interval
        local early = whole[limit] - kind.period - now
        -- Less than a ms is rounding.
        if early >= 1 and early > wait then refused, wait = limit, early end
      end
    end
    local left, refill = -1, 0
    if refused > 0 then
      if not record then redis.call('DEL', record_key) end
    else
      for limit, time in pairs(whole) do
        if keys[limit] then
          whole_at[keys[limit]], is_taken[keys[limit]] = time, true
        else
          own = time
        end
      end
      if record then
        members = members .. member .. token
        while #members > LONGEST_RECORD do members = string.match(members, '^ %S+(.*)$') end
        redis.call('SET', record_key, string.format('%.3f', own) .. members, 'PX', ARGV[2])
      end
      if whole[1] then
        local kind = plan[1]
        refill = whole[1] - now
        left = math.max(0, math.floor((kind.period - refill + 1) / kind.interval))
      end
    end
    answers[count + 1], answers[count + 2] = refused, math.ceil(wait)
    answers[count + 3], answers[count + 4] = left, math.ceil(refill)
  end
end
for limit in pairs(is_taken) do
  local time = whole_at[limit]
  redis.call('SET', limit, string.format('%.3f', time), 'PX', math.ceil(time - now))
end
return answers
