-- Lets an entry live ARGV[2] milliseconds from now. Answers 1, or 0 when it is not there.
local _, value = entry.read(entry.version())
return value and redis.call('PEXPIRE', KEYS[4], ARGV[2]) or 0
