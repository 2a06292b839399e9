-- Requests as the environment tells; what came of them is printed as one line of JSON.
-- A file of values in BENCH_POOL fills the %s in the body, each value once; where BENCH_YIELD is a pattern,
-- what it captures in an answer is a value for another request. A file of turns in BENCH_TURNS has a line for each
-- request in turn, an Authorization header and a body with a %d in it for a number that no other request has.
wrk.method = os.getenv("BENCH_METHOD")
wrk.body = os.getenv("BENCH_BODY")
for name, value in os.getenv("BENCH_HEADERS"):gmatch("([^\n]-): ([^\n]*)") do
  wrk.headers[name] = value
end

local pool, yield = os.getenv("BENCH_POOL"), os.getenv("BENCH_YIELD")
if pool then
  local body, values = wrk.body, {}
  for line in io.lines(pool) do values[#values + 1] = line end

  function request()
    local value = table.remove(values)
    if not value then error("the pool of values is empty") end
    return wrk.format(nil, nil, nil, body:format(value))
  end

  if yield then
    function response(status, headers, answer)
      values[#values + 1] = answer:match(yield)
    end
  end
end

local turns = os.getenv("BENCH_TURNS")
if turns then
  local lines, turn = {}, math.floor(tonumber(os.getenv("BENCH_FIRST")))
  for line in io.lines(turns) do lines[#lines + 1] = {line:match("(.-)\t(.*)")} end
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end

  function request()
    turn = turn + 1
    local line = lines[turn % #lines + 1]
    headers["Authorization"] = line[1]
    return wrk.format(nil, nil, headers, line[2]:format(turn))
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
