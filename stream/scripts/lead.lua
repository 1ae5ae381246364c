-- Says whether a consumer wants one of its group to have all that another system allows, and what it does itself; tells it who leads.
--
-- KEYS  1 who leads, and what each consumer does
-- ARGV  1 consumer   2 what it wants: none, follow, one, in vain   3 pieces that it has done lately, thousandths a second
-- Returns who leads: this, another, nobody; and what all others do, thousandths a second
--
-- Who wants one leads if nobody does, and another one heeds it. It stays the leader as long as it says so within five seconds, and wants it. Once it says that it was in
-- vain, nobody leads for ten minutes. Times are Redis' own; a clock that is set makes them old.
--
-- Fields: `leader`: ms and who; `in vain`: ms; `of CONSUMER`: ms and what it does
local KEPT_MS, IN_VAIN_MS = 5000, 600000
local key, own, wish = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function is_recent(ms, within)
  return ms and math.abs(now - tonumber(ms)) < within
end

local fields = redis.call('HGETALL', key)
local leader, in_vain
local others, total = 0, 0
for at = 1, #fields, 2 do
  local field, told = fields[at], fields[at + 1]
  local ms, words = string.match(told, '^(%d+) ?(.*)$')
  if field == 'leader' then
    if is_recent(ms, KEPT_MS) then leader = words end
  elseif field == 'in vain' then
    in_vain = is_recent(ms, IN_VAIN_MS)
  elseif field ~= 'of ' .. own then
    if is_recent(ms, KEPT_MS) then
      others = others + 1
      total = total + tonumber(words)
    else
      redis.call('HDEL', key, field)
    end
  end
end

if wish == 'none' then
  redis.call('HDEL', key, 'of ' .. own)
else
  redis.call('HSET', key, 'of ' .. own, string.format('%.0f %s', now, ARGV[3]))
end
if leader == own and wish == 'in vain' then
  redis.call('HSET', key, 'in vain', string.format('%.0f', now))
  in_vain = true
end
if wish == 'one' and not in_vain and (leader == own or (not leader and others > 0)) then
  redis.call('HSET', key, 'leader', string.format('%.0f %s', now, own))
  leader = own
elseif leader == own then
  redis.call('HDEL', key, 'leader')
  leader = nil
end
redis.call('PEXPIRE', key, IN_VAIN_MS)
if not leader then return { 'nobody', total } end
return { leader == own and 'this' or 'another', total }
