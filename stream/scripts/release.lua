-- Releases entries to the group, unchanged: a peer reads them at once.
--
-- KEYS  1 stream that the entries were read from   2 retries stream of the group
-- ARGV  1 group   2 consumer   3... entry ids
-- Returns how many were this consumer's.
--
-- An entry claimed from dead consumers carries their number (`crashes`): its counters do not change. The fields come from the
-- stream itself, so entries of which the consumer has only the id are released, too. An entry whose payload was trimmed is
-- acked: the reconciler queues its delivery again.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'none' and kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a stream')
end
local refused = lacking({ 'XACK', KEYS[1], ARGV[1], '0-1' }, { 'XADD', KEYS[2], '*', '', '' })
if refused then return refused end
local function with_crashes(fields, deliveries)
  local crashes, kept = deliveries - 1, {}
  for position = 1, #fields, 2 do
    if fields[position] == 'crashes' then
      crashes = crashes + (tonumber(fields[position + 1]) or 0)
    else
      kept[#kept + 1] = fields[position]
      kept[#kept + 1] = fields[position + 1]
    end
  end
  if crashes > 0 or #kept == 0 then
    kept[#kept + 1] = 'crashes'
    kept[#kept + 1] = string.format('%.0f', crashes)
  end
  return kept
end
local released = 0
for position = 3, #ARGV do
  local id = ARGV[position]
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2])[1]
  if held then
    local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
    -- An entry with more values than unpack() can take stays pending: a peer claims and dead-letters it.
    if not entry or #entry[2] <= 4000 then
      redis.call('XACK', KEYS[1], ARGV[1], id)
      if entry then redis.call('XADD', KEYS[2], '*', unpack(with_crashes(entry[2], held[4]))) end
      released = released + 1
    end
  end
end
return released
