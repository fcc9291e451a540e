-- wrk script: POSTs the bodies of a folder in turn; mean_ms > 0 pauses each connection for random times of that mean.
-- wrk ... -s post.lua URL -- FOLDER COUNT CONTENT_TYPE MEAN_MS
local requests, turn, mean_ms = {}, 0, 0

function setup(thread)
   thread:set("seed", os.time())
end

function init(args)
   local folder, count, content_type = args[1], tonumber(args[2]), args[3]
   mean_ms = tonumber(args[4])
   math.randomseed(seed)
   for number = 0, count - 1 do
      local file = assert(io.open(folder .. "/" .. number, "rb"))
      requests[number] = wrk.format("POST", nil, {["Content-Type"] = content_type}, file:read("*a"))
      file:close()
   end
   if mean_ms <= 0 then delay = nil end
end

function request()
   turn = (turn + 1) % (#requests + 1)
   return requests[turn]
end

-- Exponential pauses make the requests of many connections arrive as those of independent clients do.
function delay()
   return math.floor(-math.log(1 - math.random()) * mean_ms + 0.5)
end

function done(summary, latency)
   io.write(string.format(
      '\n{"requests": %d, "duration_us": %d, "p50_us": %.1f, "p99_us": %.1f, "max_us": %.1f, "bad_status": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
      summary.errors.status, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
