-- ARGV: call, receiving side, frame, most frames, most bytes, ttl s. Publishes to a taken seat at once;
-- otherwise the frame is stored for the seat.
if redis.call('EXISTS', 'ns:seat:' .. ARGV[1] .. ':' .. ARGV[2]) == 1 then
  redis.call('PUBLISH', 'ns:c:call:' .. ARGV[1], '|{"type":"tell","side":"' .. ARGV[2] .. '","frame":' .. ARGV[3] .. '}')
  return 1
end
local key = 'ns:parked:' .. ARGV[1] .. ':' .. ARGV[2]
local bytes = 0
local waiting = redis.call('LRANGE', key, 0, -1)
for _, frame in ipairs(waiting) do bytes = bytes + #frame end
if #waiting >= tonumber(ARGV[4]) or bytes + #ARGV[3] > tonumber(ARGV[5]) then return 0 end
redis.call('RPUSH', key, ARGV[3])
redis.call('EXPIRE', key, ARGV[6])
return 1
