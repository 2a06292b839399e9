-- Requests as the environment tells; what came of them is printed as one line of JSON.
-- A file of values in BENCH_POOL fills the %s in the body, each value once; where BENCH_YIELD is a pattern,
-- what it captures in an answer is a value for another request.
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

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
