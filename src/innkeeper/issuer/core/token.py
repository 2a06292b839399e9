"""The token endpoint: which grant is asked for, and what it comes to (RFC 6749 §3.2)."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.agents import at_rest
from innkeeper.issuer.core.binding import brought
from innkeeper.issuer.core.records import Client, Grant
from innkeeper.protocol.errors import INVALID_REQUEST, UNAUTHORIZED_CLIENT, UNSUPPORTED_GRANT_TYPE
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.values import OWN, Value
from innkeeper.tokens.trail import Seen, check

AUTHORIZATION_CODE = "authorization_code"
CLIENT_CREDENTIALS = "client_credentials"
REFRESH_TOKEN = "refresh_token"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CIBA = "urn:openid:params:grant-type:ciba"

SHORT_NAMES = {
    "device_code": DEVICE_CODE,
    "token_exchange": TOKEN_EXCHANGE,
    "jwt_bearer": JWT_BEARER,
    "ciba": CIBA,
}
"""What an operator may write instead of a grant's long name."""


NOTHING = Parameters([])


class TokenRequest(Value, frozen=True, gc=False):
    """A token request without its client authentication. Empty strings and tuples mean not sent.

    ``sent`` has every parameter, for grants with parameters of their own. ``confirmation`` is what new tokens are
    bound to, ``proved`` every key that the caller proved to hold, ``audiences`` the names under which an assertion may address us.
    """

    grant_type: str
    scopes: frozenset[str] = frozenset()
    resources: tuple[str, ...] = ()
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    refresh_token: str = ""
    sent: Parameters = NOTHING
    confirmation: dict[str, str] = OWN
    proved: dict[str, str] = OWN
    audiences: frozenset[str] = frozenset()


class Issue(Value, frozen=True, kw_only=True, gc=False):
    """What to cut: an access token always, an ID token and a refresh token where these are given.

    ``subject`` is a person's ``sub`` or, for a client on its own behalf, its id. ``refresh`` says that the
    refresh token made for this request was committed and may be handed out. ``confirmation`` binds the token to
    a key (``cnf``), ``details`` are authorization details, ``actor`` is who acts for the subject (``act``);
    ``may_act`` is who may come to, ``issued_type`` the type of token to tell where a grant has to tell it, and
    ``lifetime`` in seconds, where it is another than the policy's; ``more`` is what a dialect's tokens say beyond all this.
    ``assertion`` are the claims of an identity assertion, to be cut in the place of an access token.
    """

    client: Client
    subject: str
    scopes: frozenset[str]
    audience: tuple[str, ...]
    grant: Grant | None = None
    id_token: bool = False
    nonce: str | None = None
    refresh: bool = False
    confirmation: dict[str, str] = OWN
    details: tuple[dict[str, Any], ...] = ()
    actor: dict[str, Any] | None = None
    may_act: dict[str, Any] | None = None
    issued_type: str = ""
    lifetime: int | None = None
    more: dict[str, Any] = OWN
    assertion: dict[str, Any] = OWN


class Fresh(Value, frozen=True, gc=False):
    """What a decision may hand out, made before it: the hash of a new refresh token."""

    refresh_digest: bytes = b""


class GrantTypeCase(Value, frozen=True, gc=False):
    parameters: Parameters
    client: Client
    confirmation: dict[str, str] = OWN
    require_bound: bool = False
    owner_gone: bool = False


@check("RFC 6749 §3.2")
def no_parameter_is_repeated(case: GrantTypeCase) -> Seen | Refusal:
    """Each parameter is sent once; ``resource`` alone may repeat, and ``audience`` where a token is exchanged."""
    if case.parameters.repeated and (repeated := case.parameters.repeated - _may_repeat(case.parameters)):
        return Refusal(REPEATED, f"{min(repeated)!r} was sent more than once", "once", "more than once")
    return Seen(f"{len(case.parameters)} parameters, each once")


def _may_repeat(sent: Parameters) -> set[str]:
    return {"resource", "audience"} if sent.many("grant_type") == (TOKEN_EXCHANGE,) else {"resource"}


@check("RFC 6749 §4.1.3")
def a_grant_type_is_named(case: GrantTypeCase) -> Seen | Refusal:
    """The request says which grant it redeems."""
    if "grant_type" not in case.parameters:
        return Refusal(NO_GRANT_TYPE, "grant_type is missing", "grant_type", "no such parameter")
    return Seen(case.parameters["grant_type"])


@check("RFC 6749 §5.2")
def the_grant_type_is_known(case: GrantTypeCase) -> Seen | Refusal:
    """The grant is one that this issuer speaks."""
    sent = case.parameters["grant_type"]
    if sent not in PARAMETERS_OF:
        return Refusal(UNKNOWN_GRANT_TYPE, f"no grant {sent!r} here", ", ".join(PARAMETERS_OF), sent)
    return Seen(sent)


