"""The authorization request: what is checked before anybody looks at its person (RFC 6749 §4.1.1).

``PAGE_CHECKS`` decide whether the redirect URI can be trusted; their refusals are shown on a page and never
redirected. ``REQUEST_CHECKS`` are answered at the redirect URI.
"""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core import claims, details
from innkeeper.issuer.core.agents import at_rest
from innkeeper.issuer.core.delivery import Case
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import (
    NOTHING_WANTED,
    PKCE_ALWAYS,
    PKCE_OPTIONAL,
    Client,
    Wanted,
)
from innkeeper.issuer.core.responses import CODE, RESPONSE_CHECKS, mode_of, words_of
from innkeeper.issuer.core.scopes import Reach, nothing_there, permitted, reach, unknown_scope, unknown_target
from innkeeper.protocol import errors, pkce
from innkeeper.protocol.parameters import Parameters, scopes
from innkeeper.protocol.redirects import is_loopback, registered_for
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
CREATE = "create"


def prompts_of(policy: Policy) -> frozenset[str]:
    """The prompts that are known here: ``create`` where people make accounts by themselves."""
    return PROMPTS | {CREATE} if policy.sign_up else PROMPTS


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization request that was found good: what a code would be cut for. ``response_type`` in its words;
    ``subject`` is the one that its ID token may speak of, as the client knows them, "" for anybody."""

    client: Client
    redirect_uri: str
    response_mode: str
    state: str | None
    reach: Reach
    challenge: str | None
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    confirmation: dict[str, str] = {}
    claims: Wanted = NOTHING_WANTED
    details: tuple[dict[str, Any], ...] = ()
    id_token_hint: str = ""
    subject: str = ""
    acr_values: tuple[str, ...] = ()
    response_type: frozenset[str] = frozenset({CODE})

    @property
    def to_allow(self) -> frozenset[str]:
        """The scopes that the person is asked to allow: those asked for, and those of claims asked for by name."""
        return self.reach.scopes | claims.scopes_of(self.claims)


@check("RFC 6749 §3.1")
def the_client_and_its_redirect_are_named_once(case: Case) -> Seen | Refusal:
    """client_id and redirect_uri are sent, each once, or nobody could tell where an answer belongs."""
    doubled = case.ask.repeated & {"client_id", "redirect_uri"}
    if doubled:
        return Refusal(NO_REDIRECT, f"{min(doubled)} was sent more than once", "once", "more than once")
    missing = next((name for name in ("client_id", "redirect_uri") if name not in case.ask), None)
    if missing:
        return Refusal(NO_REDIRECT, f"{missing} is missing", missing, "no such parameter")
    return Seen(case.ask["client_id"])


@check("RFC 6749 §4.1.2.1")
def the_client_is_registered(case: Case) -> Seen | Refusal:
    """The client is one that this issuer knows."""
    sent = case.ask["client_id"]
    if case.client is None:
        reason = case.delivery.client_problem or f"no client {sent!r} is registered here"
        return Refusal(UNKNOWN_CLIENT, reason, "a registered client_id", sent)
    return Seen(case.client.name)


@check("RFC 9700 §4.1.3")
def the_redirect_uri_is_registered(case: Case) -> Seen | Refusal:
    """The redirect URI equals a registered one to the character; only a loopback port may differ."""
    sent, client = case.ask["redirect_uri"], case.client
    registered = client.redirect_uris if client else ()
    match = registered_for(sent, registered, any_loopback_port=bool(client and client.native))
    if match is None:
        reason = "the redirect_uri is not one the client registered"
        return Refusal(REDIRECT_MISMATCH, reason, " or ".join(registered) or "none is registered", sent)
    return Seen(sent, match)


@check("FAPI 2.0 Security Profile §5.3.2.2")
def the_redirect_is_as_safe_as_the_profile_asks(case: Case) -> Seen | Refusal:
    """Where the profile asks for it, the answer goes to an https address, or to a native client's own computer."""
    sent, client = case.ask["redirect_uri"], case.client
    native = bool(client and client.native and is_loopback(sent))
    if case.policy.profile_for(client).secure_redirects and not (sent.startswith("https://") or native):
        return Refusal(REDIRECT_PLAIN, "the redirect_uri is not https", "an https address", sent)
    return Seen(sent)


@check("RFC 6749 §3.1")
def no_parameter_is_repeated(case: Case) -> Seen | Refusal:
    """Each parameter is sent once; ``resource`` alone may repeat (RFC 8707 §2)."""
    repeated = case.ask.repeated - {"resource"}
    if repeated:
        return Refusal(REQUEST_WRONG, f"{min(repeated)!r} was sent more than once", "once", "more than once")
    return Seen("each once")


