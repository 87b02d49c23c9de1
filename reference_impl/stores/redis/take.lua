-- Counts one request in the sliding-window log KEYS[1], unless its quota is spent: one atomic step, its end of life included.
-- ARGV: quota, window in microseconds, now in microseconds or nothing for the server's clock.
-- Answers: admitted (1, 0), admissions in the window, the oldest's instant, now, the admission's name.
local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = tonumber(ARGV[3])
if not clock then
  local time = redis.call('TIME')
  clock = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- A clock that was set back must not let old admissions look like future ones: within a log, time never falls.
local now, sequence = clock, 0
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if newest[1] then
  now = math.max(clock, tonumber(newest[2]))
  sequence = (tonumber(string.match(newest[1], '-(%d+)$')) + 1) % 1000000000
end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[1])
local ticket = ''
if count < quota then
  ticket = string.format('%016.0f-%09d', now, sequence)
  redis.call('ZADD', KEYS[1], now, ticket)
  redis.call('PEXPIRE', KEYS[1], math.ceil((now - clock + window) / 1000))
  count = count + 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {ticket ~= '' and 1 or 0, count, tonumber(oldest[2] or now), now, ticket}
