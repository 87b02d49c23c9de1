-- Keeps ARGV[2] for ARGV[3] milliseconds; without a value it leaves the trace of a delete.
local value = ARGV[2] ~= '' and string.sub(ARGV[2], 2)
return entry.write(entry.version(), value, ARGV[3]) or 1
