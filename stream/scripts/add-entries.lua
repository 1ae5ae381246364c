-- Adds entries to a stream, in their order.
--
-- KEYS  1 stream
-- ARGV  1... for each entry its fields and values, as a JSON array of strings
-- Returns for each entry its id, or the error with which it was refused. If all were refused, the first error is the script's own: by
-- such an error the client knows a server that takes no writes.
--
-- Not for atomicity: a command of its own for each entry costs the client several times what the entry costs Redis. An entry that is refused
-- takes no other with it.
local results = {}
local refusal
local is_any_added = false
for position, entry in ipairs(ARGV) do
  local result = redis.pcall('XADD', KEYS[1], '*', unpack(cjson.decode(entry)))
  if type(result) == 'table' and result.err then
    refusal = refusal or result
  else
    is_any_added = true
  end
  results[position] = result
end
if refusal and not is_any_added then return refusal end
return results