@check("RFC 6749 §5.2")
def the_client_may_use_the_grant(case: GrantTypeCase) -> Seen | Refusal:
    """The client is registered for the grant; a public client has none of its own to spend."""
    sent, allowed = case.parameters["grant_type"], case.client.grants
    if sent not in allowed:
        hint = f"`innkeeper client grants {case.client.id} --add {sent}` allows it."
        expected = " or ".join(sorted(allowed))
        return Refusal(GRANT_NOT_ALLOWED, f"client {case.client.id!r} may not use {sent}", expected, sent, hint)
    if sent == CLIENT_CREDENTIALS and case.client.public:
        return Refusal(GRANT_NOT_ALLOWED, "a public client has no credentials", "a confidential client", "none")
    return Seen(sent, allowed)


@check("RFC 6749 §5.2")
def an_agent_is_at_work(case: GrantTypeCase) -> Seen | Refusal:
    """An agent is neither paused nor revoked, and somebody answers for it."""
    if case.client.agent is None:
        return Seen("no agent")
    return at_rest(case.client, owner_gone=case.owner_gone) or Seen("an active agent")


@check("RFC 9449 §5.2")
def a_bound_client_brings_a_proof(case: GrantTypeCase) -> Seen | Refusal:
    """A client whose tokens are always bound proves a key with every request."""
    return brought(case.client, case.confirmation, required=case.require_bound)


@check("RFC 6749 §4.1.3")
def what_the_grant_needs_is_there(case: GrantTypeCase) -> Seen | Refusal:
    """Every parameter without which the grant cannot be redeemed was sent."""
    needed = PARAMETERS_OF[case.parameters["grant_type"]]
    missing = next((name for name in needed if name not in case.parameters), None)
    if missing:
        return Refusal(PARAMETER_MISSING, f"{missing} is missing", ", ".join(needed), ", ".join(case.parameters))
    return Seen(needed or "nothing more")


GRANT_TYPE_CHECKS = (
    no_parameter_is_repeated,
    a_grant_type_is_named,
    the_grant_type_is_known,
    the_client_may_use_the_grant,
    an_agent_is_at_work,
    a_bound_client_brings_a_proof,
    what_the_grant_needs_is_there,
)

PARAMETERS_OF = {
    AUTHORIZATION_CODE: ("code",),
    CLIENT_CREDENTIALS: (),
    REFRESH_TOKEN: ("refresh_token",),
    DEVICE_CODE: ("device_code",),
    TOKEN_EXCHANGE: ("subject_token", "subject_token_type"),
    JWT_BEARER: ("assertion",),
    CIBA: ("auth_req_id",),
}

REPEATED = Page(
    "IK220",
    INVALID_REQUEST,
    "A parameter was sent more than once",
    "Two values for one name let two readers of the request disagree about it, so neither is taken.",
    "Send each parameter once.",
    "A parameter was sent more than once.",
)
NO_GRANT_TYPE = Page(
    "IK221",
    INVALID_REQUEST,
    "The grant type is missing",
    "The body has no grant_type: often it was sent as JSON, in the query, or not at all.",
    "Send a form body (application/x-www-form-urlencoded) with grant_type.",
    "The parameter grant_type is missing.",
)
UNKNOWN_GRANT_TYPE = Page(
    "IK222",
    UNSUPPORTED_GRANT_TYPE,
    "The grant type is not one this issuer speaks",
    "The grant_type is misspelt, or it is one that OAuth 2.1 removed, such as password.",
    "Use a grant listed under grant_types_supported in the discovery document.",
    "The grant type is not supported.",
)
GRANT_NOT_ALLOWED = Page(
    "IK223",
    UNAUTHORIZED_CLIENT,
    "The client may not use this grant",
    "The client is registered for other grants, or it is public and asked for client credentials.",
    "Register the grant for the client, or use the one it has.",
    "The client is not allowed to use this grant type.",
)
PARAMETER_MISSING = Page(
    "IK224",
    INVALID_REQUEST,
    "The grant lacks a parameter",
    "The grant cannot be redeemed without, for example, code or refresh_token. An empty value counts as missing.",
    "Send the parameter in the form body.",
    "A required parameter is missing.",
)
UNREADABLE = Page(
    "IK225",
    INVALID_REQUEST,
    "The request body cannot be read",
    "The body is not a form, not UTF-8, too large, or was cut off.",
    "Send application/x-www-form-urlencoded in UTF-8, smaller than 64 KiB.",
    "The request body cannot be read.",
)
