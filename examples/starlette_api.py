"""A small API in Starlette behind the guard.

innkeeper up &
uvicorn --app-dir examples starlette_api:app --port 8504
"""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from innkeeper.guard import Guard, need
from innkeeper.guard.asgi import token
from innkeeper.guard.starlette import Guarded


def make_app(guard: Guard) -> Starlette:
    """The API. What an endpoint needs stands above it."""
    app = Starlette()
    guarded = Guarded(app, guard)

    async def welcome(request: Request) -> JSONResponse:
        return JSONResponse({"message": "GET /orders"})

    @guarded("gym:enter")
    async def orders(request: Request) -> JSONResponse:
        return JSONResponse({"orders_of": token(request.scope).sub})

    @guarded(need("vip:enter", caller="person", max_age=300))
    async def payroll(request: Request) -> JSONResponse:
        return JSONResponse({"payroll_of": token(request.scope).sub})

    for path, endpoint in {"/": welcome, "/orders": orders, "/payroll": payroll}.items():
        app.add_route(path, endpoint)
    return app


app = make_app(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
        resource=os.environ.get("RESOURCE", "http://127.0.0.1:8504"),
    )
)
