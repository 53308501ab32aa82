-- include: room.settle
-- Removes a process and its sockets, for a limited number of users at a time.
-- ARGV: process, now, linger ms, gone after ms, since its last beat (1) or now (0), most.
-- Returns {number of users handled, number left}; the process stays listed until none is left.
local process, now = ARGV[1], tonumber(ARGV[2])
local since = ARGV[5] == '1' and tonumber(redis.call('ZSCORE', 'ns:processes', process)) or now
local lingers_until = text(since + tonumber(ARGV[3]))
local users = redis.call('SPOP', 'ns:process-users:' .. process, ARGV[6])
for _, user in ipairs(users) do
  local key, was_joined = 'ns:sockets:' .. user, false
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    if string.match(flat[i + 1], '^%d:%d+:(.*)$') == process then
      redis.call('HDEL', key, flat[i])
      was_joined = was_joined or string.sub(flat[i + 1], 1, 1) == '1'
    end
  end
  if was_joined then linger(user, lingers_until) end
  if not has_sockets(user) then
    redis.call('SREM', 'ns:online', user)
    local invite = outgoing_invite(user)
    if invite then redis.call('ZADD', 'ns:gone', text(now + tonumber(ARGV[4])), invite) end
  end
  settle(user, now)
end
local left = redis.call('SCARD', 'ns:process-users:' .. process)
if left == 0 then redis.call('ZREM', 'ns:processes', process) end
return {#users, left}
