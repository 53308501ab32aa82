-- include: room.settle
-- ARGV: now, value, users… Frees the users who are busy with exactly this value.
-- Returns 1 if the last of them is listed now.
local listed = 0
for i = 3, #ARGV do
  if redis.call('GET', 'ns:busy:' .. ARGV[i]) == ARGV[2] then redis.call('DEL', 'ns:busy:' .. ARGV[i]) end
  listed = settle(ARGV[i], tonumber(ARGV[1]))
end
return listed