@check("RFC 9126 §4")
def the_reference_leads_to_a_request(case: Case) -> Seen | Refusal:
    """A request_uri of ours stands for a request that its client pushed a moment ago and that was not used yet."""
    if case.delivery.reference_problem:
        reason = case.delivery.reference_problem
        return Refusal(REFERENCE_DEAD, reason, "a request pushed by this client a moment ago", "none")
    return Seen("pushed" if case.delivery.pushed else "no reference")


@check("RFC 9101 §6")
def the_request_comes_in_a_way_that_is_taken(case: Case) -> Seen | Refusal:
    """Plain, pushed, or in an object that the client signed and sent or keeps at an address it registered."""
    if {"request", "request_uri"} <= case.ask.keys():
        return Refusal(REQUEST_WRONG, "request and request_uri came together", "one of them", "both")
    if case.delivery.unsupported:
        return Refusal(REQUEST_URI, "a request_uri that leads elsewhere was sent", "a pushed request", "a reference")
    if case.delivery.address_problem:
        reason, sent = case.delivery.address_problem, str(case.ask.get("request_uri"))
        return Refusal(REQUEST_ADDRESS, reason, "a request object at a registered address", sent)
    if case.delivery.object_problem:
        return Refusal(REQUEST_OBJECT, case.delivery.object_problem, "a request object signed by the client", "another")
    return Seen("signed by the client" if case.delivery.signed else "plain parameters")


@check("RFC 9126 §5")
def the_request_was_pushed_where_it_must_be(case: Case) -> Seen | Refusal:
    """A client or realm that demands pushed requests takes no others."""
    profile = case.policy.profile_for(case.client)
    must = case.policy.require_pushed or profile.require_pushed or bool(case.client and case.client.require_pushed)
    if must and not case.delivery.pushed:
        return Refusal(NOT_PUSHED, "the request was not pushed", "a pushed request", "one from the browser")
    return Seen("pushed" if case.delivery.pushed else "not demanded")


@check("RFC 9101 §10.5")
def the_request_is_signed_where_it_must_be(case: Case) -> Seen | Refusal:
    """A client or profile that demands signed requests takes no others."""
    profile = case.policy.profile_for(case.client)
    must = profile.require_signed or bool(case.client and case.client.require_signed_request_object)
    if must and not case.delivery.signed:
        return Refusal(NOT_SIGNED, "the request was not signed", "a signed request object", "plain parameters")
    return Seen("signed" if case.delivery.signed else "not demanded")


@check("RFC 6749 §4.1.2.1")
def an_agent_is_at_work(case: Case) -> Seen | Refusal:
    """An agent that is paused or revoked is let in by nobody."""
    agent = case.client.agent if case.client else None
    if case.client is None or agent is None:
        return Seen("no agent")
    return at_rest(case.client) or Seen("an active agent")


@check("RFC 7636 §4.4.1")
def a_proof_key_is_sent_where_it_must_be(case: Case) -> Seen | Refusal:
    """A public client sends an S256 challenge; a confidential one does, or its nonce stands in (OAuth 2.1 §7.5.1)."""
    challenge, method, client = case.ask.get("code_challenge"), case.ask.get("code_challenge_method"), case.client
    if challenge is None and CODE not in words_of(case.ask.get("response_type")):
        return Seen("no code, so nothing to prove")
    if challenge is None:
        return _without_challenge(case, client)
    if method != pkce.METHOD:
        return Refusal(
            PROOF_KEY, "the challenge's method is not S256", pkce.METHOD, method or "none, which means plain"
        )
    if not pkce.is_challenge(challenge):
        return Refusal(PROOF_KEY, "the challenge is no SHA-256 in base64url", "43 characters of base64url", challenge)
    return Seen(challenge, "an S256 challenge")


@check("RFC 6749 §3.3")
def the_scopes_are_the_clients(case: Case) -> Seen | Refusal:
    """Every scope asked for is one the client may have; some profiles give the others instead of a refusal."""
    asked = permitted(scopes(case.ask.get("scope")), case.client, case.policy)
    refusal = unknown_scope(asked, case.client, case.policy) if case.client else None
    return refusal or Seen(" ".join(sorted(asked)) or "none named: all the client's")


@check("RFC 8707 §2.1")
def the_resources_are_the_clients(case: Case) -> Seen | Refusal:
    """Every resource named is registered and has a scope the client may have."""
    sent = case.ask.many("resource")
    refusal = unknown_target(sent, case.client, case.policy) if case.client else None
    if refusal is None and case.client is not None:
        asked = permitted(scopes(case.ask.get("scope")), case.client, case.policy)
        refusal = nothing_there(asked, sent, reach(asked, sent, case.client, case.policy))
    return refusal or Seen(" ".join(sent) or "none named")


