// The scripts of sessions. KEYS: the session (`h` hash of the secret, `w` owner as JSON, `g` generation, `d` deadline;
// if it was removed, `x` the loss and `u` the time until which that is remembered), its blocks, and its partition's
// index of sessions by the time at which they are forgotten. Each script runs atomically: no write comes between its
// check and its change.

import { script } from "../routing/script.js";
import { NOW } from "./epoch.js";

/** Milliseconds after its deadline until Redis forgets a session by itself, if no server sweeps. */
const GRACE = 86_400_000;

const INDEX = `${NOW}
local function index(deadline)
  if deadline == '' then redis.call('ZREM', KEYS[3], ARGV[1]) else redis.call('ZADD', KEYS[3], deadline, ARGV[1]) end
  for place = 1, 2 do
    if deadline == '' then
      redis.call('PERSIST', KEYS[place])
    else
      redis.call('PEXPIRE', KEYS[place], string.format('%.0f', math.max(0, tonumber(deadline) - now) + ${GRACE}))
    end
  end
end

-- 1 if this generation may change the record, 0 if it is fenced off, -1 if its record is not there.
local function holds(generation)
  local state = redis.call('HMGET', KEYS[1], 'g', 'x')
  if not state[1] or tonumber(state[1]) < tonumber(generation) then return -1 end
  return not state[2] and tonumber(state[1]) == tonumber(generation) and 1 or 0
end
`;

/** ARGV: id, hash, owner, now. Returns why the session is lost, or its generation and its blocks. */
export const CLAIM = script(`
local state = redis.call('HMGET', KEYS[1], 'h', 'w', 'd', 'x', 'u')
if state[1] ~= ARGV[2] then return 'unknown' end
if state[2] ~= ARGV[3] then return 'forbidden' end
local now = tonumber(ARGV[4])
if state[4] then return (tonumber(state[5]) > now and state[4] ~= '') and state[4] or 'unknown' end
if state[3] ~= '' and tonumber(state[3]) <= now then return 'expired' end
return { redis.call('HINCRBY', KEYS[1], 'g', 1), redis.call('LRANGE', KEYS[2], 0, -1) }
`);

/** ARGV: id, hash, owner, generation, deadline, block. Returns whether it was written. */
export const SAVE = script(
  INDEX,
  `
local state = redis.call('HMGET', KEYS[1], 'g', 'x')
local held, generation = tonumber(state[1] or 0), tonumber(ARGV[4])
-- A removed session begins again with a newer generation only.
if held > generation or (state[2] and held == generation) then return 0 end
redis.call('HDEL', KEYS[1], 'x', 'u')
redis.call('HSET', KEYS[1], 'h', ARGV[2], 'w', ARGV[3], 'g', ARGV[4], 'd', ARGV[5])
redis.call('DEL', KEYS[2])
redis.call('RPUSH', KEYS[2], ARGV[6])
index(ARGV[5])
return 1
`,
);

/** ARGV: id, generation, block, whether the deadline changes, deadline. Returns how many blocks there are, or what `holds` says. */
export const APPEND = script(
  INDEX,
  `
local held = holds(ARGV[2])
if held < 1 then return held end
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'd', ARGV[5])
  index(ARGV[5])
end
return redis.call('RPUSH', KEYS[2], ARGV[3])
`,
);

/** ARGV: id, generation. Returns the blocks, or what `holds` says. */
export const BLOCKS = script(
  INDEX,
  `
local held = holds(ARGV[2])
if held < 1 then return held end
return redis.call('LRANGE', KEYS[2], 0, -1)
`,
);

/** ARGV: id, generation, loss, until. Returns 0 if refused. */
export const REMOVE = script(
  INDEX,
  `
local state = redis.call('HMGET', KEYS[1], 'g', 'x')
if not state[1] or state[2] then return 1 end
if holds(ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'x', ARGV[3], 'u', ARGV[4])
redis.call('DEL', KEYS[2])
index(ARGV[4])
return 1
`,
);

/** KEYS: the index. ARGV: the beginning of keys, now. Returns how many sessions were forgotten. */
export const SWEEP = script(`
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, 100)
for _, id in ipairs(ids) do
  redis.call('DEL', ARGV[1] .. 'x:' .. id, ARGV[1] .. 'b:' .. id)
  redis.call('ZREM', KEYS[1], id)
end
return #ids
`);
