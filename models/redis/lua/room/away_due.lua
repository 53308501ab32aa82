-- include: room.settle
-- ARGV: now. Checks every user whose listing was due for a check.
local now = tonumber(ARGV[1])
for _, user in ipairs(redis.call('ZRANGEBYSCORE', 'ns:away', '-inf', ARGV[1], 'LIMIT', 0, 200)) do
  local linger = redis.call('HGET', 'ns:sockets:' .. user, 'linger')
  if linger and tonumber(linger) <= now then redis.call('HDEL', 'ns:sockets:' .. user, 'linger') end
  settle(user, now)
end
redis.call('ZREMRANGEBYSCORE', 'ns:shown', '-inf', text(now - 86400000))
return 1
