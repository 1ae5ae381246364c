-- Sets the `lag` of a group right, which Redis 7.0 loses after a restart or a failover, or gets wrong after a second one.
--
-- KEYS  1 stream
-- ARGV  1 group   2 most entries to look at   3... landmarks: ids and how many undelivered entries lie up to each. The first
--       is the group's last-delivered id when they were counted, with 0.
-- Returns 1 if set right, 2 if there was nothing to do, 0 if too much has moved since the count: count again; 3 if Redis does
--       not know the lag all the same.
--
-- Counting is done outside, in slices: in one script, a million entries would block Redis for seconds. Here only entries
-- added since are counted, and the group's last-delivered id stays the same.
local limit = tonumber(ARGV[2])
local function by_name(list)
  local record = {}
  for position = 1, #list, 2 do record[list[position]] = list[position + 1] end
  return record
end
local function read_group()
  for _, each in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local record = by_name(each)
    if record.name == ARGV[1] then return record end
  end
end
local group = read_group()
if not group then return 2 end
local delivered = group['last-delivered-id']
if is_below(delivered, ARGV[3]) then return 0 end
-- The last landmark that the group has passed, and the entries read beyond it.
local passed, read = ARGV[3], 0
for position = 3, #ARGV, 2 do
  if not is_below(delivered, ARGV[position]) then
    passed, read = ARGV[position], tonumber(ARGV[position + 1])
  end
end
local beyond = redis.call('XRANGE', KEYS[1], '(' .. passed, delivered, 'COUNT', limit + 1)
if #beyond > limit then return 0 end
local last, counted = ARGV[#ARGV - 1], tonumber(ARGV[#ARGV])
local from = is_below(last, delivered) and delivered or last
local added = redis.call('XRANGE', KEYS[1], '(' .. from, '+', 'COUNT', limit + 1)
if #added > limit then return 0 end
local undelivered
if is_below(last, delivered) then undelivered = #added else undelivered = counted - read - #beyond + #added end
if group.lag == undelivered then return 2 end
local stream = by_name(redis.call('XINFO', 'STREAM', KEYS[1]))
redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], delivered, 'ENTRIESREAD', string.format('%.0f', stream['entries-added'] - undelivered))
return read_group().lag and 1 or 3
