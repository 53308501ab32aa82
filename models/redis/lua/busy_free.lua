-- include: settle
-- ARGV: now, value, users… Frees people who are busy with exactly this. Returns 1 when the last of them is listed now.
local listed = 0
for i = 3, #ARGV do
  if redis.call('GET', 'ns:busy:' .. ARGV[i]) == ARGV[2] then redis.call('DEL', 'ns:busy:' .. ARGV[i]) end
  listed = settle(ARGV[i], tonumber(ARGV[1]))
end
return listed
