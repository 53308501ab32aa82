-- ARGV: call, side, seat, ttl s. Takes the seat and returns the stored frames, in order.
redis.call('SET', 'ns:seat:' .. ARGV[1] .. ':' .. ARGV[2], ARGV[3], 'EX', ARGV[4])
local key = 'ns:parked:' .. ARGV[1] .. ':' .. ARGV[2]
local frames = redis.call('LRANGE', key, 0, -1)
redis.call('DEL', key)
return frames
