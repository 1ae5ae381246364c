-- Deletes dead letters.
--
-- KEYS  1 dead stream   2 dead index
-- ARGV  1... ids of letters, or of events whose letters the index has
-- Returns how many existed.
--
-- Atomic: the index must not name a letter that is gone, or the event could not be dead-lettered again. Both keys' types
-- and the rights are checked before the first write.
for position, expected in pairs({ 'stream', 'hash' }) do
  local kind = redis.call('TYPE', KEYS[position]).ok
  if kind ~= 'none' and kind ~= expected then
    return redis.error_reply('WRONGTYPE ' .. KEYS[position] .. ' holds a ' .. kind .. ', expected a ' .. expected)
  end
end
local refused = lacking({ 'XDEL', KEYS[1], '0-1' }, { 'HDEL', KEYS[2], '' })
if refused then return refused end
local dropped = 0
for _, given in ipairs(ARGV) do
  local id = string.match(given, '^%d+%-%d+$') or redis.call('HGET', KEYS[2], given)
  local letter = id and redis.call('XRANGE', KEYS[1], id, id)[1]
  if letter then
    for position = 1, #letter[2], 2 do
      local event_id = letter[2][position + 1]
      if letter[2][position] == 'event_id' and redis.call('HGET', KEYS[2], event_id) == id then
        redis.call('HDEL', KEYS[2], event_id)
      end
    end
    redis.call('XDEL', KEYS[1], id)
    dropped = dropped + 1
  end
end
return dropped
