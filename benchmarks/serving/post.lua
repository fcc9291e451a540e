-- wrk script: POSTs the bodies of a folder in turn; gap_ms > 0 sends one each gap_ms, on whatever connection is free.
-- wrk -t1 ... -s post.lua URL -- FOLDER COUNT CONTENT_TYPE GAP_MS even|random SEED
local ffi = require("ffi")
ffi.cdef[[
   typedef struct { long s, us; } timeval;
   int gettimeofday(timeval *, void *);
]]
local clock = ffi.new("timeval")
local requests, turn, gap_ms, random, due_ms = {}, 0, 0, false, nil

function init(args)
   local folder, count, content_type = args[1], tonumber(args[2]), args[3]
   gap_ms, random = tonumber(args[4]), args[5] == "random"
   math.randomseed(tonumber(args[6]))
   for number = 0, count - 1 do
      local file = assert(io.open(folder .. "/" .. number, "rb"))
      requests[number] = wrk.format("POST", nil, {["Content-Type"] = content_type}, file:read("*a"))
      file:close()
   end
   if gap_ms <= 0 then delay = nil end
end

function request()
   turn = (turn + 1) % (#requests + 1)
   return requests[turn]
end

local function now_ms()
   ffi.C.gettimeofday(clock, nil)
   return tonumber(clock.s) * 1000 + tonumber(clock.us) / 1000
end

-- The next request's time is fixed before the last one's answer is there, so that a slow answer does not delay it.
-- Exponential gaps are those of independent clients.
function delay()
   local now = now_ms()
   due_ms = (due_ms or now) + (random and -math.log(1 - math.random()) or 1) * gap_ms
   return math.max(0, math.floor(due_ms - now + 0.5))
end

function done(summary, latency)
   io.write(string.format(
      '\n{"requests": %d, "duration_us": %d, "p50_us": %.1f, "p99_us": %.1f, "max_us": %.1f, "bad_status": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
      summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
