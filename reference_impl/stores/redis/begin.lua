-- Marks the families KEYS as changing, for at most ARGV[2] milliseconds. ARGV[1]: the change's name.
-- Marks that are over go first: after a command that takes no memory Redis, where its own is full, lets a script go on.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for _, family in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', family, '-inf', now - 1)
  redis.call('ZADD', family, now + tonumber(ARGV[2]), ARGV[1])
  redis.call('PEXPIRE', family, ARGV[2])
end
return 1
