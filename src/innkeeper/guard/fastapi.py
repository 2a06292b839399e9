"""The guard in FastAPI: a security dependency that gives the verified token, and shows in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, HTTPException, Request
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import OAuthFlowAuthorizationCode, OAuthFlows, OpenIdConnect
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from innkeeper.guard.asgi import KEY, PublicFace, arrived
from innkeeper.guard.decision import Refused
from innkeeper.guard.guard import Guard
from innkeeper.guard.needs import NOTHING, Needs, as_needs
from innkeeper.protocol.well_known import OPENID_CONFIGURATION
from innkeeper.tokens.access import AccessToken


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Where the docs page signs people in, for issuers whose discovery a browser cannot read or that says too little:
    the two endpoints, and the scopes to choose from with a sentence each."""

    authorization_url: str
    token_url: str
    scopes: Mapping[str, str] = {}


class Guarded(SecurityBase):
    """A dependency for routes: ``Annotated[AccessToken, Security(guarded, scopes=["pool:enter"])]``.

    The request gets in with a token that holds all the scopes, those of outer dependencies included, and the route
    gets that token. In the OpenAPI document it is an OpenID Connect scheme of the guard's first issuer, so that the
    Authorize button of the docs page works; with ``sign_in`` an OAuth2 scheme with the endpoints named there.
    """

    def __init__(
        self, guard: Guard, scheme_name: str = "innkeeper", *, sign_in: SignIn | None = None, needs: Needs = NOTHING
    ) -> None:
        """``needs`` is for every route beside its scopes; ``needing`` makes another dependency of the same scheme."""
        self._guard = guard
        self._needs = needs
        self._sign_in = sign_in
        self.scheme_name = scheme_name
        issuer = guard.issuers[0].removesuffix("/")
        self.model = (
            OpenIdConnect(openIdConnectUrl=f"{issuer}/.well-known/{OPENID_CONFIGURATION}")
            if sign_in is None
            else OAuth2Model(flows=_flows(sign_in))
        )

    def needing(self, needs: Needs) -> Guarded:
        """A dependency for routes that need more than scopes: ``Security(guarded.needing(need(acr=["mfa"])))``."""
        return Guarded(self._guard, self.scheme_name, sign_in=self._sign_in, needs=self._needs.and_also(needs))

    async def __call__(self, request: Request, security_scopes: SecurityScopes) -> AccessToken:
        needs = self._needs.and_also(as_needs(security_scopes.scopes))
        outcome = await self._guard.admit(arrived(request.scope, self._guard), needs)
        if isinstance(outcome, Refused):
            answer = self._guard.challenge(outcome)
            raise HTTPException(answer.status, msgspec.json.decode(answer.body), dict(answer.headers))
        request.scope[KEY] = outcome
        return outcome.token


def install(app: FastAPI, guard: Guard, *, client_id: str = "") -> None:
    """Publish the API's metadata, answer preflights before any token is asked for, let browsers read challenges.

    ``client_id`` is a public client, registered with the redirect URI ``/docs/oauth2-redirect`` of this API, with which the
    docs page's Authorize button signs people in (code with PKCE, for this API).
    """
    app.add_middleware(PublicFace, guard=guard)
    if client_id:
        app.swagger_ui_init_oauth = _docs_client(client_id, guard)


def _docs_client(client_id: str, guard: Guard) -> dict[str, Any]:
    """What the docs page needs to know of its client."""
    found: dict[str, Any] = {"clientId": client_id, "usePkceWithAuthorizationCodeGrant": True}
    if guard.door.resource:
        found["additionalQueryStringParams"] = {"resource": guard.door.resource}
    return found


def _flows(sign_in: SignIn) -> OAuthFlows:
    code = OAuthFlowAuthorizationCode(
        authorizationUrl=sign_in.authorization_url, tokenUrl=sign_in.token_url, scopes=dict(sign_in.scopes)
    )
    return OAuthFlows(authorizationCode=code)
