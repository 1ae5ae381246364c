-- What to answer if the caller has no right to one of these commands, each with its arguments; nil: it has all rights.
--
-- To be asked before the first write: Redis checks each command when it is called, and Lua does not roll back.
local function lacking(...)
  -- Not every server that speaks Redis' protocol can tell.
  local may = redis.acl_check_cmd
  if not may then return nil end
  for _, command in ipairs({ ... }) do
    if not may(unpack(command)) then
      return redis.error_reply('NOPERM this login has no right to ' .. command[1])
    end
  end
end
