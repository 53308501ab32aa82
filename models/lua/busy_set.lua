-- include: settle
-- ARGV: now, value, ttl ms, users… Marks people busy (a live call), whatever they were before.
for i = 4, #ARGV do
  redis.call('SET', 'ns:busy:' .. ARGV[i], ARGV[2], 'PX', ARGV[3])
  settle(ARGV[i], tonumber(ARGV[1]))
end
return 1
