// The scripts of topics. For a topic, `m` is the key of its state (epoch `e`, newest offset `o`, replication id `r`, limits
// `l` and `a`, and `x`: the time from which their lifetimes have to be set again), and `s` that of its stream. An entry of
// the stream is a block of messages: its id is the offset of the last one (0-8), its fields are their number with the
// time at which they were published, and `b` with their records (../topics/message-frame.ts).

import { DUPLICATE_WINDOW, POSITION_LIFETIME } from "holdfast/topics";
import { script } from "../routing/script.js";
import { EPOCH, NOW } from "./epoch.js";

/** Messages of a topic between two checks of the end of its history. */
const TRIM_EVERY = 64;

/**
 * Publishes messages in their order. KEYS: `m` and `s` of each topic, then the keys of its ids. ARGV: a candidate, and what
 * `encodeBatch()` wrote.
 *
 * Returns the epochs by the places of topics, and a result for each part: the offset of its last message, 0 without
 * history, or a text: `d` and the position of the message that it duplicates, `e` and the error of what did nothing, `E`
 * and the error of what was done in part.
 */
export const PUBLISH = script(
  EPOCH,
  NOW,
  `
local lifetime = ${POSITION_LIFETIME}
local data, pcall, unpack, sub, format = ARGV[2], redis.pcall, struct.unpack, string.sub, string.format
local time = format('%d', now)
local topics, results = {}, {}

local function topicAt(place)
  local topic = topics[place]
  if not topic then
    local epoch, offset, isNew, state = current(KEYS[place], ARGV[1], true, lifetime)
    if not epoch then
      topic = { failure = offset }
    else
      if isNew then redis.call('DEL', KEYS[place + 1]) end
      topic = { epoch = epoch, offset = offset, known = isNew and {} or state }
    end
    topics[place] = topic
  end
  return topic
end

local cursor = 5
local head = unpack('<I4', data)
-- All topics first, because nothing must be published if the epoch of one is in doubt.
while cursor <= head do
  local place, _, parts, messages = unpack('<I4I4I4d', data, cursor)
  local failure = messages > 0 and topicAt(place).failure
  if failure and string.sub(failure, 1, 8) == 'UNPROVEN' then return redis.error_reply(failure) end
  cursor = cursor + 28 + parts * 12
end

cursor = 5
local from = head + 1
while cursor <= head do
  local place, cut, parts, messages, age
  place, cut, parts, messages, age, cursor = unpack('<I4I4I4dd', data, cursor)
  local isKept = messages > 0
  local topic = isKept and topicAt(place)
  local failure = topic and topic.failure
  local offset, count = topic and topic.offset, 0
  -- The results of new messages, the keys of their ids, and their records: those of others are left out.
  local new, ids, records, start = {}, {}, {}, from
  for _ = 1, parts do
    local id, number, size
    id, number, size, cursor = unpack('<I4I4I4', data, cursor)
    local result = failure and 'e' .. failure
    if not result and id > 0 then
      local position = isKept and format('%d %s', offset + count + 1, topic.epoch) or ''
      local known = pcall('SET', KEYS[id], position, 'PX', ${DUPLICATE_WINDOW}, 'NX', 'GET')
      if type(known) == 'table' then
        result = 'e' .. known.err .. ' (command SET)'
      elseif known then
        result = 'd' .. known
        if ids[KEYS[id]] then new[#new + 1] = #results + 1 end
      else
        ids[KEYS[id]] = true
      end
    end
    if result then
      if from > start then records[#records + 1] = sub(data, start, from - 1) end
      start = from + size
    else
      count = count + number
      result = isKept and offset + count or 0
      new[#new + 1] = #results + 1
    end
    results[#results + 1] = result
    from = from + size
  end
  if count > 0 then
    if from > start then records[#records + 1] = sub(data, start, from - 1) end
    local block = #records == 1 and records[1] or table.concat(records)
    local position = ''
    if isKept then
      local newest = offset + count
      local key, id, number = KEYS[place + 1], format('0-%d', newest), format('%d', count)
      local added
      -- Whole nodes of the stream go, so not every message has to look for one.
      if newest > messages and newest % ${TRIM_EVERY} < count then
        added = pcall('XADD', key, 'MINID', '~', format('0-%d', newest - messages + 1), id, number, time, 'b', block)
      else
        added = pcall('XADD', key, id, number, time, 'b', block)
      end
      if type(added) == 'table' then
        failure = 'e' .. added.err .. ' (command XADD)'
      else
        position = format('%d %s', offset + 1, topic.epoch)
        topic.offset, topic.messages, topic.age = newest, messages, age
      end
    end
    if not failure then
      local key = KEYS[place]
      local channel = sub(key, 1, cut) .. 'c' .. sub(key, cut + 2)
      local sent = pcall('SPUBLISH', channel, position .. '\\n' .. block)
      if type(sent) == 'table' then failure = (isKept and 'E' or 'e') .. sent.err .. ' (channel ' .. channel .. ')' end
    end
    if failure then
      for _, index in ipairs(new) do results[index] = failure end
      if sub(failure, 1, 1) == 'e' then
        for key in pairs(ids) do redis.call('DEL', key) end
      end
    end
  end
end

local epochs = {}
for place, topic in pairs(topics) do
  if topic.epoch then
    epochs[#epochs + 1] = place
    epochs[#epochs + 1] = topic.epoch
  end
  if topic.age then
    local key, known = KEYS[place], topic.known
    local offset, age, messages = format('%d', topic.offset), format('%d', topic.age), format('%d', topic.messages)
    if known[4] == messages and known[5] == age and now < tonumber(known[6]) then
      redis.call('HSET', key, 'o', offset)
    else
      -- They live longer than they have to, so that not every message has to prolong it.
      local more = math.max(1000, math.floor(topic.age / 4))
      redis.call('HSET', key, 'o', offset, 'l', messages, 'a', age, 'x', format('%d', now + more))
      redis.call('PEXPIRE', key, format('%d', math.max(lifetime, topic.age) + 2 * more))
      redis.call('PEXPIRE', KEYS[place + 1], format('%d', topic.age + 2 * more))
    end
  end
end
return { epochs, results }
`,
);

