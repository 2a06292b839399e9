"""The guard in FastAPI: a security dependency that gives the verified token, and shows in the OpenAPI document."""

from __future__ import annotations

import msgspec
from fastapi import FastAPI, HTTPException, Request
from fastapi.openapi.models import OpenIdConnect
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from innkeeper.guard.asgi import KEY, PublicFace, arrived
from innkeeper.guard.decision import Refused
from innkeeper.guard.guard import Guard
from innkeeper.protocol.well_known import OPENID_CONFIGURATION
from innkeeper.tokens.access import AccessToken


class Guarded(SecurityBase):
    """A dependency for routes: ``Annotated[AccessToken, Security(guarded, scopes=["pool:enter"])]``.

    The request gets in with a token that holds all the scopes, those of outer dependencies included, and the route
    gets that token. In the OpenAPI document it is an OpenID Connect scheme of the guard's first issuer, so that the
    Authorize button of the docs page works.
    """

    def __init__(self, guard: Guard, scheme_name: str = "innkeeper") -> None:
        self._guard = guard
        self.scheme_name = scheme_name
        issuer = guard.issuers[0].removesuffix("/")
        self.model = OpenIdConnect(openIdConnectUrl=f"{issuer}/.well-known/{OPENID_CONFIGURATION}")

    async def __call__(self, request: Request, security_scopes: SecurityScopes) -> AccessToken:
        outcome = await self._guard.admit(arrived(request.scope, self._guard), security_scopes.scopes)
        if isinstance(outcome, Refused):
            answer = self._guard.challenge(outcome)
            raise HTTPException(answer.status, msgspec.json.decode(answer.body), dict(answer.headers))
        request.scope[KEY] = outcome
        return outcome.token


def install(app: FastAPI, guard: Guard) -> None:
    """Publish the API's metadata, answer preflights before any token is asked for, let browsers read challenges."""
    app.add_middleware(PublicFace, guard=guard)
