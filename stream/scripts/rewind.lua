-- Lets a group whose position lies beyond the end of a stream read it again from the start.
--
-- KEYS  1 stream
-- ARGV  1 group
-- Returns 1 if it was so, else 0: another process may have done it meanwhile, and the group has read on.
local function value(list, name)
  for position = 1, #list, 2 do
    if list[position] == name then return list[position + 1] end
  end
end
local last = value(redis.call('XINFO', 'STREAM', KEYS[1]), 'last-generated-id')
for _, each in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  if value(each, 'name') == ARGV[1] and is_below(last, value(each, 'last-delivered-id')) then
    redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], '0')
    return 1
  end
end
return 0
