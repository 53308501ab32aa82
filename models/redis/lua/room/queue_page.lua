-- One page of the queue for one viewer. The cost grows with how far the viewer has paged, not with how many
-- users are online.
-- ARGV: viewer, now, instant of the first page, is first (1|0), limit, count-once ms, number hidden, number
-- introduced, hidden…, introduced… (first on the first page), cooling… (soonest first).
-- Returns {1 if more are left, online users, ids…} and publishes to the viewer's sockets what was delivered.
local viewer, now, since, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local is_first, seen, counted = ARGV[4] == '1', 'ns:seen:' .. ARGV[1], 'ns:counted:' .. ARGV[1]
local skip, cooling = {[viewer] = true}, {}
local after_hidden = 8 + tonumber(ARGV[7])
local after_introduced = after_hidden + tonumber(ARGV[8])
for i = 9, after_hidden do skip[ARGV[i]] = true end
for i = after_introduced + 1, #ARGV do
  if not skip[ARGV[i]] then table.insert(cooling, ARGV[i]) end
  skip[ARGV[i]] = true
end

-- Not on the viewer's screen: not delivered since the first page, or left and returned since delivery.
local function is_fresh(mark, came)
  mark = tonumber(mark)
  return is_first or not mark or mark < since or (came and mark < tonumber(came))
end

local page, offset = {}, 0
for i = after_hidden + 1, is_first and after_introduced or 0 do
  if #page < limit and not skip[ARGV[i]] and redis.call('ZSCORE', 'ns:queue', ARGV[i]) then
    table.insert(page, ARGV[i])
    skip[ARGV[i]] = true
  end
end
while #page <= limit do
  local batch = redis.call('ZRANGE', 'ns:queue', offset, offset + 63)
  if #batch == 0 then break end
  local marks = redis.call('ZMSCORE', seen, unpack(batch))
  local came = redis.call('HMGET', 'ns:came', unpack(batch))
  for i, id in ipairs(batch) do
    if not skip[id] and is_fresh(marks[i], came[i]) then
      table.insert(page, id)
      if #page > limit then break end
    end
  end
  offset = offset + 64
end
-- Users on cooldown with the viewer come last.
for _, id in ipairs(cooling) do
  if #page > limit then break end
  if redis.call('ZSCORE', 'ns:queue', id) and is_fresh(redis.call('ZSCORE', seen, id), redis.call('HGET', 'ns:came', id)) then
    table.insert(page, id)
  end
end
local more = #page > limit
if more then table.remove(page) end

for _, id in ipairs(page) do
  local last = redis.call('ZSCORE', counted, id)
  if not last or tonumber(last) <= tonumber(now) - tonumber(ARGV[6]) then
    redis.call('ZADD', 'ns:queue', 'XX', now, id)
    redis.call('ZADD', counted, now, id)
  end
  -- Not before their arrival, even if the page's instant is from before it and clocks differ slightly.
  local came = redis.call('HGET', 'ns:came', id)
  redis.call('ZADD', seen, came and tonumber(came) > tonumber(now) and came or now, id)
end
for _, key in ipairs({seen, counted}) do
  redis.call('ZREMRANGEBYRANK', key, 0, -2001)
  redis.call('EXPIRE', key, 3600)
end
local ids = #page > 0 and ('"' .. table.concat(page, '","') .. '"') or ''
redis.call('PUBLISH', 'ns:c:user:' .. viewer, '|{"type":"delivered","ids":[' .. ids .. '],"more":' .. tostring(more) ..
  ',"first":' .. tostring(is_first) .. '}')
return {more and 1 or 0, redis.call('SCARD', 'ns:online'), unpack(page)}
