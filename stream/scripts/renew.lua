-- Renews entries that a consumer still owns: resets their idle time, and sets their delivery counters if asked to.
--
-- KEYS  1 stream
-- ARGV  1 group   2 consumer   3 their delivery counters, '' to leave them as they are   4... entry ids, in the order of the stream
-- Returns the ids that are still this consumer's.
--
-- A plain XCLAIM would take back entries that a peer has claimed meanwhile, so ownership is checked first, in the same
-- script. JUSTID keeps the delivery counter.
local ids = { unpack(ARGV, 4) }
local held, owned = held_by(KEYS[1], ARGV[1], ARGV[2], ids), {}
for _, id in ipairs(ids) do
  if held[id] then owned[#owned + 1] = id end
end
if #owned > 0 then
  local claim = { KEYS[1], ARGV[1], ARGV[2], 0, unpack(owned) }
  if ARGV[3] ~= '' then
    claim[#claim + 1] = 'RETRYCOUNT'
    claim[#claim + 1] = ARGV[3]
  end
  claim[#claim + 1] = 'JUSTID'
  redis.call('XCLAIM', unpack(claim))
end
return owned
