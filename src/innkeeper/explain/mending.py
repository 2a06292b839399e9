"""The change that turns a no into a yes: a table of causes, each with where to change what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from innkeeper.explain.verdicts import Mend
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.makers import Maker, maker

Kind = Literal["guard", "agentcore", "mcp"]
Said = tuple[str, str]

GRAPH = frozenset({"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"})


class Situation(msgspec.Struct, frozen=True):
    """A token that was refused, and by what kind of reader. ``expected`` holds what the reader was told: issuer,
    audience, scope, client."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    kind: Kind
    expected: Mapping[str, str] = MappingProxyType({})

    def said(self, name: str, otherwise: str = "…") -> str:
        value = self.claims.get(name, otherwise)
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)

    def wanted(self, name: str) -> str:
        return self.expected.get(name) or "…"

    @property
    def client(self) -> str:
        return next((self.said(name) for name in ("client_id", "azp", "appid", "cid") if name in self.claims), "…")


def mends(situation: Situation, refusals: Sequence[Refusal]) -> tuple[Mend, ...]:
    """What to change for each refusal, the likeliest first."""
    made_by = maker(situation.claims)
    return tuple(
        Mend(refusal.page.number, place, text)
        for refusal in refusals
        for numbers, makers, kinds, say in CURES
        if refusal.page.number in numbers
        and (not makers or made_by in makers)
        and (not kinds or situation.kind in kinds)
        for place, text in say(situation)
    )


def _identity_token(case: Situation) -> Iterator[Said]:
    if case.claims.get("token_use") == "id" or {"at_hash", "nonce"} & case.claims.keys():
        yield "code", "Send access_token from the token answer. This is the id_token: it tells a client who signed in."
    elif "typ" not in case.header or str(case.header["typ"]).upper() == "JWT":
        yield "code", f'Where the issuer is not after RFC 9068: Guard(oidc("{case.said("iss")}"), …), or --as oidc.'


def _cognito_audience_for_agentcore(case: Situation) -> Iterator[Said]:
    if "aud" in case.claims:
        yield "configuration", f'allowedAudience: ["{case.said("aud")}"], if this is the token you mean to accept.'
        return
    listed = f'"allowedClients": ["{case.said("client_id")}"]'
    yield (
        "configuration",
        f"Cognito's access tokens have no aud. Replace allowedAudience by {listed}, with allowedScopes.",
    )
    yield (
        "console",
        "AgentCore, inbound identity: empty 'Allowed audiences', put the app client id into 'Allowed clients'.",
    )
    yield (
        "terraform",
        f'custom_jwt_authorizer {{ allowed_clients = ["{case.said("client_id")}"] }}, without allowed_audience',
    )


def _cognito_audience(case: Situation) -> Iterator[Said]:
    if "aud" in case.claims:
        yield from _audience(case)
        return
    yield (
        "code",
        f"Cognito's access tokens have no aud; their app client stands in: audience=[…, {case.client!r}].",
    )
    if case.said("sub") != case.said("client_id"):
        yield (
            "request",
            f"For a person's token send resource={case.wanted('audience')} to /oauth2/authorize: it becomes aud.",
        )


def _cognito_kind(case: Situation) -> Iterator[Said]:
    if case.claims.get("token_use") == "id":
        yield "code", "Send AuthenticationResult.AccessToken (access_token), not the ID token."


def _graph(case: Situation) -> Iterator[Said]:
    if case.said("aud").rstrip("/") in GRAPH:
        yield "request", "This token is for Microsoft Graph. Ask for your own API: scope=api://APPLICATION-ID/.default"
        yield "console", "Entra, App registrations, your API, Expose an API: take the scope's full name from there."


def _entra_audience(case: Situation) -> Iterator[Said]:
    if case.said("aud").rstrip("/") in GRAPH:
        return
    if case.claims.get("ver") == "1.0":
        yield from _version_two(case)
        place = "configuration" if case.kind == "agentcore" else "code"
        yield place, f'Or expect what version 1 says: audience "{case.said("aud")}".'
        return
    place = "configuration" if case.kind == "agentcore" else "code"
    name = "allowedAudience" if case.kind == "agentcore" else "audience"
    yield place, f'Version 2 always names the API by its application id: {name} "{case.said("aud")}".'


def _version_two(_: Situation) -> Iterator[Said]:
    yield "console", "Entra, App registrations, the API (not the client), Manifest: requestedAccessTokenVersion: 2."
    yield "terraform", 'resource "azuread_application" (the API): api { requested_access_token_version = 2 }'


def _entra_issuer(case: Situation) -> Iterator[Said]:
    one, other = case.said("iss"), case.wanted("issuer")
    if one.startswith("https://sts.windows.net/") and other.endswith("/v2.0"):
        yield from _version_two(case)
        if case.kind == "agentcore":
            url = f"https://login.microsoftonline.com/{case.said('tid')}/.well-known/openid-configuration"
            yield "configuration", f"Or discoveryUrl for version 1, without /v2.0: {url}"
    elif one.endswith("/v2.0") and "/v2.0" not in other:
        yield "configuration", f"The API asks for version 2 tokens: use {one}/.well-known/openid-configuration."


def _entra_client(case: Situation) -> Iterator[Said]:
    name = "appid" if "appid" in case.claims else "azp"
    rule = (
        f'{{"inboundTokenClaimName": "{name}", "inboundTokenClaimValueType": "STRING", "authorizingClaimMatchValue": '
        f'{{"claimMatchOperator": "EQUALS", "claimMatchValue": {{"matchValueString": "{case.client}"}}}}}}'
    )
    yield "configuration", f"Entra has no client_id. In place of allowedClients, in customClaims: {rule}"


