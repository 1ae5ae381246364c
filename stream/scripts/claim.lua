-- Claims entries that their consumers have not renewed, but no suspects: entries with which too many consumers have died.
--
-- KEYS  1 stream
-- ARGV  1 group   2 consumer   3 idle time in ms from which an entry is claimed   4 most entries to claim
--       5 deliveries without an outcome after which an entry is a suspect
-- Returns three lists: what was claimed, each as id, fields, deliveries, owner until now; suspects, each as id, event id ('' for
-- none); ids of entries whose payload was trimmed, which are acked: the reconciler queues their deliveries again.
--
-- Atomic: the counters that decide are those of the entry that is claimed. Entries of the consumer itself, whose reply was
-- lost, are claimed without a new delivery: nobody died.
local PAGE, MAX_PAGES = 200, 20
local claimed, suspects, trimmed = {}, {}, {}
local most, suspect_after = tonumber(ARGV[4]), tonumber(ARGV[5])
if most == nil or suspect_after == nil then return redis.error_reply('ERR expected two numbers') end
local start = '-'
for _ = 1, MAX_PAGES do
  local rows = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], start, '+', PAGE)
  for _, row in ipairs(rows) do
    if #claimed >= most then break end
    local id, owner, counted = row[1], row[2], row[4]
    local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
    if not entry then
      redis.call('XACK', KEYS[1], ARGV[1], id)
      trimmed[#trimmed + 1] = id
    else
      local fields, event, carried = entry[2], '', 0
      for position = 1, #fields, 2 do
        if fields[position] == 'id' then event = fields[position + 1] end
        if fields[position] == 'crashes' then carried = math.max(0, tonumber(fields[position + 1]) or 0) end
      end
      if owner ~= ARGV[2] then counted = counted + 1 end
      if counted - 1 + carried >= suspect_after then
        suspects[#suspects + 1] = { id, event }
      else
        redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', counted, 'JUSTID')
        claimed[#claimed + 1] = { id, fields, counted + carried, owner }
      end
    end
  end
  if #rows < PAGE or #claimed >= most then break end
  start = '(' .. rows[#rows][1]
end
return { claimed, suspects, trimmed }
