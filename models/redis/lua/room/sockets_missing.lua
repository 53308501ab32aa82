-- include: room.settle
-- Extends the life of these sockets. Returns those that are missing, or whose user is missing among those online.
-- ARGV: user, socket, has_access (1|0), …
local missing = {}
for i = 1, #ARGV, 3 do
  local key = 'ns:sockets:' .. ARGV[i]
  local is_known = redis.call('HEXISTS', key, ARGV[i + 1]) == 1 and redis.call('EXPIRE', key, SOCKETS_SECONDS)
  if not is_known or (ARGV[i + 2] == '1' and redis.call('SISMEMBER', 'ns:online', ARGV[i]) == 0) then
    table.insert(missing, ARGV[i + 1])
  end
end
return missing
