-- include: room.settle
-- ARGV: user, socket, process, now, gone after ms, is the user's last socket on this process (1|0)
local user, now = ARGV[1], tonumber(ARGV[4])
local key = 'ns:sockets:' .. user
local value = redis.call('HGET', key, ARGV[2])
if not value then return settle(user, now) end
redis.call('HDEL', key, ARGV[2])
-- Leaving a page keeps the user listed for ten seconds, so that a reload does not flicker.
if string.sub(value, 1, 1) == '1' then linger(user, text(now + LINGER_MS)) end
if ARGV[6] == '1' then redis.call('SREM', 'ns:process-users:' .. ARGV[3], user) end
if not has_sockets(user) then
  redis.call('SREM', 'ns:online', user)
  local invite = outgoing_invite(user)
  if invite then redis.call('ZADD', 'ns:gone', text(now + tonumber(ARGV[5])), invite) end
end
return settle(user, now)
