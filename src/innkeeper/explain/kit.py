"""What Amazon Bedrock AgentCore is told of an issuer: who gets in, how its agents get tokens, and what an agent's card says.

Each cloud's tokens are recognized by other claims; what is right for one rejects all of another's. What is generated here is
read by ``authorizer`` as strictly as the service reads it, and judged by ``agentcore``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.makers import Maker, maker

_V1 = "https://sts.windows.net/"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """For whom the configuration is. ``metadata`` is the issuer's document where it is at hand; ``machine`` says that callers
    act for themselves, which Entra writes in other claims."""

    issuer: str
    audience: str
    client: str
    scopes: tuple[str, ...]
    metadata: Mapping[str, Any] = {}
    machine: bool = False

    @property
    def maker(self) -> Maker:
        """Whose tokens they are."""
        return maker({"iss": self.issuer})

    @property
    def discovery(self) -> str:
        """The document's address. Entra's older tokens name an issuer that has none; its document is elsewhere."""
        issuer = self.issuer.rstrip("/")
        if self.issuer.startswith(_V1):
            issuer = f"https://login.microsoftonline.com/{issuer.removeprefix(_V1)}"
        return f"{issuer}/.well-known/openid-configuration"


def authorizer_for(wanted: Wanted) -> dict[str, Any]:
    """``authorizerConfiguration`` of CreateAgentRuntime and CreateGateway."""
    rules: dict[str, Any] = {"discoveryUrl": wanted.discovery}
    if wanted.maker is Maker.COGNITO:
        rules |= {"allowedClients": [wanted.client], "allowedScopes": list(wanted.scopes)}
    elif wanted.maker is Maker.ENTRA:
        rules |= {"allowedAudience": [wanted.audience], **_entra(wanted)}
    else:
        rules |= {"allowedAudience": [wanted.audience], "allowedClients": [wanted.client]}
        rules |= {"allowedScopes": list(wanted.scopes)}
    return {"customJWTAuthorizer": rules}


def provider_for(wanted: Wanted, name: str) -> dict[str, Any]:
    """What CreateOauth2CredentialProvider takes, but for the secret, so that an agent gets tokens of this issuer."""
    if wanted.maker is Maker.ENTRA:
        tenant = urlsplit(wanted.issuer).path.strip("/").partition("/")[0]
        config: dict[str, Any] = {"microsoftOauth2ProviderConfig": {"clientId": wanted.client, "tenantId": tenant}}
        return {"name": name, "credentialProviderVendor": "MicrosoftOauth2", "oauth2ProviderConfigInput": config}
    own: dict[str, Any] = {"oauthDiscovery": {"discoveryUrl": wanted.discovery}, "clientId": wanted.client}
    own["clientAuthenticationMethod"] = "CLIENT_SECRET_BASIC"
    if _exchanges(wanted.metadata):
        exchange = {"grantType": "TOKEN_EXCHANGE", "tokenExchangeGrantTypeConfig": {"actorTokenContent": "M2M"}}
        own["onBehalfOfTokenExchangeConfig"] = exchange
    config = {"customOauth2ProviderConfig": own}
    return {"name": name, "credentialProviderVendor": "CustomOauth2", "oauth2ProviderConfigInput": config}


def card_for(wanted: Wanted) -> dict[str, Any]:
    """The security block of an agent's card (A2A), in the style of OpenAPI. Raises ``UsageError`` without endpoints."""
    told = wanted.metadata
    if not isinstance(told.get("token_endpoint"), str):
        raise UsageError(
            f"the issuer's document at {wanted.discovery} names no token_endpoint; give an issuer that can be reached"
        )
    scopes = {one: one for one in _asked(wanted)}
    flows: dict[str, Any] = {"clientCredentials": {"tokenUrl": told["token_endpoint"], "scopes": scopes}}
    if not wanted.machine and isinstance(told.get("authorization_endpoint"), str):
        people = {"authorizationUrl": told["authorization_endpoint"], "tokenUrl": told["token_endpoint"]}
        flows = {"authorizationCode": {**people, "scopes": scopes}}
    scheme = {"type": "oauth2", "flows": flows, "oauth2MetadataUrl": wanted.discovery}
    return {"securitySchemes": {"oauth": scheme}, "security": [{"oauth": list(scopes)}]}


def _entra(wanted: Wanted) -> dict[str, Any]:
    """Entra names its client in azp (appid in older tokens), and what a program may do for itself in roles."""
    caller = "appid" if wanted.issuer.startswith(_V1) else "azp"
    claims = [_rule(caller, "STRING", "EQUALS", matchValueString=wanted.client)]
    if wanted.machine:
        claims.append(_rule("roles", "STRING_ARRAY", "CONTAINS_ANY", matchValueStringList=list(wanted.scopes)))
        return {"customClaims": claims}
    mapping = dict(zip(wanted.scopes, _asked(wanted), strict=True))
    return {"allowedScopes": list(wanted.scopes), "customClaims": claims, "advertisedScopeMapping": mapping}


def _asked(wanted: Wanted) -> list[str]:
    """The scopes as clients have to ask for them: Entra wants the API's URI before each, and for programs ``.default``."""
    if wanted.maker is not Maker.ENTRA:
        return list(wanted.scopes)
    api = wanted.audience if "://" in wanted.audience else f"api://{wanted.audience}"
    return [f"{api}/.default"] if wanted.machine else [f"{api}/{one}" for one in wanted.scopes]


def _exchanges(metadata: Mapping[str, Any]) -> bool:
    grants = metadata.get("grant_types_supported")
    return isinstance(grants, list) and "urn:ietf:params:oauth:grant-type:token-exchange" in grants


def _rule(name: str, kind: str, operator: str, **value: Any) -> dict[str, Any]:
    match = {"claimMatchOperator": operator, "claimMatchValue": value}
    return {"inboundTokenClaimName": name, "inboundTokenClaimValueType": kind, "authorizingClaimMatchValue": match}
