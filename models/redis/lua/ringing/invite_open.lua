-- include: room.settle
-- ARGV: invite, caller, callee, seconds, now, deadline, cools (1|0), linger ms, caller's socket, in a call
-- (1|0), hidden (1|0).
-- A hidden callee is looked up like any other: the time of the answer does not tell a block from an absence.
-- Returns {'ringing'} | {'offline'} | {'cooldown'} | {'busy'} | {'glare', the other user's invite}
local invite, caller, callee, now, deadline = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local callee_busy = redis.call('GET', 'ns:busy:' .. callee)
local is_away = not callee_busy and not presence_of(callee, now)
if is_away or ARGV[11] == '1' then return {'offline'} end
if ARGV[7] == '1' then return {'cooldown'} end
local other = callee_busy and string.match(callee_busy, '^invite:(.+)$')
if other and redis.call('HGET', 'ns:invite:' .. other, 'caller') == callee and
    redis.call('HGET', 'ns:invite:' .. other, 'callee') == caller then
  return {'glare', other}
end
if callee_busy or ARGV[10] == '1' or redis.call('EXISTS', 'ns:busy:' .. caller) == 1 then return {'busy'} end
redis.call('HSET', 'ns:invite:' .. invite, 'caller', caller, 'callee', callee, 'seconds', ARGV[4], 'deadline', ARGV[6],
  'extends', 0, 'settling', 0, 'socket', ARGV[9])
local ttl = deadline - now + tonumber(ARGV[8])
redis.call('PEXPIRE', 'ns:invite:' .. invite, text(ttl))
redis.call('ZADD', 'ns:invites', ARGV[6], invite)
for _, user in ipairs({caller, callee}) do
  redis.call('SET', 'ns:busy:' .. user, 'invite:' .. invite, 'PX', text(ttl))
  settle(user, now)
end
return {'ringing'}
