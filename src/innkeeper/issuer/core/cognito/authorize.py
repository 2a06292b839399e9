"""A pool's authorization endpoint: whom to answer, and whether what is asked for can be had."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.cognito.records import CODE, IMPLICIT, OPENID, STANDARD_SCOPES, AppClient, Pool
from innkeeper.protocol import errors, pkce
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.redirects import registered_for
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

FLOW_OF = {"code": CODE, "token": IMPLICIT}
NEED_OPENID = ("phone", "email", "profile")


class Case(msgspec.Struct, frozen=True):
    """``known`` are the custom scopes of the pool's resource servers, ``signed_in`` whether the browser has a session;
    ``lenient`` that scopes which the client does not have are left out."""

    pool: Pool
    sent: Parameters
    client: AppClient | None
    known: frozenset[str] = frozenset()
    signed_in: bool = False
    lenient: bool = False

    def wanted(self, client: AppClient) -> list[str]:
        """The scopes asked for; lenient, those of them that the client has, unless it has none."""
        asked = self.sent.get("scope", "").split()
        return [one for one in asked if one in client.scopes] or asked if self.lenient else asked


def _client(case: Case) -> AppClient:
    if case.client is None:
        raise LookupError("no client: the_app_client_is_known stands before this check")
    return case.client


@check("Cognito authorize endpoint: client_id")
def the_app_client_is_known(case: Case) -> Seen | Refusal:
    """The client id is one of this pool's app clients."""
    if case.client is None:
        return Refusal(
            NO_CLIENT, "no app client of this pool has that id", "an app client", case.sent.get("client_id", "")
        )
    return Seen(case.client.id)


@check("Cognito authorize endpoint: redirect_uri")
def the_redirect_uri_is_a_callback(case: Case) -> Seen | Refusal:
    """The redirect URI is, character by character, one of the client's callback URLs."""
    client, sent = _client(case), case.sent.get("redirect_uri", "")
    if registered_for(sent, client.callbacks, any_loopback_port=client.any_port) is None:
        return Refusal(REDIRECT_MISMATCH, "redirect_uri is no callback URL", " or ".join(client.callbacks), sent)
    return Seen(sent, client.callbacks)


ADDRESS_CHECKS = (the_app_client_is_known, the_redirect_uri_is_a_callback)
"""Until these have passed, nothing is sent to the redirect URI."""


@check("Cognito authorize endpoint: response_type")
def the_response_type_is_code_or_token(case: Case) -> Seen | Refusal:
    """The answer is a code or, for the implicit grant, tokens."""
    sent = case.sent.get("response_type", "")
    if sent not in FLOW_OF:
        return Refusal(BAD_REQUEST, "response_type is missing or unknown", "code or token", sent or "nothing")
    return Seen(sent)


@check("Cognito app client: AllowedOAuthFlows")
def the_client_may_use_the_flow(case: Case) -> Seen | Refusal:
    """The client is for the OAuth endpoints, and its flows include this one."""
    client, flow = _client(case), FLOW_OF[case.sent["response_type"]]
    if not client.oauth or flow not in client.grants:
        return Refusal(FLOW_NOT_ALLOWED, f"the client may not use {flow}", flow, " ".join(client.grants) or "none")
    return Seen(flow, client.grants)


@check("Cognito authorize endpoint: state")
def the_state_is_no_json(case: Case) -> Seen | Refusal:
    """The state is not JSON, which Cognito does not carry."""
    sent = case.sent.get("state", "")
    if sent[:1] in ("{", "[") and _is_json(sent):
        return Refusal(BAD_REQUEST, "state is JSON", "text, for example base64 of the JSON", "JSON")
    return Seen("carried")


@check("Cognito authorize endpoint: PKCE")
def the_challenge_is_s256(case: Case) -> Seen | Refusal:
    """A challenge comes with the method S256, and is one."""
    challenge, method = case.sent.get("code_challenge"), case.sent.get("code_challenge_method")
    if challenge is None and method is None:
        return Seen("none")
    if method != pkce.METHOD:
        return Refusal(BAD_REQUEST, "code_challenge_method must be S256", pkce.METHOD, method or "nothing")
    if challenge is None or not pkce.is_challenge(challenge):
        return Refusal(BAD_REQUEST, "code_challenge is no S256 challenge", "43 characters of base64url", "another text")
    return Seen(pkce.METHOD)


@check("Cognito authorize endpoint: scope")
def the_asked_scopes_are_the_clients(case: Case) -> Seen | Refusal:
    """Every scope is one of the client's, and those about a person come with openid."""
    client = _client(case)
    asked = case.wanted(client)
    for one in asked:
        if one not in client.scopes:
            return Refusal(SCOPE_NOT_ALLOWED, f"the client is not registered for {one}", " ".join(client.scopes), one)
        if one in NEED_OPENID and OPENID not in asked:
            return Refusal(SCOPE_NOT_ALLOWED, f"{one} needs openid beside it", f"openid {one}", " ".join(asked))
    return Seen(tuple(asked) or client.scopes, client.scopes)


@check("Cognito authorize endpoint: identity_provider")
def the_provider_is_the_pool(case: Case) -> Seen | Refusal:
    """Where a provider is named, it is the pool itself: the twin leads to no other."""
    named = case.sent.get("identity_provider") or case.sent.get("idp_identifier")
    if named not in (None, _OWN_PROVIDER):
        return Refusal(NO_PROVIDER, "no identity provider but the pool's own", _OWN_PROVIDER, named)
    return Seen(named or "none")


