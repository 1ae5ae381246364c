-- Dead-letters an entry, once per event.
--
-- KEYS  1 stream that the entry was read from   2 dead stream   3 dead index
-- ARGV  1 group   2 consumer   3 entry id   4 event id to index by ('' for none)   5... fields and values of the dead letter
-- Returns 2 if this event has a dead letter already (the entry is acked), 1 if it got one now, 0 if the entry is no longer
--       this consumer's.
--
-- Atomic: a peer that completes the move of a dead consumer must not add a second letter. Types and rights are checked before the first write.
for position, expected in pairs({ [2] = 'stream', [3] = 'hash' }) do
  local kind = redis.call('TYPE', KEYS[position]).ok
  if kind ~= 'none' and kind ~= expected then
    return redis.error_reply('WRONGTYPE ' .. KEYS[position] .. ' holds a ' .. kind .. ', expected a ' .. expected)
  end
end
if #ARGV < 6 or #ARGV % 2 ~= 0 then return redis.error_reply('ERR a dead letter needs pairs of fields and values') end
local refused = lacking({ 'XACK', KEYS[1], ARGV[1], '0-1' }, { 'XADD', KEYS[2], '*', '', '' }, { 'HSET', KEYS[3], '', '' })
if refused then return refused end
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end
local known = ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
if known then return 2 end
local letter = redis.call('XADD', KEYS[2], '*', unpack(ARGV, 5))
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], ARGV[4], letter) end
return 1
