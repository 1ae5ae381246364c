-- Queues dead letters again, once each.
--
-- KEYS  1 dead stream   2 dead index   3 retries stream of the group
-- ARGV  1... ids of letters, or of events whose letters the index has
-- Returns for each id 1 if it was queued, 0 if there is no such letter, -1 if it holds no entry that can be queued: such a
-- letter stays.
--
-- Atomic: of two operators who redrive everything at once, one queues each letter. The entry is queued as it was read, its
-- counters reset. Types, rights and contents are checked before the first write: Lua does not roll back. Deletes come before adds:
-- when Redis is full, only a script that has already written may continue to write.
for position, expected in pairs({ 'stream', 'hash', 'stream' }) do
  local kind = redis.call('TYPE', KEYS[position]).ok
  if kind ~= 'none' and kind ~= expected then
    return redis.error_reply('WRONGTYPE ' .. KEYS[position] .. ' holds a ' .. kind .. ', expected a ' .. expected)
  end
end
local refused = lacking({ 'XDEL', KEYS[1], '0-1' }, { 'HDEL', KEYS[2], '' }, { 'XADD', KEYS[3], '*', '', '' })
if refused then return refused end
local counters = { attempts = true, firstfailure = true, lastfailure = true, crashes = true, unreached = true, declined = true, due = true }
-- Well below the number of values that unpack() can take.
local most_values = 4000
local function value_of(letter, name)
  for position = 1, #letter, 2 do
    if letter[position] == name then return letter[position + 1] end
  end
end
local function entry_of(letter)
  local decoded, fields = pcall(cjson.decode, value_of(letter, 'fields') or '')
  if not decoded or type(fields) ~= 'table' or #fields % 2 ~= 0 or #fields > most_values then return nil end
  local entry = {}
  for position = 1, #fields, 2 do
    if type(fields[position]) ~= 'string' or type(fields[position + 1]) ~= 'string' then return nil end
    if not counters[fields[position]] then
      entry[#entry + 1] = fields[position]
      entry[#entry + 1] = fields[position + 1]
    end
  end
  if #entry == 0 then return nil end
  return entry
end
local results = {}
for position, given in ipairs(ARGV) do
  local id = string.match(given, '^%d+%-%d+$') or redis.call('HGET', KEYS[2], given)
  local letter = id and redis.call('XRANGE', KEYS[1], id, id)[1]
  local entry = letter and entry_of(letter[2])
  if not letter then
    results[position] = 0
  elseif not entry then
    results[position] = -1
  else
    local event_id = value_of(letter[2], 'event_id') or ''
    redis.call('XDEL', KEYS[1], id)
    if redis.call('HGET', KEYS[2], event_id) == id then redis.call('HDEL', KEYS[2], event_id) end
    redis.call('XADD', KEYS[3], '*', unpack(entry))
    results[position] = 1
  end
end
return results
