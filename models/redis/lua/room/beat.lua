-- ARGV: process, now, dead after ms.
-- Returns {1 if this process was known, dead processes…}
local known = redis.call('ZSCORE', 'ns:processes', ARGV[1]) and 1 or 0
redis.call('ZADD', 'ns:processes', ARGV[2], ARGV[1])
local answer = {known}
local dead = redis.call('ZRANGEBYSCORE', 'ns:processes', '-inf', string.format('%.0f', tonumber(ARGV[2]) - tonumber(ARGV[3])))
for _, process in ipairs(dead) do table.insert(answer, process) end
return answer
