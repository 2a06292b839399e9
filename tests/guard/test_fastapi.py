"""The guard in FastAPI, as the example in ``examples/`` uses it."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from tests.guard.world import ISSUER, World, claims, forge

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_api.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fastapi_api", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def app(example: ModuleType) -> Any:
    return example.make_app(World().guard())


def ask(app: Any, path: str, method: str = "GET", bearer: str = "", **headers: str) -> httpx2.Response:
    async def work() -> httpx2.Response:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="https://hotel.example"
        ) as client:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(
                method, path, headers=sent | ({"authorization": f"Bearer {bearer}"} if bearer else {})
            )

    return asyncio.run(work())


def test_a_route_is_handed_the_verified_token(app: Any) -> None:
    answer = ask(app, "/orders", bearer=forge())
    assert (answer.status_code, answer.json()) == (200, {"orders_of": "guest-204", "asked_by": "guest-app"})


def test_a_route_without_scopes_needs_a_token_all_the_same(app: Any) -> None:
    assert ask(app, "/me").status_code == 401
    assert ask(app, "/me", bearer=forge()).json() == {"scopes": ["gym:enter", "room:enter"]}


def test_a_route_without_the_dependency_is_open(app: Any) -> None:
    assert ask(app, "/").status_code == 200


def test_the_challenge_is_complete(app: Any) -> None:
    answer = ask(app, "/orders")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer scope="gym:enter", resource_metadata="https://hotel.example/.well-known/oauth-protected-resource/doors"'
    )
    refused = ask(app, "/orders", bearer=forge(claims(scope="pool:enter")))
    assert refused.status_code == 403
    assert refused.json()["detail"]["error"] == "insufficient_scope"
    assert refused.headers["cache-control"] == "no-store"


def test_metadata_and_preflight_are_answered(app: Any) -> None:
    assert ask(app, "/.well-known/oauth-protected-resource/doors").json()["authorization_servers"] == [ISSUER]
    assert (
        ask(app, "/orders", "OPTIONS", origin="https://a.example", access_control_request_method="GET").status_code
        == 204
    )


def test_the_openapi_document_shows_scheme_and_scopes(app: Any) -> None:
    document = app.openapi()
    assert document["components"]["securitySchemes"] == {
        "innkeeper": {"type": "openIdConnect", "openIdConnectUrl": f"{ISSUER}/.well-known/openid-configuration"}
    }
    assert document["paths"]["/orders"]["get"]["security"] == [{"innkeeper": ["gym:enter"]}]
    assert "security" not in document["paths"]["/"]["get"]
    assert "parameters" not in document["paths"]["/orders"]["get"]


def made(**more: Any) -> Any:
    """An API whose only route needs more than scopes."""
    from typing import Annotated

    from fastapi import FastAPI, Security

    from innkeeper.guard import need
    from innkeeper.guard.fastapi import Guarded, SignIn, install

    guard = World().guard()
    app = FastAPI()
    sign_in = SignIn(authorization_url=f"{ISSUER}/authorize", token_url=f"{ISSUER}/token", scopes={"vip:enter": "VIP"})
    guarded = Guarded(guard, sign_in=sign_in).needing(need(acr=["mfa"]))
    install(app, guard, **more)

    async def vip(token: Any) -> dict[str, str]:
        return {"sub": token.sub}

    vip.__annotations__["token"] = Annotated[Any, Security(guarded, scopes=["vip:enter"])]
    app.get("/vip")(vip)
    return app


def test_a_route_may_need_more_than_scopes() -> None:
    app = made()
    weak = ask(app, "/vip", bearer=forge(claims(scope="vip:enter", acr="pwd")))
    assert weak.status_code == 401
    assert 'error="insufficient_user_authentication"' in weak.headers["www-authenticate"]
    assert ask(app, "/vip", bearer=forge(claims(scope="vip:enter", acr="mfa"))).json() == {"sub": "guest-204"}
    assert ask(app, "/vip", bearer=forge(claims(acr="mfa"))).status_code == 403


def test_where_discovery_says_too_little_the_document_names_the_endpoints() -> None:
    served = ask(made(), "/openapi.json").json()
    assert served["components"]["securitySchemes"]["innkeeper"] == {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{ISSUER}/authorize",
                "tokenUrl": f"{ISSUER}/token",
                "scopes": {"vip:enter": "VIP"},
            }
        },
    }
    assert served["paths"]["/vip"]["get"]["security"] == [{"innkeeper": ["vip:enter"]}]


def test_the_docs_page_knows_its_client() -> None:
    page = ask(made(client_id="docs"), "/docs").text
    assert '"clientId": "docs"' in page
    assert '"usePkceWithAuthorizationCodeGrant": true' in page
    assert '"resource": "https://hotel.example/doors"' in page
    assert "initOAuth" not in ask(made(), "/docs").text
