-- ARGV: now, invites… Makes rings due at once unless they are leased.
for i = 2, #ARGV do
  if redis.call('HGET', 'ns:invite:' .. ARGV[i], 'settling') == '0' then redis.call('ZADD', 'ns:invites', 'XX', ARGV[1], ARGV[i]) end
end
return 1
