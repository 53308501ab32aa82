-- ARGV: call, side, seat, … Empties each seat unless a newer socket has it.
for i = 1, #ARGV, 3 do
  local key = 'ns:seat:' .. ARGV[i] .. ':' .. ARGV[i + 1]
  if redis.call('GET', key) == ARGV[i + 2] then redis.call('DEL', key) end
end
return 1