@check("Cognito resource binding (RFC 8707)")
def the_resource_is_one_address(case: Case) -> Seen | Refusal:
    """The resource, where one is named, is a single https address, a localhost one or an app's own scheme."""
    sent = case.sent.many("resource")
    if not sent:
        return Seen("none")
    if len(sent) > 1:
        return Refusal(BAD_RESOURCE, "more than one resource", "one", str(len(sent)))
    parts = urlsplit(sent[0])
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    own = "." in parts.scheme or parts.scheme not in ("", "http", "https", "ftp", "file", "data", "javascript")
    if not (parts.scheme == "https" or local or own) or not (parts.netloc or parts.path):
        return Refusal(BAD_RESOURCE, "the resource is no address that tokens are bound to", "https://...", sent[0])
    return Seen(sent[0])


@check("Cognito managed login: prompt")
def somebody_is_signed_in_where_nobody_may_be_asked(case: Case) -> Seen | Refusal:
    """With prompt=none a session is there already."""
    if "none" in case.sent.get("prompt", "").split() and not case.signed_in:
        return Refusal(NOBODY_SIGNED_IN, "prompt=none, and nobody is signed in", "a session", "none")
    return Seen("signed in" if case.signed_in else "may be asked")


REQUEST_CHECKS = (
    the_response_type_is_code_or_token,
    the_client_may_use_the_flow,
    the_state_is_no_json,
    the_challenge_is_s256,
    the_asked_scopes_are_the_clients,
    the_provider_is_the_pool,
    the_resource_is_one_address,
    somebody_is_signed_in_where_nobody_may_be_asked,
)


def scopes_of(case: Case, client: AppClient) -> frozenset[str]:
    """What is granted: the scopes asked for, else all of the client's, without those that no longer exist."""
    asked = case.wanted(client) or client.scopes
    return frozenset(one for one in asked if one in STANDARD_SCOPES or one in case.known)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


NO_CLIENT = Page(
    "IK1020",
    errors.INVALID_REQUEST,
    "The app client is unknown",
    "The client_id is none of this pool's; nothing is sent back, since nobody registered where to.",
    "Send the id that `innkeeper twin show` prints, to the domain of the pool that the client is in.",
    "Client does not exist.",
    level="inferred",
    console="User pool, App clients: copy the client ID.",
    terraform="Read it from aws_cognito_user_pool_client.NAME.id.",
)
REDIRECT_MISMATCH = Page(
    "IK1021",
    "redirect_mismatch",
    "The redirect URI is no callback URL of the client",
    "Callback URLs are compared character by character: scheme, host, port, path and a slash at the end all count.",
    "Send redirect_uri exactly as registered, or register it as it is sent.",
    "An error was encountered with the requested page.",
    level="inferred",
    console="App client, Login pages, Edit: Allowed callback URLs.",
    terraform='callback_urls = ["http://localhost:3000/callback"]',
)
BAD_REQUEST = Page(
    "IK1022",
    errors.INVALID_REQUEST,
    "The authorization request is malformed",
    "response_type is neither code nor token, the PKCE method is not S256, the challenge is none, or state is JSON.",
    "Send response_type=code with code_challenge_method=S256, and base64 a state that is JSON.",
    "",
    level="documented",
)
FLOW_NOT_ALLOWED = Page(
    "IK1023",
    errors.UNAUTHORIZED_CLIENT,
    "The app client may not use this flow",
    "response_type=code needs the flow code in AllowedOAuthFlows, response_type=token needs implicit, and both need "
    "AllowedOAuthFlowsUserPoolClient.",
    "Use response_type=code with a client that has the flow code.",
    "",
    level="documented",
    console="App client, Login pages, Edit: OAuth grant types.",
    terraform='allowed_oauth_flows_user_pool_client = true, allowed_oauth_flows = ["code"]',
)
_OWN_PROVIDER = "COGNITO"

NO_PROVIDER = Page(
    "IK1053",
    errors.INVALID_REQUEST,
    "The identity provider is not in this twin",
    "The request names an identity provider, by identity_provider or idp_identifier. The cloud would send the browser there, if "
    "the client may use it; the twin has no provider but the pool itself.",
    "Leave identity_provider out, or send COGNITO; test the way through another provider against the cloud.",
    "The identity provider is not known.",
    level="inferred",
    console="App client, Login pages, Edit: Identity providers.",
    terraform='supported_identity_providers = ["COGNITO"]',
)
SCOPE_NOT_ALLOWED = Page(
    "IK1024",
    errors.INVALID_SCOPE,
    "A scope that the client cannot have",
    "The scope is not in AllowedOAuthScopes, is misspelt (custom scopes begin with their resource server's identifier), or "
    "email, phone or profile came without openid.",
    "Ask for scopes as they are in AllowedOAuthScopes.",
    "",
    level="documented",
    console="App client, Login pages, Edit: scopes.",
    terraform='allowed_oauth_scopes = ["openid", "email", "IDENTIFIER/SCOPE"]',
)
BAD_RESOURCE = Page(
    "IK1025",
    errors.INVALID_REQUEST,
    "The resource cannot be bound to",
    "resource is one URL that begins with https://, http://localhost or an app's own scheme; it becomes aud of the access token.",
    "Send one resource, the https address of the API.",
    "",
    level="documented",
    console="User pool, Settings: the feature plan is Essentials or Plus.",
    terraform='user_pool_tier = "ESSENTIALS"',
)
NOBODY_SIGNED_IN = Page(
    "IK1026",
    errors.LOGIN_REQUIRED,
    "Nobody is signed in, and nobody may be asked",
    "prompt=none asks for an answer without a page, and the browser has no session with this pool, or an old one.",
    "Send the person through the same request without prompt=none.",
    "",
    level="documented",
)
