"""What an authorization request is answered with, and how that travels (OAuth 2.0 Multiple Response Type Encoding Practices).

A code, unless the profile in force allows more: then tokens too, which travel in the fragment and are never in a query.
"""

from __future__ import annotations

from innkeeper.issuer.core.delivery import Case
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.profiles import JWT_MODES, QUERY_MODES
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.core.token import AUTHORIZATION_CODE
from innkeeper.protocol import errors
from innkeeper.protocol.parameters import Parameters, scopes
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

CODE, TOKEN, ID_TOKEN = "code", "token", "id_token"

RESPONSE_MODES = (*QUERY_MODES, *JWT_MODES)
"""The response modes that are spoken here; a profile may allow fewer of them."""


def words_of(response_type: str | None) -> frozenset[str]:
    """The parts of a response type, whose order means nothing."""
    return frozenset((response_type or CODE).split())


def modes(client: Client | None, policy: Policy) -> tuple[str, ...]:
    """The response modes that a client may ask for."""
    return tuple(one for one in RESPONSE_MODES if one in policy.profile_for(client).response_modes)


def mode_of(sent: str | None, response_type: str | None, client: Client | None, policy: Policy) -> str:
    """The mode asked for, else the usual one: the query for a code, the fragment for tokens that the profile allows,
    and where it has neither mode, its first. ``jwt`` is the usual one with a JWT in it (JARM §2.3.4)."""
    allowed, spoken = modes(client, policy), policy.profile_for(client).response_types
    words = words_of(response_type)
    usual = "fragment" if words != {CODE} and " ".join(sorted(words)) in spoken else "query"
    chosen = usual if usual in allowed or not allowed else allowed[0]
    if sent in allowed and not _shows(str(sent), response_type):
        chosen = str(sent)
    return f"{usual}.jwt" if chosen == "jwt" else chosen


@check("RFC 6749 §4.1.1")
def the_response_type_is_spoken(case: Case) -> Seen | Refusal:
    """The response type is ``code``; tokens travel through a browser only where the profile allows that."""
    sent, spoken = case.ask.get("response_type"), case.policy.profile_for(case.client).response_types
    if sent is None:
        return Refusal(RESPONSE_TYPE_MISSING, "response_type is missing", CODE, "no such parameter")
    if " ".join(sorted(sent.split())) not in spoken:
        return Refusal(RESPONSE_TYPE, f"no response type {sent!r} here", " or ".join(spoken), sent)
    return Seen(sent, spoken)


@check("RFC 6749 §4.1.2.1")
def the_client_may_use_the_response_type(case: Case) -> Seen | Refusal:
    """The client is registered for the code grant where a code is asked for, and for tokens where they are."""
    words, client = words_of(case.ask.get("response_type")), case.client
    grants, types = (client.grants, client.response_types) if client else (frozenset[str](), frozenset[str]())
    if CODE in words and AUTHORIZATION_CODE not in grants:
        return Refusal(NOT_FOR_CODE, "the client may not use codes", AUTHORIZATION_CODE, " ".join(sorted(grants)))
    named = " ".join(sorted(words))
    if words != {CODE} and named not in types:
        return Refusal(NOT_FOR_CODE, f"the client may not use {named}", named, " or ".join(sorted(types)))
    if client and TOKEN in words and (client.dpop_bound or client.tls_client_certificate_bound_access_tokens):
        return Refusal(NOT_FOR_CODE, "the client's tokens are always bound, and a browser proves no key", CODE, named)
    return Seen(named, types)


@check("OAuth 2.0 Multiple Response Types §2.1")
def the_response_mode_is_spoken(case: Case) -> Seen | Refusal:
    """The answer travels in a way that the profile allows; tokens never travel in a query."""
    sent, allowed = case.ask.get("response_mode"), modes(case.client, case.policy)
    if sent is None:
        return Seen(mode_of(None, case.ask.get("response_type"), case.client, case.policy), allowed)
    if sent not in allowed:
        return Refusal(RESPONSE_MODE, f"no response_mode {sent!r} here", " or ".join(allowed), sent)
    if _shows(sent, case.ask.get("response_type")):
        return Refusal(RESPONSE_MODE, "tokens do not travel in a query", "fragment or form_post", sent)
    return Seen(sent, allowed)


@check("OpenID Connect Core §3.2.2.1")
def an_id_token_in_front_has_its_nonce(case: Case) -> Seen | Refusal:
    """An ID token that travels through the browser answers an OpenID request, and repeats its nonce."""
    if ID_TOKEN not in words_of(case.ask.get("response_type")):
        return Seen("none in front")
    if "openid" not in scopes(case.ask.get("scope")):
        return Refusal(RESPONSE_TYPE_MISSING, "an ID token is asked for without the scope openid", "openid", "none")
    if "nonce" not in case.ask:
        return Refusal(RESPONSE_TYPE_MISSING, "an ID token is asked for without a nonce", "nonce", "nothing")
    return Seen(case.ask["nonce"])


RESPONSE_CHECKS = (
    the_response_type_is_spoken,
    the_client_may_use_the_response_type,
    the_response_mode_is_spoken,
    an_id_token_in_front_has_its_nonce,
)

RESPONSE_TYPE = Page(
    "IK111",
    errors.UNSUPPORTED_RESPONSE_TYPE,
    "This response type is not spoken here",
    "The implicit and hybrid types put tokens into the browser's address bar; OAuth 2.1 removed them. Only the profile "
    "oidc-certification, which is for that suite, has them.",
    "Send response_type=code and redeem the code at the token endpoint.",
    "The response type is not supported.",
)
NOT_FOR_CODE = Page(
    "IK112",
    errors.UNAUTHORIZED_CLIENT,
    "The client may not use this response type",
    "The client is registered for other grants only, for example client_credentials, or for other response types.",
    "Register it for authorization_code, or let it get its token from the token endpoint directly.",
    "The client is not allowed to use this response type.",
)
RESPONSE_MODE = Page(
    "IK107",
    errors.INVALID_REQUEST,
    "The answer cannot travel in this way",
    "The response_mode is unknown, the profile allows others only, or tokens were to travel in a query, where servers "
    "and histories keep them.",
    "Leave response_mode out, or send one of those in response_modes_supported of the discovery document.",
    "The response mode is not supported for this request.",
)
RESPONSE_TYPE_MISSING = Page(
    "IK108",
    errors.INVALID_REQUEST,
    "The request does not say enough about its answer",
    "response_type did not come; or an ID token is asked for from the authorization endpoint without openid or nonce.",
    "Send response_type=code. An ID token from the authorization endpoint needs the scope openid and a fresh nonce.",
    "A parameter that the response needs is missing.",
)


def _shows(mode: str, response_type: str | None) -> bool:
    """Whether the mode would put tokens into a query."""
    return mode.startswith("query") and words_of(response_type) != {CODE}


def parameter(ask: Parameters, name: str) -> str | None:
    """A parameter as far as it can be read: None where it came twice."""
    return ask[name] if name in ask and name not in ask.repeated else None
