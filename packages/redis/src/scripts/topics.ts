// The scripts of topics. For a topic, `m` is the key of its state (epoch `e`, newest offset `o`, replication id `r`, limits
// `l` and `a`), and `s` that of its stream. The id of an entry of the stream is its offset: 0-1, 0-2 … An entry has the
// kind of the message with its data, and the time at which it was published.

import { DUPLICATE_WINDOW, POSITION_LIFETIME } from "holdfast/topics";
import { script } from "../routing/script.js";
import { EPOCH, NOW } from "./epoch.js";

/**
 * Publishes messages of one partition in their order.
 *
 * KEYS: `m` and `s` of each topic, then the keys of ids. ARGV: a new epoch, the beginning of channels, the length of the
 * beginning of the keys `m`; then for each message: the place of its topic and of its id (0 for none) in KEYS, the
 * number of messages to keep (0 for none) and their age, its kind, its data.
 *
 * Returns the epochs by the places of topics, and a result for each message: its offset, 0 without history, or a text:
 * `d` and the position of the message that it duplicates, `e` and the error of what did nothing, `E` and the error of
 * what was done in part.
 */
export const PUBLISH = script(
  EPOCH,
  NOW,
  `
local lifetime = ${POSITION_LIFETIME}
local channels, cut = ARGV[2], ARGV[3] + 1
local topics, results = {}, {}
for i = 4, #ARGV, 6 do
  local place, id, messages, age, kind, data = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5]
  local known = id > 0 and redis.pcall('GET', KEYS[id])
  local result, position = nil, ''
  if type(known) == 'table' then
    result = 'e' .. known.err
  elseif known then
    result = 'd' .. known
  elseif messages ~= '0' then
    local topic = topics[place]
    if not topic then
      local epoch, offset, isNew = current(KEYS[place], ARGV[1], true, lifetime)
      if epoch then
        topic = { epoch = epoch, offset = offset, id = '0-*' }
        if isNew then redis.call('DEL', KEYS[place + 1]) end
        if offset > 0 and redis.call('EXISTS', KEYS[place + 1]) == 0 then topic.id = '0-' .. (offset + 1) end
        topics[place] = topic
      else
        result = 'e' .. offset
      end
    end
    if topic then
      local entry = redis.pcall('XADD', KEYS[place + 1], 'MAXLEN', '~', messages, topic.id, kind, data, 'a', now)
      if type(entry) == 'table' then
        result = 'e' .. entry.err
      else
        topic.id = '0-*'
        topic.offset = tonumber(string.sub(entry, 3))
        topic.messages, topic.age = messages, age
        result = topic.offset
        position = string.format('%.0f %s', topic.offset, topic.epoch)
      end
    end
  else
    result = 0
  end
  if type(result) == 'number' then
    -- A message without history leaves no trace but this: without it, it must not go out.
    local kept = id > 0 and redis.pcall('SET', KEYS[id], position, 'PX', ${DUPLICATE_WINDOW})
    local failure = type(kept) == 'table' and kept.err
    if not failure then
      local sent = redis.pcall('SPUBLISH', channels .. string.sub(KEYS[place], cut), kind .. position .. '\\n' .. data)
      failure = type(sent) == 'table' and sent.err
      if failure then failure = failure .. ' (channel ' .. channels .. string.sub(KEYS[place], cut) .. ')' end
      if failure and id > 0 and result == 0 then redis.call('DEL', KEYS[id]) end
    end
    if failure then result = (result == 0 and 'e' or 'E') .. failure end
  end
  results[#results + 1] = result
end
local epochs = {}
for place, topic in pairs(topics) do
  epochs[#epochs + 1] = place
  epochs[#epochs + 1] = topic.epoch
  if topic.age then
    redis.call('HSET', KEYS[place], 'o', topic.offset, 'l', topic.messages, 'a', topic.age)
    redis.call('PEXPIRE', KEYS[place], math.max(lifetime, tonumber(topic.age)))
    redis.call('PEXPIRE', KEYS[place + 1], topic.age)
  end
end
return { epochs, results }
`,
);

/**
 * Reads messages of a topic's history. KEYS: `m`, `s`. ARGV: a new epoch, the epoch and the offset after which to read, the
 * limit. Returns null without history; otherwise the epoch, the newest offset, whether nothing is missing, and offset,
 * kind and data of each message.
 */
export const READ = script(
  EPOCH,
  NOW,
  `
local epoch, newest, isNew = current(KEYS[1], ARGV[1], false, ${POSITION_LIFETIME})
if epoch == nil then return redis.error_reply(newest) end
if not epoch then return false end
if isNew then redis.call('DEL', KEYS[2]) end
local limits = redis.call('HMGET', KEYS[1], 'l', 'a')
local age = tonumber(limits[2] or 0)
local function offsetOf(entry) return tonumber(string.sub(entry[1], 3)) end
local function isOld(entry) return now - tonumber(entry[2][4]) >= age end

local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
while oldest and isOld(oldest) do
  local entries = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 64)
  local last = entries[1]
  for _, entry in ipairs(entries) do
    if not isOld(entry) then break end
    last = entry
  end
  redis.call('XTRIM', KEYS[2], 'MINID', string.format('0-%.0f', offsetOf(last) + 1))
  oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
end
local first = newest + 1
if oldest then first = math.max(offsetOf(oldest), newest - tonumber(limits[1]) + 1) end
local after = tonumber(ARGV[3])
local isSame = ARGV[2] == epoch and after <= newest
local start = isSame and math.max(after + 1, first) or first
local messages = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], string.format('0-%.0f', start), '+', 'COUNT', ARGV[4])) do
  messages[#messages + 1] = offsetOf(entry)
  messages[#messages + 1] = entry[2][1]
  messages[#messages + 1] = entry[2][2]
end
return { epoch, newest, (isSame and start == after + 1) and 1 or 0, messages }
`,
);

/** The newest positions. KEYS: `m` and `s` of each topic. ARGV: a new epoch. Returns epoch and offset of each, or ''. */
export const NEWEST = script(
  EPOCH,
  `
local results = {}
for i = 1, #KEYS, 2 do
  local epoch, newest, isNew = current(KEYS[i], ARGV[1], false, ${POSITION_LIFETIME})
  if epoch == nil then return redis.error_reply(newest) end
  if isNew then redis.call('DEL', KEYS[i + 1]) end
  results[#results + 1] = epoch or ''
  results[#results + 1] = newest or 0
end
return results
`,
);
