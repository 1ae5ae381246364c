-- Moves a group past entries that are nothing to work on now, without taking them: nothing becomes pending, and nothing is to be acked.
-- Some are not for it; others are delayed.
--
-- KEYS  1 stream   2 retry set of the group
-- ARGV  1 group; nothing else: only tells where the group is
--       2 id after which the entries begin   3 id of the last one   4 how many they are
--       5 delay in ms, from when they were added; for each that is delayed its id and its member: the whole entry, a JSON array
-- Returns 1 if it was moved, else 0; the id up to which the group has read
--
-- Atomic: peers read meanwhile, and an entry is either theirs or delayed. Nobody can add an entry between others, so whoever has seen
-- those up to an id has seen all. A group that is further on stays there, and one that was set back reads again. ZADD comes before the
-- move: when Redis is full it is refused, and nothing has happened. How many entries the group has read is Redis' own count, which the
-- lag repairer may have set right since the look; where Redis does not know it, it stays unknown.
local delivered, read
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
for _, group in ipairs(groups) do
  local record = {}
  for position = 1, #group, 2 do record[group[position]] = group[position + 1] end
  if record.name == ARGV[1] then delivered, read = record['last-delivered-id'], record['entries-read'] or -1 end
end
if groups.err and not string.find(groups.err, 'no such key', 1, true) then return groups end
if not delivered then return redis.error_reply('NOGROUP No such group ' .. ARGV[1] .. ' on ' .. KEYS[1]) end
if #ARGV == 1 or is_below(delivered, ARGV[2]) or not is_below(delivered, ARGV[3]) then return { 0, delivered } end
local refused = lacking({ 'ZADD', KEYS[2], 0, '' }, { 'XGROUP', 'SETID', KEYS[1], ARGV[1], '0-1' })
if refused then return refused end
local is_alone = delivered == ARGV[2]
if #ARGV > 5 then
  local kind = redis.call('TYPE', KEYS[2]).ok
  if kind ~= 'none' and kind ~= 'zset' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' holds a ' .. kind .. ', expected a sorted set')
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local delay, members = tonumber(ARGV[5]), {}
  for position = 6, #ARGV, 2 do
    local id = ARGV[position]
    if is_alone or is_below(delivered, id) then
      -- An id is in the future once Redis' clock was set back.
      members[#members + 1] = string.format('%.0f', math.min(now, tonumber(string.match(id, '^%d+'))) + delay)
      members[#members + 1] = ARGV[position + 1]
    end
  end
  if #members > 0 then redis.call('ZADD', KEYS[2], unpack(members)) end
end
local moved = { 'SETID', KEYS[1], ARGV[1], ARGV[3] }
if read >= 0 then
  -- Peers have read some of them: rarely, so the rest is counted only then.
  local count = is_alone and tonumber(ARGV[4]) or #redis.call('XRANGE', KEYS[1], '(' .. delivered, ARGV[3])
  moved[5], moved[6] = 'ENTRIESREAD', string.format('%.0f', read + count)
end
redis.call('XGROUP', unpack(moved))
return { 1, ARGV[3] }
