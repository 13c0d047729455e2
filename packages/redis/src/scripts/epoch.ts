// The beginning of every script that counts: in which epoch it does. Redis changes its replication id whenever it may have
// lost writes: at each promotion and each start; and a slot of a cluster may move to another node. The epoch ends then,
// unless the engine has proved that nothing is missing (../topics/continuity.ts).
//
// The script asks for the replication id itself (some 6 µs). If the engine passed it along, two processes that had read
// it at different times would begin one epoch after the other.

/** The state of a topic holds the epoch `e`, the newest offset `o`, and the master that counted: its ids `r` and `n`. */
export const EPOCH = `
local info = redis.call('INFO', 'replication')
if not string.find(info, 'role:master', 1, true) then
  return redis.error_reply('READONLY This node is a replica.')
end
local replication = string.match(info, 'master_replid:(%x+)')
local run

-- Returns the epoch, the number of what was counted last, whether it begins now, and the state; false if nothing was
-- counted, unless it begins now; nil and an error. The candidate is a new epoch, followed by replication ids: "OLD>NEW" if
-- epochs go on, "OLD!NEW" if they end, and "?" if any other change is an error. Without it, they end.
local function current(key, candidate, begins, lifetime)
  local state = redis.pcall('HMGET', key, 'e', 'o', 'r', 'l', 'a', 'x', 'n')
  if state.err then return nil, state.err end
  if state[1] and state[3] == replication then return state[1], tonumber(state[2]), false, state end
  if not state[1] and not begins then return false end
  local epoch, offset, isNew = string.match(candidate, '^%S+'), 0, true
  if state[1] then
    local function has(sign)
      return string.find(candidate, ' ' .. state[3] .. sign .. replication, 1, true)
    end
    if has('>') then
      epoch, offset, isNew = state[1], tonumber(state[2]), false
    elseif string.sub(candidate, -1) == '?' and not has('!') then
      return nil, 'UNPROVEN ' .. state[3] .. ' ' .. (state[7] or '-') .. ' ' .. replication
    end
  end
  run = run or string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local result = redis.pcall('HSET', key, 'e', epoch, 'o', offset, 'r', replication, 'n', run)
  if type(result) == 'table' then return nil, result.err end
  if isNew then redis.call('PEXPIRE', key, lifetime) end
  return epoch, offset, isNew, state
end
`;

/** Whole milliseconds by the clock of Redis. */
export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
