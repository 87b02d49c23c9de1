-- ARGV[2]: the token of what the caller holds. Answers: version, changing (1, 0), token, what is left of its age, value;
-- the value is left out (0) where there is none and (1) where the caller holds it.
local version = entry.version()
local token, value = entry.read(version)
local changing = entry.changing() and 1 or 0
if not value then
  return {version, changing, token, 0, 0}
end
return {version, changing, token, redis.call('PTTL', KEYS[4]), token == ARGV[2] and 1 or value}
