-- Load for wrk, out of the environment: either one GET per message or the same POST again and again.
--
--   PATHS       paths separated by blanks, taken in turn; the number of the message in eight digits, the text's
--               first word "m<number>" and the rest of the text are put behind its commas (see `request`)
--   FIRST       number of the first message
--   REST        what follows the first word of every text, as it stands in a URL
--   BODY, TYPE  a file with the body of a POST, and its content type

local paths = {}
for path in (os.getenv("PATHS") or ""):gmatch("%S+") do
  local before, between = path:match("^(.-),(.*),$")
  paths[#paths + 1] = { before or path, between }
end
local number = tonumber(os.getenv("FIRST") or "1") - 1
local rest = os.getenv("REST") or "+Hello+this+is+a+benchmark+message+of+normal+length"
local format = string.format

function init()
  local file = os.getenv("BODY")
  if file then
    local handle = assert(io.open(file, "rb"))
    wrk.method, wrk.body = "POST", handle:read("*a")
    wrk.headers["Content-Type"] = os.getenv("TYPE")
    if os.getenv("KEY") then
      wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
    end
    handle:close()
  end
end

function request()
  number = number + 1
  local path = paths[number % #paths + 1]
  if not path[2] then
    return wrk.format(nil, path[1])
  end
  return wrk.format("GET", format("%s%08d%sm%d%s", path[1], number, path[2], number, rest))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(format(
    "RESULT requests=%d microseconds=%d refused=%d broken=%d p50=%d p99=%d max=%d\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
