-- Keeps ARGV[4] for ARGV[5] milliseconds, if version ARGV[2] and token ARGV[3] are still those that were seen before it was made.
local version = entry.version()
if entry.changing() or version ~= ARGV[2] or entry.read(version) ~= ARGV[3] then
  return 0
end
return entry.write(version, ARGV[4], ARGV[5]) or 1
