-- include: room.settle
-- Joins, leaves, hides or shows one socket.
-- ARGV: user, socket, now, joined (1|0|-), hidden since (ms|0|-)
local user, now = ARGV[1], tonumber(ARGV[3])
local key = 'ns:sockets:' .. user
local value = redis.call('HGET', key, ARGV[2])
if value then
  local joined, hidden, process = string.match(value, '^(%d):(%d+):(.*)$')
  if ARGV[4] ~= '-' then joined = ARGV[4] end
  if ARGV[5] ~= '-' then hidden = ARGV[5] end
  redis.call('HSET', key, ARGV[2], joined .. ':' .. hidden .. ':' .. process)
  redis.call('EXPIRE', key, SOCKETS_SECONDS)
  -- An explicit leave takes effect at once.
  if ARGV[4] == '0' then redis.call('HDEL', key, 'linger') end
end
return settle(user, now)
