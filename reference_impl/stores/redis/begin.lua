-- Marks the families KEYS as changing, for at most ARGV[2] milliseconds. ARGV[1]: the change's name.
local time = redis.call('TIME')
local ends = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[2])
for _, family in ipairs(KEYS) do
  redis.call('ZADD', family, ends, ARGV[1])
  redis.call('PEXPIRE', family, ARGV[2])
end
return 1
