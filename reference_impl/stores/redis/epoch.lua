-- Makes ARGV[1], the server's run, the epoch KEYS[1] of the cache; the delete comes first, as then a full memory refuses nothing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1], ARGV[1])
end
return 1
