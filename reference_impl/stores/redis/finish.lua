-- Ends the change ARGV[1]: KEYS are, for each family, its changes under way and its generation, which ARGV[2] follows.
for at = 1, #KEYS, 2 do
  redis.call('ZREM', KEYS[at], ARGV[1])
  redis.call('SET', KEYS[at + 1], ARGV[2])
end
return 1
