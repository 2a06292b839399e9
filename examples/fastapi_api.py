"""A small API in FastAPI behind the guard. Two settings: whose tokens are good, and what this API is called.

    innkeeper up &
    uvicorn --app-dir examples fastapi_api:app --port 8500
    curl -i http://127.0.0.1:8500/orders          (401, and where to get a token)

`audience` here is the hotel's, so that tokens from `innkeeper up` fit; name your own API in its place.
"""

import os
from typing import Annotated

from fastapi import FastAPI, Security

from innkeeper.guard import Guard
from innkeeper.guard.fastapi import Guarded, install
from innkeeper.tokens.access import AccessToken


def make_app(guard: Guard) -> FastAPI:
    """The API. Each route says which scopes it needs, and is handed the verified token."""
    app = FastAPI(title="Orders")
    guarded = Guarded(guard)
    install(app, guard)

    @app.get("/")
    async def welcome() -> dict[str, str]:
        return {"message": "GET /orders with a token that holds gym:enter."}

    @app.get("/orders")
    async def orders(token: Annotated[AccessToken, Security(guarded, scopes=["gym:enter"])]) -> dict[str, str]:
        return {"orders_of": token.sub, "asked_by": token.client_id}

    @app.get("/me")
    async def me(token: Annotated[AccessToken, Security(guarded)]) -> dict[str, list[str]]:
        return {"scopes": sorted(token.scope)}

    return app


app = make_app(
    Guard(
        issuer=os.environ.get("ISSUER", "http://127.0.0.1:8400"),
        audience=os.environ.get("AUDIENCE", "http://127.0.0.1:8400/hotel"),
        resource=os.environ.get("RESOURCE", "http://127.0.0.1:8500"),
        scopes_supported=["gym:enter"],
    )
)
