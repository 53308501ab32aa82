-- ARGV: invite, caller, socket, now, late after ms. The socket replaces the inviting one if it is of the same
-- tab, or if the inviting one is gone: not among the caller's sockets, or its process has missed a heartbeat.
-- Returns 1 if it did.
local key = 'ns:invite:' .. ARGV[1]
local body = redis.call('HMGET', key, 'caller', 'socket')
if body[1] ~= ARGV[2] or body[2] == ARGV[3] then return 0 end
local tab = string.match(ARGV[3], '^(.+)%.')
local value = redis.call('HGET', 'ns:sockets:' .. ARGV[2], body[2])
if value and not (tab and tab == string.match(body[2], '^(.+)%.')) then
  local beat = redis.call('ZSCORE', 'ns:processes', string.match(value, '^%d:%d+:(.*)$'))
  if beat and tonumber(beat) > tonumber(ARGV[4]) - tonumber(ARGV[5]) then return 0 end
end
redis.call('HSET', key, 'socket', ARGV[3])
return 1
