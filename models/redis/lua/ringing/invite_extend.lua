-- include: room.settle
-- ARGV: invite, caller, now, added ms, most, linger ms. Returns {'extended', deadline, callee} | {'not_found'} | {'conflict'}
local key = 'ns:invite:' .. ARGV[1]
local body = redis.call('HMGET', key, 'caller', 'callee', 'deadline', 'extends', 'settling')
if body[1] ~= ARGV[2] then return {'not_found'} end
if body[5] ~= '0' or tonumber(body[4]) >= tonumber(ARGV[5]) or tonumber(body[3]) <= tonumber(ARGV[3]) then return {'conflict'} end
local deadline = tonumber(body[3]) + tonumber(ARGV[4])
redis.call('HSET', key, 'deadline', text(deadline))
redis.call('HINCRBY', key, 'extends', 1)
redis.call('ZADD', 'ns:invites', text(deadline), ARGV[1])
local ttl = text(deadline - tonumber(ARGV[3]) + tonumber(ARGV[6]))
for _, name in ipairs({key, 'ns:busy:' .. body[1], 'ns:busy:' .. body[2]}) do redis.call('PEXPIRE', name, ttl) end
return {'extended', text(deadline), body[2]}
