-- Gives entries back to the group unharmed: a peer reads them at once.
--
-- KEYS  1 stream that the entries were read from   2 retries stream of the group
-- ARGV  1 group   2 consumer   3... entry ids
-- Returns how many were this consumer's.
--
-- The fields come from the stream itself, so also entries are handed back of which the consumer holds only the id. One
-- whose payload somebody trimmed is acked: the ledger knows its mail, and the reconciler brings it back.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'none' and kind ~= 'stream' then
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a stream')
end
local handed = 0
for position = 3, #ARGV do
  local id = ARGV[position]
  if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) == 1 then
    local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
    redis.call('XACK', KEYS[1], ARGV[1], id)
    if entry then redis.call('XADD', KEYS[2], '*', unpack(entry[2])) end
    handed = handed + 1
  end
end
return handed