/**
 * Reads messages of a topic's history. KEYS: `m`, `s`. ARGV: a candidate, the epoch and the offset after which to read, the
 * limit. Returns null without history; otherwise the epoch, the newest offset, whether nothing is missing, the offset
 * of the first message to return, and blocks that hold it and those that follow, each with the offset of its first.
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
local function isOld(entry) return now - tonumber(entry[2][2]) >= age end
local function firstOf(entry) return offsetOf(entry) - tonumber(entry[2][1]) + 1 end
local function range(start, count)
  return redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', count)
end

local oldest = range('-', 1)[1]
while oldest and isOld(oldest) do
  local entries = range('-', 64)
  local last = entries[1]
  for _, entry in ipairs(entries) do
    if not isOld(entry) then break end
    last = entry
  end
  redis.call('XTRIM', KEYS[2], 'MINID', string.format('0-%d', offsetOf(last) + 1))
  oldest = range('-', 1)[1]
end
local first = newest + 1
if oldest then first = math.max(firstOf(oldest), newest - tonumber(limits[1]) + 1) end
local after = tonumber(ARGV[3])
local isSame = ARGV[2] == epoch and after <= newest
local start = isSame and math.max(after + 1, first) or first
local blocks, last, wanted = {}, start - 1, start - 1 + tonumber(ARGV[4])
while last < math.min(wanted, newest) do
  local entries = range(string.format('0-%d', last + 1), 8)
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    if last >= wanted then break end
    blocks[#blocks + 1] = firstOf(entry)
    blocks[#blocks + 1] = entry[2][4]
    last = offsetOf(entry)
  end
end
return { epoch, newest, (isSame and start == after + 1) and 1 or 0, start, blocks }
`,
);

/**
 * The newest positions, which are remembered for longer then: somebody listens. KEYS: `m` and `s` of each topic. ARGV: a
 * candidate, and for each topic 1 if its history begins now unless there is one. Returns epoch and offset of each, or ''.
 */
export const NEWEST = script(
  EPOCH,
  `
local results = {}
for i = 1, #KEYS, 2 do
  local begins = ARGV[(i + 3) / 2] == '1'
  local epoch, newest, isNew = current(KEYS[i], ARGV[1], begins, ${POSITION_LIFETIME})
  if epoch == nil then return redis.error_reply(newest) end
  if isNew then redis.call('DEL', KEYS[i + 1]) end
  if epoch and not isNew then redis.call('PEXPIRE', KEYS[i], ${POSITION_LIFETIME}, 'GT') end
  results[#results + 1] = epoch or ''
  results[#results + 1] = newest or 0
end
return results
`,
);
