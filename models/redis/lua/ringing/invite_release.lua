-- include: room.settle
-- Removes a ring whose outcome is decided.
-- ARGV: invite, caller, callee, now, call id or '', call ttl ms, inviting socket.
-- Returns 1 if the inviting socket still exists (it gets call:start; otherwise all the caller's sockets do),
-- and its id.
local invite, now = ARGV[1], tonumber(ARGV[4])
local key = 'ns:invite:' .. invite
local socket = redis.call('HGET', key, 'socket') or ARGV[7]
for _, user in ipairs({ARGV[2], ARGV[3]}) do
  local busy = redis.call('GET', 'ns:busy:' .. user)
  if busy == 'invite:' .. invite or (ARGV[5] ~= '' and not busy) then
    if ARGV[5] == '' then
      redis.call('DEL', 'ns:busy:' .. user)
    else
      redis.call('SET', 'ns:busy:' .. user, 'call:' .. ARGV[5], 'PX', ARGV[6])
    end
  end
  settle(user, now)
end
redis.call('DEL', key)
redis.call('ZREM', 'ns:invites', invite)
redis.call('ZREM', 'ns:gone', invite)
return {redis.call('HEXISTS', 'ns:sockets:' .. ARGV[2], socket), socket}
