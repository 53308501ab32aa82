-- Decides who is listed. Included by every script that changes a user's sockets or busy state. Instants are
-- epoch milliseconds. Values of ns:sockets:<user>: "<joined>:<hidden since or 0>:<process>"; "linger" ->
-- instant.
local HIDDEN_MS, LINGER_MS, SOCKETS_SECONDS = 15000, 10000, 604800

local function text(number) return string.format('%.0f', number) end

-- Is the user joined and not away, and when must that be checked again?
local function presence_of(user, now)
  local joined, due = false, nil
  local flat = redis.call('HGETALL', 'ns:sockets:' .. user)
  for i = 1, #flat, 2 do
    local ends = nil
    if flat[i] == 'linger' then
      ends = tonumber(flat[i + 1])
    else
      local is_joined, hidden = string.match(flat[i + 1], '^(%d):(%d+):')
      if is_joined == '1' then
        if hidden == '0' then joined = true else ends = tonumber(hidden) + HIDDEN_MS end
      end
    end
    if ends and ends > now then
      joined = true
      if not due or ends < due then due = ends end
    end
  end
  return joined, due
end

-- Adds the user to the queue or removes them, and notifies every process.
-- Returns 1 if listed.
local function settle(user, now)
  local joined, due = presence_of(user, now)
  if due then redis.call('ZADD', 'ns:away', text(due), user) else redis.call('ZREM', 'ns:away', user) end
  local score = redis.call('ZSCORE', 'ns:queue', user)
  if joined and redis.call('EXISTS', 'ns:busy:' .. user) == 0 then
    if not score then
      -- Never shown: a small number, in order of joining, before all who have been shown.
      local place = redis.call('ZSCORE', 'ns:shown', user) or string.format('%.3f', now / 1000)
      redis.call('ZADD', 'ns:queue', place, user)
      redis.call('ZREM', 'ns:shown', user)
      redis.call('HSET', 'ns:came', user, text(now))
      redis.call('PUBLISH', 'ns:c:queue', '|+' .. user)
    end
    return 1
  end
  if score then
    redis.call('ZREM', 'ns:queue', user)
    redis.call('ZADD', 'ns:shown', score, user)
    redis.call('HDEL', 'ns:came', user)
    redis.call('PUBLISH', 'ns:c:queue', '|-' .. user)
  end
  return 0
end

-- Keeps a user listed until an instant without a socket. The hash of sockets may have been deleted with its
-- last one.
local function linger(user, until_ms)
  redis.call('HSET', 'ns:sockets:' .. user, 'linger', until_ms)
  redis.call('EXPIRE', 'ns:sockets:' .. user, SOCKETS_SECONDS)
end

local function has_sockets(user)
  local count = redis.call('HLEN', 'ns:sockets:' .. user)
  return count - redis.call('HEXISTS', 'ns:sockets:' .. user, 'linger') > 0
end

-- The ringing invite of which this user is the caller, or nil.
local function outgoing_invite(user)
  local busy = redis.call('GET', 'ns:busy:' .. user)
  local invite = busy and string.match(busy, '^invite:(.+)$')
  if invite and redis.call('HGET', 'ns:invite:' .. invite, 'caller') == user then return invite end
  return nil
end
