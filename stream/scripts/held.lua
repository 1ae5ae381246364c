-- Which of these entries are pending for a consumer, as a set of ids. `ids` in the order of the stream.
--
-- They mostly lie side by side, so one XPENDING over all of them finds them; what lies beyond its rows is asked for by itself.
local function held_by(stream, group, consumer, ids)
  local held, most = {}, 2 * #ids
  if most == 0 then return held end
  local rows = redis.call('XPENDING', stream, group, ids[1], ids[#ids], most, consumer)
  for _, row in ipairs(rows) do held[row[1]] = true end
  if #rows == most then
    for _, id in ipairs(ids) do
      if not held[id] and #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 1 then held[id] = true end
    end
  end
  return held
end
