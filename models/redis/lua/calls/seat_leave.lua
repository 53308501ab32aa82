-- ARGV: call, side, seat. Empties the seat only for its current holder.
local key = 'ns:seat:' .. ARGV[1] .. ':' .. ARGV[2]
if redis.call('GET', key) == ARGV[3] then return redis.call('DEL', key) end
return 0