def _entra_scope(case: Situation) -> Iterator[Said]:
    if "scp" not in case.claims and "roles" in case.claims:
        yield from _entra_roles(case)
    elif "scp" not in case.claims:
        yield (
            "console",
            "No roles at all: assign an app role to the client, Enterprise applications, Permissions, consent.",
        )
        yield (
            "terraform",
            'resource "azuread_app_role_assignment", with app_role_id of the API and the client as principal',
        )
    else:
        yield (
            "request",
            f"scp holds bare names ({case.said('scp')}); requests name the API too: api://APPLICATION-ID/NAME.",
        )


def _entra_roles(case: Situation) -> Iterator[Said]:
    if case.kind != "agentcore":
        yield (
            "code",
            f"A machine's token from Entra has roles and no scopes: require one of the roles {case.said('roles')}.",
        )
        return
    first = (case.claims["roles"] or ["…"])[0]
    rule = (
        '{"inboundTokenClaimName": "roles", "inboundTokenClaimValueType": "STRING_ARRAY", "authorizingClaimMatchValue": '
        f'{{"claimMatchOperator": "CONTAINS", "claimMatchValue": {{"matchValueString": "{first}"}}}}}}'
    )
    yield "configuration", f"A machine's token has no scopes. In place of allowedScopes, in customClaims: {rule}"


def _cognito_scope(case: Situation) -> Iterator[Said]:
    held = case.said("scope", "none")
    if held == "aws.cognito.signin.user.admin":
        yield (
            "code",
            "Sign-in by the SDK gives only this scope. Use /oauth2/authorize and /oauth2/token for your own scopes.",
        )
        return
    yield (
        "code",
        f"Cognito writes its resource server before each scope; the token holds: {held}. Compare these, whole.",
    )
    yield "console", "Cognito, App clients, Login pages, Custom scopes: tick the scope for this app client."
    yield "terraform", 'resource "aws_cognito_user_pool_client": allowed_oauth_scopes = ["RESOURCE-SERVER/SCOPE"]'


def _scope(case: Situation) -> Iterator[Said]:
    yield "request", f"Ask for scope={case.wanted('scope')} beside what the token has, and consent to it."


def _audience(case: Situation) -> Iterator[Said]:
    yield "request", f"Ask for the token with resource={case.wanted('audience')} (Auth0: audience=)."
    if case.kind == "agentcore":
        yield (
            "configuration",
            f'"allowedAudience": ["{case.said("aud", "the token has none")}"], if that is your own API.',
        )
    elif "aud" in case.claims:
        yield "code", f'Guard(…, audience="{case.said("aud")}"), if that is this API\'s own name.'


def _client(case: Situation) -> Iterator[Said]:
    if "client_id" in case.claims:
        yield "configuration", f'"allowedClients": [… , "{case.client}"], if this client is to be let in.'


def _issuer(case: Situation) -> Iterator[Said]:
    issuer = case.said("iss")
    if case.kind == "agentcore":
        yield (
            "configuration",
            f'"discoveryUrl": "{issuer.rstrip("/")}/.well-known/openid-configuration", if you trust it.',
        )
    else:
        yield (
            "code",
            f'Guard("{issuer}", …), if you mean to trust this issuer. Spelling counts, a slash at the end too.',
        )


def _time(_: Situation) -> Iterator[Said]:
    yield "request", "Get a new token: innkeeper token, the refresh token, or the client's credentials."


def _keys(case: Situation) -> Iterator[Said]:
    if "nonce" in case.header:
        yield "request", "A nonce in the header: this token is for Microsoft's own APIs, nobody else can verify it."
    elif case.kind == "agentcore":
        yield "configuration", "Is discoveryUrl the one of the issuer that made this token? Another has other keys."


Cure = tuple[frozenset[str], frozenset[Maker], frozenset[Kind], Callable[[Situation], Iterator[Said]]]


def _cure(
    numbers: str, say: Callable[[Situation], Iterator[Said]], makers: Sequence[Maker] = (), kinds: Sequence[Kind] = ()
) -> Cure:
    return frozenset(numbers.split()), frozenset(makers), frozenset(kinds), say


_OTHERS = [one for one in Maker if one not in {Maker.COGNITO, Maker.ENTRA}]
AUDIENCE, ISSUER, SCOPES = "IK508 IK802", "IK502 IK801", "IK523 IK804"

CURES: tuple[Cure, ...] = (
    _cure("IK504 IK507", _identity_token, _OTHERS),
    _cure("IK504 IK507 IK550", _cognito_kind, [Maker.COGNITO]),
    _cure(AUDIENCE, _cognito_audience_for_agentcore, [Maker.COGNITO], ["agentcore"]),
    _cure(AUDIENCE + " IK507", _cognito_audience, [Maker.COGNITO], ["guard", "mcp"]),
    _cure(AUDIENCE + " IK505 IK506 IK552", _graph, [Maker.ENTRA]),
    _cure(AUDIENCE, _entra_audience, [Maker.ENTRA]),
    _cure(AUDIENCE, _audience, _OTHERS),
    _cure(ISSUER, _entra_issuer, [Maker.ENTRA]),
    _cure(ISSUER, _issuer),
    _cure("IK803", _entra_client, [Maker.ENTRA]),
    _cure("IK803", _client),
    _cure(SCOPES + " IK558", _entra_scope, [Maker.ENTRA]),
    _cure("IK805", _entra_roles, [Maker.ENTRA]),
    _cure(SCOPES, _cognito_scope, [Maker.COGNITO]),
    _cure(SCOPES, _scope, _OTHERS),
    _cure("IK509", _time),
    _cure("IK505 IK506", _keys),
)
"""What helps: for which refusals, tokens of which makers (empty: any), readers of which kind (empty: any)."""
