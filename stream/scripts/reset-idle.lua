-- Lets the idle times of pending entries begin anew where their deliveries lie in the future, because Redis' clock was set back. For Redis such an entry
-- is idle for 0 ms until its clock is there again, so nobody would claim it from a consumer that has died.
--
-- KEYS  1 stream
-- ARGV  1 group   2 from which id on, as XPENDING has it
-- Returns from which id on the next page begins; '' if there is none.
--
-- To its own consumer, and without a new delivery (JUSTID): one that lives renews it anyway.
local PAGE = 200
local rows = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], '+', PAGE)
for _, row in ipairs(rows) do
  if row[3] == 0 then redis.call('XCLAIM', KEYS[1], ARGV[1], row[2], 0, row[1], 'JUSTID') end
end
if #rows < PAGE then return '' end
return '(' .. rows[#rows][1]
