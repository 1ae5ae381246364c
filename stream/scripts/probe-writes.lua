-- Says whether Redis takes writes, and writes nothing.
--
-- KEYS  1 a stream that does not exist
-- Returns '' if it does, else why not, in Redis' words.
--
-- XADD meets all that writes are refused for; NOMKSTREAM keeps it from any effect. An error reply would end the connection.
local answer = redis.pcall('XADD', KEYS[1], 'NOMKSTREAM', '*', 'probe', '1')
return type(answer) == 'table' and answer.err or ''
