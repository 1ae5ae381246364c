-- Queues retries that are due, oldest first.
--
-- KEYS  1 retry set   2 retries stream of the group
-- ARGV  1 most entries to move
-- Returns how many were moved, and the ms until the next one is due: 0 if it is, -1 if there is none.
--
-- Atomic: an entry is never in both or in neither. A member that is not an entry (written by hand) is moved unchanged, and
-- the group dead-letters it; it does not block the others. When Redis is full the script is refused and the members stay.
local function is_entry(fields)
  -- More values than unpack() can take would block all members behind it.
  if type(fields) ~= 'table' or #fields < 2 or #fields > 4000 or #fields % 2 ~= 0 then return false end
  for _, value in ipairs(fields) do
    if type(value) ~= 'string' then return false end
  end
  return true
end
local function first_due()
  return tonumber(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2])
end
local first = first_due()
if not first then return { 0, -1 } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if first > now then return { 0, math.ceil(first - now) } end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'none' and kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a stream')
end
local refused = lacking({ 'XADD', KEYS[2], '*', '', '' }, { 'ZREM', KEYS[1], '' })
if refused then return refused end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[1])
for _, member in ipairs(due) do
  local decoded, fields = pcall(cjson.decode, member)
  if decoded and is_entry(fields) then
    redis.call('XADD', KEYS[2], '*', unpack(fields))
  else
    redis.call('XADD', KEYS[2], '*', 'unreadable', member)
  end
  redis.call('ZREM', KEYS[1], member)
end
local following = first_due()
return { #due, following and math.max(0, math.ceil(following - now)) or -1 }
