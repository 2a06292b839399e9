"""``$batch``: up to twenty calls in one request, each answered as if it had come alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.entra.documents import Document, bad
from innkeeper.issuer.dialects.entra.graph import odata
from innkeeper.issuer.dialects.entra.graph.odata import Refused
from innkeeper.protocol.exchange import Reply, Request

Answer = Callable[[Request], Awaitable[Reply]]

_MOST = 20
_FAILED_DEPENDENCY = 424
_GOOD = range(200, 300)


async def answered(request: Request, answer: Answer) -> Reply:
    """Every call's answer, in the order of the calls. One that depends on a failed one is not made. Raises ``Refused``."""
    calls = odata.body_of(request).get("requests")
    if request.method != "POST" or not isinstance(calls, list) or not 1 <= len(calls) <= _MOST:
        raise Refused(bad(f"Invalid batch payload format: requests must be a list of at most {_MOST}."))
    told: dict[str, Document] = {}
    for call in calls:
        name = str(call.get("id", "")) if isinstance(call, Mapping) else ""
        if not name or name in told:
            raise Refused(bad("Invalid batch payload format: each request needs an id of its own.", name))
        told[name] = await _one(request, call, told, answer)
    return odata.reply({"responses": [{"id": name, **document} for name, document in told.items()]})


async def _one(request: Request, call: Mapping[str, Any], told: Mapping[str, Document], answer: Answer) -> Document:
    before = [told.get(str(one)) for one in call.get("dependsOn") or []]
    if any(one is None or one["status"] not in _GOOD for one in before):
        message = "Failed to execute request due to dependent request failure."
        return {"status": _FAILED_DEPENDENCY, "body": {"error": {"code": "FailedDependency", "message": message}}}
    reply = await answer(_alone(request, call))
    body = {"body": msgspec.json.decode(reply.body)} if reply.body else {}
    return {"status": reply.status, "headers": {"Content-Type": "application/json"}, **body}


def _alone(request: Request, call: Mapping[str, Any]) -> Request:
    """A call of the batch as a request: with the batch's token, unless it brings its own."""
    version, address = request.path.strip("/").partition("/")[0], urlsplit(str(call.get("url", "")))
    own = {str(name).lower(): str(value) for name, value in (call.get("headers") or {}).items()}
    body = msgspec.json.encode(call["body"]) if "body" in call else b""
    return msgspec.structs.replace(
        request,
        method=str(call.get("method", "")).upper(),
        path=f"/{version}/{address.path.strip('/')}",
        query=address.query,
        headers={**request.headers, **own},
        body=body,
    )
