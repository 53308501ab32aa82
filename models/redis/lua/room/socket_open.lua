-- include: room.settle
-- ARGV: user, socket, process, now, has_access (1|0), joined (1|0), hidden since
local user, socket, process, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
redis.call('HSET', 'ns:sockets:' .. user, socket, ARGV[6] .. ':' .. ARGV[7] .. ':' .. process)
redis.call('EXPIRE', 'ns:sockets:' .. user, SOCKETS_SECONDS)
redis.call('SADD', 'ns:process-users:' .. process, user)
redis.call('EXPIRE', 'ns:process-users:' .. process, SOCKETS_SECONDS)
if ARGV[5] == '1' then redis.call('SADD', 'ns:online', user) end
local invite = outgoing_invite(user)
if invite then redis.call('ZREM', 'ns:gone', invite) end
return {settle(user, now), redis.call('GET', 'ns:busy:' .. user) or ''}
