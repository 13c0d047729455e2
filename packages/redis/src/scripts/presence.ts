// The scripts of presence. For a topic, `p` is the key of its members (id: lease, line feed, member as JSON) and `v` that of
// its version. For a partition, `l` holds the leases with the times at which they end. A lease is "PROCESS:GENERATION";
// `t` with a lease is the set of topics with members of it.

import { POSITION_LIFETIME } from "holdfast/topics";
import { script } from "../routing/script.js";
import { EPOCH, NOW } from "./epoch.js";

/** Milliseconds until a lease ends that is not renewed. */
export const LEASE = 10_000;

/**
 * The KEYS of all these scripts. The second one never exists: so a cluster that moves the slot refuses a script until all
 * keys are on one node (TRYAGAIN). With the leases alone, it would run where some members are missing.
 */
export function presenceKeys(prefix: string): readonly string[] {
  return [`${prefix}l`, `${prefix}-`];
}

/** A full Redis must not let the leases of live processes end, since it still removes the members of ended ones. */
const ALLOW_OOM = "#!lua flags=allow-oom";

const MEMBERS = `
local prefix, candidate = ARGV[1], ARGV[2]
local leases = prefix .. 'l'
local lifetime = ${POSITION_LIFETIME}

local function version(topic)
  local epoch, count = current(prefix .. 'v:' .. topic, candidate, true, lifetime)
  if not epoch then error({ err = count }) end
  return epoch, count
end

local function announce(topic, joined, left)
  local epoch, count = version(topic)
  count = count + 1
  redis.call('HSET', prefix .. 'v:' .. topic, 'o', count)
  redis.call('PEXPIRE', prefix .. 'v:' .. topic, lifetime)
  local change = '{"joined":[' .. joined .. '],"left":[' .. left .. ']}'
  redis.call('SPUBLISH', prefix .. 'w:' .. topic, string.format('%s %.0f\\n', epoch, count) .. change)
end

local function split(entry)
  local place = string.find(entry, '\\n', 1, true)
  return string.sub(entry, 1, place - 1), string.sub(entry, place + 1)
end

local function isAlive(lease)
  local ends = redis.call('ZSCORE', leases, lease)
  return ends and tonumber(ends) > now
end

-- Removes the members of a lease that has ended, and announces each once.
local function reap(lease)
  for _, topic in ipairs(redis.call('SMEMBERS', prefix .. 't:' .. lease)) do
    local members = redis.call('HGETALL', prefix .. 'p:' .. topic)
    for i = 1, #members, 2 do
      local owner, member = split(members[i + 1])
      if owner == lease then
        redis.call('HDEL', prefix .. 'p:' .. topic, members[i])
        announce(topic, '', member)
      end
    end
  end
  redis.call('DEL', prefix .. 't:' .. lease)
  redis.call('ZREM', leases, lease)
end
`;

/**
 * ARGV: the beginning of keys, a new epoch, a lease, whether it begins now, topic, id, member as JSON. Returns 0
 * if the lease has ended.
 */
export const JOIN = script(
  EPOCH,
  NOW,
  MEMBERS,
  `
local lease, topic, id, member = ARGV[3], ARGV[5], ARGV[6], ARGV[7]
if not isAlive(lease) then
  if ARGV[4] == '0' then return 0 end
  redis.call('ZADD', leases, now + ${LEASE}, lease)
end
local before = redis.call('HGET', prefix .. 'p:' .. topic, id)
redis.call('HSET', prefix .. 'p:' .. topic, id, lease .. '\\n' .. member)
redis.call('SADD', prefix .. 't:' .. lease, topic)
-- Added again after its lease had ended, and before that was announced: nothing has changed.
local isKnown = false
if before then
  local _, known = split(before)
  isKnown = known == member and ARGV[8] == '1'
end
if not isKnown then announce(topic, member, '') end
return 1
`,
);

/** ARGV: the beginning of keys, a new epoch, process, topic, id. */
export const LEAVE = script(
  EPOCH,
  NOW,
  MEMBERS,
  `
local owner, topic, id = ARGV[3] .. ':', ARGV[4], ARGV[5]
local entry = redis.call('HGET', prefix .. 'p:' .. topic, id)
if not entry or string.sub(entry, 1, #owner) ~= owner then return 0 end
local _, member = split(entry)
redis.call('HDEL', prefix .. 'p:' .. topic, id)
announce(topic, '', member)
return 1
`,
);

/** ARGV: the beginning of keys, a new epoch, topic. Returns epoch, version, and the members as JSON. */
export const LIST = script(
  EPOCH,
  NOW,
  MEMBERS,
  `
local topic = ARGV[3]
local members, alive = {}, {}
local entries = redis.call('HGETALL', prefix .. 'p:' .. topic)
for i = 1, #entries, 2 do
  local lease, member = split(entries[i + 1])
  if alive[lease] == nil then alive[lease] = isAlive(lease) and true or false end
  if alive[lease] then members[#members + 1] = member end
end
local epoch, count = version(topic)
return { epoch, count, members }
`,
);

/** ARGV: the beginning of keys, a new epoch, topics. Returns epoch and version of each. */
export const VERSIONS = script(
  EPOCH,
  NOW,
  MEMBERS,
  `
local results = {}
for i = 3, #ARGV do
  local epoch, count = version(ARGV[i])
  results[#results + 1] = epoch
  results[#results + 1] = count
end
return results
`,
);

/**
 * Renews a lease, and removes the members of those that have ended. ARGV: the beginning of keys, a new epoch, a
 * lease or '', whether it ends now. Returns whether the lease is still there, and the milliseconds until the next one
 * ends (-1 if there is none).
 */
export const RENEW = script(
  ALLOW_OOM,
  EPOCH,
  NOW,
  MEMBERS,
  `
local lease, isHeld = ARGV[3], 0
if lease ~= '' and isAlive(lease) then
  isHeld = 1
  redis.call('ZADD', leases, ARGV[4] == '1' and now or now + ${LEASE}, lease)
end
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 10)) do reap(ended) end
local next = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
return { isHeld, next[2] and tonumber(next[2]) - now or -1 }
`,
);
