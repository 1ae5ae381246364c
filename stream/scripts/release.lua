-- Releases entries to the group, unharmed: a peer reads them at once.
--
-- KEYS  1 stream that the entries were read from   2 retries stream of the group
-- ARGV  1 group   2 consumer   3... entry ids
-- Returns how many were this consumer's.
--
-- An entry that was taken over from dead consumers carries how many there were (`crashes`): its counters do not change.
-- The fields come from the stream itself, so also entries are released of which the consumer has only the id. One
-- whose payload somebody trimmed is acked: the ledger knows its delivery, and the reconciler brings it back.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'none' and kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a stream')
end
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
    -- One with more values than unpack() can take stays pending: a peer claims it, and dead-letters it.
    if not entry or #entry[2] <= 4000 then
      redis.call('XACK', KEYS[1], ARGV[1], id)
      if entry then redis.call('XADD', KEYS[2], '*', unpack(with_crashes(entry[2], held[4]))) end
      released = released + 1
    end
  end
end
return released
