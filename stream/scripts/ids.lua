-- Which of two ids of a stream is the lower one; in front of scripts that ask it.
local function parts(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(sequence)
end
local function is_below(left, right)
  local left_ms, left_sequence = parts(left)
  local right_ms, right_sequence = parts(right)
  return left_ms < right_ms or (left_ms == right_ms and left_sequence < right_sequence)
end
