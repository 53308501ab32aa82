-- include: room.settle
-- ARGV: now, ttl ms, user, value, … Marks users busy with an active call, replacing any earlier value.
for i = 3, #ARGV, 2 do
  local key = 'ns:busy:' .. ARGV[i]
  local was = redis.call('GET', key)
  redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[2])
  if not was then settle(ARGV[i], tonumber(ARGV[1])) end
end
return 1
