-- Adds ARGV[2] to a counter; a new one lives ARGV[3] milliseconds. Answers the sum.
local version = entry.version()
local _, value = entry.read(version)
if not value then
  return entry.write(version, ARGV[2], ARGV[3]) or tonumber(ARGV[2])
end
redis.call('HSET', KEYS[4], 'token', ARGV[1])
return redis.call('HINCRBY', KEYS[4], 'value', ARGV[2])
