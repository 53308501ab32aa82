-- ARGV: now, lease ms.
-- Returns the rings that have expired or whose caller is gone, leased to this process; after a crash the
-- lease expires and they are due again.
-- Returns {invite, outcome, caller, callee, …}
local answer = {}
local function take(set, outcome)
  for _, invite in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', ARGV[1], 'LIMIT', 0, 100)) do
    local people = redis.call('HMGET', 'ns:invite:' .. invite, 'caller', 'callee')
    if people[1] then
      redis.call('HSET', 'ns:invite:' .. invite, 'settling', 1)
      redis.call('ZADD', set, string.format('%.0f', tonumber(ARGV[1]) + tonumber(ARGV[2])), invite)
      for _, value in ipairs({invite, outcome, people[1], people[2]}) do table.insert(answer, value) end
    else
      redis.call('ZREM', set, invite)
    end
  end
end
take('ns:gone', 'gone')
take('ns:invites', 'missed')
return answer