@check("OpenID Connect Core §3.1.2.1")
def prompt_and_max_age_make_sense(case: Case) -> Seen | Refusal:
    """``prompt`` holds known words and ``none`` stands alone; ``max_age`` is a number of seconds."""
    prompts, age = scopes(case.ask.get("prompt")), case.ask.get("max_age")
    known = prompts_of(case.policy)
    if prompts - known:
        return Refusal(REQUEST_WRONG, "an unknown prompt", " ".join(sorted(known)), " ".join(sorted(prompts)))
    if "none" in prompts and len(prompts) > 1:
        return Refusal(REQUEST_WRONG, "prompt none with others", "none alone", " ".join(sorted(prompts)))
    if age is not None and not (age.isascii() and age.isdigit() and len(age) < 10):
        return Refusal(REQUEST_WRONG, "max_age is no number of seconds", "digits", age)
    return Seen(" ".join(sorted(prompts)) or "none asked")


@check("OpenID Connect Core §5.5")
def the_claims_are_readable(case: Case) -> Seen | Refusal:
    """Claims asked for by name stand in a JSON object."""
    try:
        claims.read(case.ask.get("claims"))
    except claims.Unreadable as error:
        return Refusal(REQUEST_WRONG, str(error), "a JSON object", "another")
    return Seen("by name" if "claims" in case.ask else "none by name")


@check("RFC 9396 §5")
def the_details_are_ones_the_client_may_have(case: Case) -> Seen | Refusal:
    """Authorization details are of types that a resource of the client takes, with the fields that these have."""
    sent = case.ask.get(details.PARAMETER)
    if sent is None or case.client is None:
        return Seen("none")
    return details.judged(sent, case.client, case.policy, case.ask.many("resource"))


PAGE_CHECKS = (
    the_reference_leads_to_a_request,
    the_client_and_its_redirect_are_named_once,
    the_client_is_registered,
    the_redirect_uri_is_registered,
    the_redirect_is_as_safe_as_the_profile_asks,
)
REQUEST_CHECKS = (
    no_parameter_is_repeated,
    the_request_comes_in_a_way_that_is_taken,
    the_request_was_pushed_where_it_must_be,
    the_request_is_signed_where_it_must_be,
    an_agent_is_at_work,
    *RESPONSE_CHECKS,
    a_proof_key_is_sent_where_it_must_be,
    the_scopes_are_the_clients,
    the_resources_are_the_clients,
    the_details_are_ones_the_client_may_have,
    prompt_and_max_age_make_sense,
    the_claims_are_readable,
)


def _without_challenge(case: Case, client: Client | None) -> Seen | Refusal:
    if "code_challenge_method" in case.ask:
        return Refusal(PROOF_KEY, "a method came without a challenge", "code_challenge", "nothing")
    profile = case.policy.profile_for(client)
    if client is None or client.public or profile.always_pkce or client.pkce == PKCE_ALWAYS:
        return Refusal(PROOF_KEY, "no code_challenge came", "an S256 challenge", "nothing")
    openid = "openid" in scopes(case.ask.get("scope"))
    if profile.pkce_optional or client.pkce == PKCE_OPTIONAL or (openid and "nonce" in case.ask):
        return Seen("none; the client's secret and nonce stand in")
    return Refusal(PROOF_KEY, "neither code_challenge nor an OpenID nonce came", "an S256 challenge", "nothing")


def wanted(ask: Parameters, client: Client, policy: Policy) -> Authorization:
    """What the request asks for, once every check has passed."""
    max_age, resources = ask.get("max_age"), ask.many("resource")
    asked = permitted(scopes(ask.get("scope")), client, policy)
    reached, found = details.reached(ask.get(details.PARAMETER), asked, client.usual, resources, client, policy)
    return Authorization(
        client=client,
        redirect_uri=ask["redirect_uri"],
        response_type=words_of(ask.get("response_type")),
        response_mode=mode_of(ask.get("response_mode"), ask.get("response_type"), client, policy),
        state=ask.get("state"),
        reach=reached,
        details=found,
        challenge=ask.get("code_challenge"),
        nonce=ask.get("nonce"),
        prompts=scopes(ask.get("prompt")),
        max_age=int(max_age) if max_age is not None else client.default_max_age,
        login_hint=ask.get("login_hint", ""),
        id_token_hint=ask.get("id_token_hint", ""),
        subject=claims.subject_of(claims.read(ask.get("claims"))),
        acr_values=tuple(ask.get("acr_values", "").split()),
        claims=claims.within(claims.read(ask.get("claims")), client.scopes),
        confirmation={"jkt": ask["dpop_jkt"]} if "dpop_jkt" in ask else {},
    )


