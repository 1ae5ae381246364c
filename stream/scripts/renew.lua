-- Renews entries that a consumer still owns: resets their idle time.
--
-- KEYS  1 stream
-- ARGV  1 group   2 consumer   3... entry ids
-- Returns the ids that are still this consumer's.
--
-- A plain XCLAIM would take back entries that a peer has claimed meanwhile, so ownership is checked first, in the same
-- script. JUSTID keeps the delivery counter.
local owned = {}
for position = 3, #ARGV do
  local id = ARGV[position]
  if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID')
    owned[#owned + 1] = id
  end
end
return owned
