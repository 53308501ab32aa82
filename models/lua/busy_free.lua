-- include: settle
-- ARGV: now, value, users… Frees people who are busy with exactly this.
for i = 3, #ARGV do
  if redis.call('GET', 'ns:busy:' .. ARGV[i]) == ARGV[2] then redis.call('DEL', 'ns:busy:' .. ARGV[i]) end
  settle(ARGV[i], tonumber(ARGV[1]))
end
return 1
