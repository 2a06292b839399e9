"""Traces for OpenTelemetry: a span for each request, whose events are the checks that its decisions made.

Only the API is used, which does nothing until the operator brings an SDK (``opentelemetry-instrument innkeeper serve``); it is
an extra (``innkeeper[traces]``). No header, parameter, token or secret becomes an attribute.
"""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.desk.matter import Matter
from innkeeper.protocol.refusals import Refusal


def tracer() -> Any:
    """What makes spans; None where nobody would see any."""
    try:
        from opentelemetry import trace
    except ModuleNotFoundError:
        return None
    provider = trace.get_tracer_provider()
    idle = isinstance(provider, trace.NoOpTracerProvider | trace.ProxyTracerProvider)
    return None if idle else trace.get_tracer("innkeeper")


def span(tracer: Any, matter: Matter, method: str, status: int, began: int, ended: int) -> None:
    """Tell of a request that is over. Times are nanoseconds since the epoch."""
    from opentelemetry.trace import SpanKind, Status, StatusCode

    told = {"http.request.method": method, "http.route": matter.what, "http.response.status_code": status}
    noted = {"client": matter.client, "grant": matter.grant, "realm": matter.realm}
    told |= {f"innkeeper.{name}": value for name, value in noted.items() if value}
    one = tracer.start_span(f"{method} {matter.what}", kind=SpanKind.SERVER, attributes=told, start_time=began)
    for trail in matter.trails:
        for step in trail.steps:
            one.add_event(step.check.name, _event(trail.about, step), timestamp=began)
    refusal = next((trail.refusal for trail in reversed(matter.trails) if trail.refusal), None)
    if refusal is not None:
        one.set_attribute("innkeeper.refusal", refusal.page.number)
    if status >= 500:
        one.set_status(Status(StatusCode.ERROR))
    one.end(end_time=ended)


def _event(about: str, step: Any) -> dict[str, Any]:
    told = {"about": about, "spec": step.check.spec, "passed": step.passed}
    if isinstance(step.outcome, Refusal):
        told |= {"refusal": step.outcome.page.number, "reason": step.outcome.reason}
    return told
