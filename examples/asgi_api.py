"""Any ASGI application behind the guard, with a table of what each path needs.

innkeeper up &
uvicorn --app-dir examples asgi_api:app --port 8503
curl -i http://127.0.0.1:8503/orders          (401, and where to get a token)
"""

import json
import os
from typing import Any

from innkeeper.guard import ANYONE, Guard, need
from innkeeper.guard.asgi import GuardMiddleware, token

ROUTES = {
    "/": ANYONE,
    "/orders": ["gym:enter"],
    "/payroll": need("vip:enter", caller="person", max_age=300),
}


async def api(scope: Any, receive: Any, send: Any) -> None:
    """The application: it never sees a request that was not let in."""
    said = {"message": "GET /orders"} if scope["path"] == "/" else {"orders_of": token(scope).sub}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def make_app(guard: Guard) -> GuardMiddleware:
    """The application with the guard before it."""
    return GuardMiddleware(api, guard, ROUTES)


app = make_app(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
        resource=os.environ.get("RESOURCE", "http://127.0.0.1:8503"),
    )
)
