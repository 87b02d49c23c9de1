-- What the cache's scripts share. KEYS: epoch, generation of the family, changes under way in it, the entry.
-- ARGV[1]: a value that was never used, for what has to differ from everything before.
local entry = {}

-- The family as it is now; a generation that is missing (evicted, flushed) is drawn anew, so that it equals no old one.
function entry.version()
  local generation = redis.call('GET', KEYS[2])
  if not generation then
    generation = ARGV[1]
    redis.call('SET', KEYS[2], generation)
  end
  return (redis.call('GET', KEYS[1]) or '') .. '|' .. generation
end

function entry.changing()
  if redis.call('EXISTS', KEYS[3]) == 0 then
    return false
  end
  local time = redis.call('TIME')
  return redis.call('ZCOUNT', KEYS[3], tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000), '+inf') > 0
end

-- The entry's token and value; a token without a value is the trace of a delete, which no value made before may follow.
function entry.read(version)
  local held = redis.call('HMGET', KEYS[4], 'version', 'token', 'value')
  if held[1] ~= version then
    return '', false
  end
  return held[2], held[3]
end

-- What stands first decides where Redis's memory is full: a value is refused then, and answered is its error; the trace
-- of a delete is not.
function entry.write(version, value, age_ms)
  if value then
    local done = redis.pcall('HSET', KEYS[4], 'version', version, 'token', ARGV[1], 'value', value)
    if type(done) == 'table' and done.err then
      redis.call('DEL', KEYS[4])
      return done
    end
  else
    redis.call('DEL', KEYS[4])
    redis.call('HSET', KEYS[4], 'version', version, 'token', ARGV[1])
  end
  redis.call('PEXPIRE', KEYS[4], age_ms)
end

