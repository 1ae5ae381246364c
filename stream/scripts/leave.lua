-- Removes a consumer from its group on both streams, where it has no pending entries.
--
-- KEYS  1 events   2 retries stream of the group
-- ARGV  1 group   2 consumer
-- Returns from how many streams it was removed.
--
-- Atomic: XGROUP DELCONSUMER drops pending entries, and with them the work.
local gone = 0
for _, key in ipairs(KEYS) do
  local held = redis.pcall('XPENDING', key, ARGV[1], '-', '+', 1, ARGV[2])
  if held.err == nil and #held == 0 then
    redis.call('XGROUP', 'DELCONSUMER', key, ARGV[1], ARGV[2])
    gone = gone + 1
  end
end
return gone
