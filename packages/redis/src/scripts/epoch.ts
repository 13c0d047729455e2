// The beginning of every script that counts: in which epoch it does. Redis changes its replication id whenever it may have
// lost writes: at each promotion and each start. The epoch ends then.
//
// The script asks for the replication id itself (some 6 µs). If the engine passed it along, two processes that had read
// it at different times would begin one epoch after the other.

export const EPOCH = `
local info = redis.call('INFO', 'replication')
if not string.find(info, 'role:master', 1, true) then
  return redis.error_reply('READONLY This node is a replica.')
end
local replication = string.match(info, 'master_replid:(%x+)')

-- Returns the epoch, the number of what was counted last, whether it begins now, and the state; false if nothing was
-- counted, unless it begins now.
local function current(key, candidate, begins, lifetime)
  local state = redis.pcall('HMGET', key, 'e', 'o', 'r', 'l', 'a', 'x')
  if state.err then return nil, state.err end
  if state[1] and state[3] == replication then return state[1], tonumber(state[2]), false, state end
  if not state[1] and not begins then return false end
  local result = redis.pcall('HSET', key, 'e', candidate, 'o', 0, 'r', replication)
  if type(result) == 'table' then return nil, result.err end
  redis.call('PEXPIRE', key, lifetime)
  return candidate, 0, true
end
`;

/** Whole milliseconds by the clock of Redis. */
export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