NO_REDIRECT = Page(
    "IK101",
    errors.INVALID_REQUEST,
    "The request does not say who asks or where to answer",
    "client_id or redirect_uri is missing or was sent twice, so no answer can safely be sent anywhere.",
    "Send client_id and redirect_uri, each once.",
    "The request lacks client_id or redirect_uri.",
)
UNKNOWN_CLIENT = Page(
    "IK102",
    errors.INVALID_REQUEST,
    "This client is not registered here",
    "The client_id is misspelt, or belongs to another issuer; or the client had registered itself, was not used for a while, "
    "and was forgotten.",
    "Compare it with `innkeeper client list`, or register the client with `innkeeper client add`. A program that registers "
    "itself does so anew once it forgets the id: in an MCP client, sign out of the server or clear its credentials.",
    "The client is not known here.",
)
REDIRECT_MISMATCH = Page(
    "IK103",
    errors.INVALID_REQUEST,
    "The redirect URI is not registered for this client",
    "Redirect URIs are compared character by character, because a near miss is how codes are stolen. Usual "
    "differences: http for https, localhost for 127.0.0.1, a trailing slash, a port, upper case.",
    "Register exactly the URI that is sent, or send exactly the one that is registered. Programs on this computer "
    "may use any loopback port when the client is registered as native.",
    "The redirect URI is not registered for this client.",
)
REDIRECT_PLAIN = Page(
    "IK104",
    errors.INVALID_REQUEST,
    "The redirect URI is not safe enough for the profile",
    "The client lives by a profile in which answers travel over https only, and its redirect URI is plain http or an "
    "app's own scheme, which another app can claim.",
    "Register an https redirect URI; a native client may use http on a loopback address.",
    "The redirect URI must use https.",
)
REQUEST_WRONG = Page(
    "IK110",
    errors.INVALID_REQUEST,
    "A parameter is missing, repeated or malformed",
    "A parameter has a value that its specification does not allow, came twice, or did not come.",
    "The reason names the parameter and what it may be.",
    "A parameter is missing, repeated or malformed.",
)
PROOF_KEY = Page(
    "IK113",
    errors.INVALID_REQUEST,
    "PKCE is missing or not S256",
    "Without a proof key anyone who sees the code can redeem it. Public clients always send one; confidential ones "
    "send one or an OpenID nonce. The method plain protects nothing and is refused.",
    "Make a random verifier, send code_challenge = BASE64URL(SHA256(verifier)) and code_challenge_method=S256, "
    "keep the verifier for the token request. Every current OAuth library has a switch for it.",
    "An S256 code challenge is required.",
)
REQUEST_OBJECT = Page(
    "IK114",
    errors.INVALID_REQUEST_OBJECT,
    "The request object is no good",
    "The request came packed into a JWT that no key of the client verifies, or that is addressed to another issuer, "
    "has expired, names another client, or holds a further object.",
    "Sign it with a key the client registered, aud the issuer, iss and client_id the client, exp some minutes ahead.",
    "The request object is not valid.",
)
REQUEST_ADDRESS = Page(
    "IK105",
    errors.INVALID_REQUEST_URI,
    "The request could not be had from its address",
    "request_uri leads to an address that the client did not register, that cannot be reached, or where something "
    "else than a request object stands.",
    "Register the address under request_uris, on https; answer within seconds with the signed JWT alone.",
    "The request could not be read from the request_uri.",
)
REQUEST_URI = Page(
    "IK115",
    errors.REQUEST_URI_NOT_SUPPORTED,
    "Requests by reference are not read here",
    "The parameters were to be fetched from an address of the client's, which its profile does not allow.",
    "Push the request beforehand, or send it plainly; discovery says request_uri_parameter_supported false for a whole "
    "issuer that reads none.",
    "The request_uri parameter is not supported.",
)
REFERENCE_DEAD = Page(
    "IK116",
    errors.INVALID_REQUEST_URI,
    "The request_uri leads to no request",
    "A pushed request is kept for a minute, for the client that pushed it, and until it has led to a code.",
    "Push the request again and send the browser on at once, with the same client_id.",
    "The request_uri is not valid or no longer valid.",
)
NOT_PUSHED = Page(
    "IK117",
    errors.INVALID_REQUEST,
    "The request must be pushed",
    "The client or the realm takes pushed authorization requests only (RFC 9126).",
    "Send the parameters to the pushed_authorization_request_endpoint first, then the browser with the request_uri.",
    "The request must be pushed first.",
)
NOT_SIGNED = Page(
    "IK118",
    errors.INVALID_REQUEST,
    "The request must be signed",
    "The client or its profile takes signed authorization requests only, so that the client can prove what it asked.",
    "Put the parameters into a request object signed with the client's key, and push that as request.",
    "The request must come in a signed request object.",
)
