/**
 * What Redis does as one step for the cache. Under `prefix`:
 * - `at:{projection}`, a hash: `of`, how many shards; `0`, `1` …, how far each shard's changes are
 *   recorded without a gap; `epoch`, a new id each time that everything may have changed;
 * - `tag:{epoch} {tag}`: the last position within the epoch that changed what has this tag. Only tags
 *   of kept answers are there: a change of others need not be recorded;
 * - an answer, a hash: `stamp`, a new id with every change; `meta`, the positions, epochs and tags
 *   under which it is true; `text`, the answer as JSON.
 * Any of these may be evicted or lost at any time: an answer counts only while all that it needs is there.
 */

/** Positions are decimal strings without leading zeros; as Lua's numbers large ones would be rounded. */
const LATER = `
local function later(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
`;

/** KEYS: the answer. ARGV: prefix, projections … → states, stamp, meta, text, the tags' positions, its time to live. */
export const FIND = `
local states, positions, ttl = {}, {}, 0
for i = 2, #ARGV do states[i - 1] = redis.call('HGETALL', ARGV[1] .. 'at:' .. ARGV[i]) end
local answer = redis.call('HMGET', KEYS[1], 'stamp', 'meta', 'text')
if answer[2] then
  ttl = redis.call('PTTL', KEYS[1])
  local meta = cjson.decode(answer[2])
  for i, tag in ipairs(meta.tags) do
    positions[i] = redis.call('GET', ARGV[1] .. 'tag:' .. meta.epochs[tag[1]] .. ' ' .. tag[2]) or ''
  end
end
return { states, answer[1] or '', answer[2] or '', answer[3] or '', positions, ttl }
`;

/**
 * KEYS: the answer. ARGV: prefix, the stamp that was found, a new one, time to live, that of tags,
 * meta, text; an empty meta for nothing to keep. What may not be kept takes what is there with it: it
 * was answered with, and nothing older may follow.
 */
export const KEEP = `
${LATER}
local prefix, ttl, tagTtl, meta = ARGV[1], ARGV[4], ARGV[5], ARGV[6]
local good = meta ~= '' and (redis.call('HGET', KEYS[1], 'stamp') or '') == ARGV[2]
if good then
  local decoded = cjson.decode(meta)
  local newest = {}
  for projection, epoch in pairs(decoded.epochs) do
    local state = redis.call('HGETALL', prefix .. 'at:' .. projection)
    newest[projection] = '0'
    local known = ''
    for i = 1, #state, 2 do
      if state[i] == 'epoch' then known = state[i + 1]
      elseif state[i] ~= 'of' and later(state[i + 1], newest[projection]) then newest[projection] = state[i + 1] end
    end
    if known ~= epoch then good = false end
  end
  if good then
    for _, tag in ipairs(decoded.tags) do
      local key = prefix .. 'tag:' .. decoded.epochs[tag[1]] .. ' ' .. tag[2]
      local at = redis.call('GET', key)
      if not at then
        -- It may have been there and got lost: whatever it was, it was not later than this.
        at = newest[tag[1]]
        redis.call('SET', key, at, 'PX', tagTtl)
      else
        redis.call('PEXPIRE', key, tagTtl)
      end
      if later(at, decoded.asOf[tag[1]]) then good = false end
    end
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'stamp', ARGV[3])
if good then redis.call('HSET', KEYS[1], 'meta', meta, 'text', ARGV[7]) end
redis.call('PEXPIRE', KEYS[1], ttl)
return good and 1 or 0
`;

/** ARGV: prefix, position, a new epoch, time to live of tags, the projections as JSON. */
export const RECORD = `
${LATER}
local prefix, position, epoch, tagTtl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
for _, moved in ipairs(cjson.decode(ARGV[5])) do
  local key = prefix .. 'at:' .. moved.name
  local of, field = tostring(moved.of), tostring(moved.index)
  local state = redis.call('HMGET', key, 'epoch', 'of', field)
  if state[2] ~= of then redis.call('DEL', key) end
  local known = state[2] == of and state[3] or '0'
  if not state[1] or state[2] ~= of or moved.tags == 'all' or later(moved.from, known) then
    redis.call('HSET', key, 'epoch', epoch, 'of', of)
  elseif later(position, known) then
    for _, tag in ipairs(moved.tags) do
      local tagKey = prefix .. 'tag:' .. state[1] .. ' ' .. tag
      local at = redis.call('GET', tagKey)
      if at and later(position, at) then redis.call('SET', tagKey, position, 'PX', tagTtl) end
    end
  end
  if later(position, known) then redis.call('HSET', key, field, position) end
end
return 1
`;
