"""Amazon Bedrock AgentCore's inbound JWT authorizer, by its own configuration (``customJWTAuthorizer``), verbatim.

A simulator: it makes the checks the service is documented to make, each of them, and says what the service's bare 401
does not. What is inferred and not documented is said in the how-to page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from innkeeper.client.asking import Flow, now
from innkeeper.explain.authorizer import Authorizer, CustomClaim
from innkeeper.explain.mending import Situation, mends
from innkeeper.explain.published import Published, fetched
from innkeeper.explain.verdicts import UNDECIDED, Verdict, follow_all, unconfigured
from innkeeper.keys.jwk import read_set
from innkeeper.keys.jws import NotAToken, parse
from innkeeper.protocol.errors import INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.tokens.trail import Check, Seen, check
from innkeeper.tokens.verification import EXPIRED, FALSE_SIGNATURE, NOT_A_JWT, TOO_EARLY, UNKNOWN_KEY, Signature

READER = "an Amazon Bedrock AgentCore authorizer"


class Inbound(msgspec.Struct, frozen=True):
    """A token before the authorizer, with what its issuer publishes. ``unreadable`` says why it is no JWT at all; ``workload``
    is what the request came through, where somebody says so."""

    authorizer: Authorizer
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    published: Published
    signature: Signature
    now: float
    unreadable: str = ""
    workload: str = ""


def judging(config: Authorizer, token: str, keys: Mapping[str, Any] | None = None, workload: str = "") -> Flow[Verdict]:
    """What the authorizer makes of ``token``. ``keys`` are the issuer's where they are not to be fetched; ``workload`` is what
    the request came through: a gateway's ARN, or a workload's identity."""
    if keys is None:
        published = yield from fetched(config.discovery_url)
    else:
        published = _given(config, keys)
    case = msgspec.structs.replace(_presented(config, token, published, (yield from now())), workload=workload)
    trail = follow_all("AgentCore", AGENTCORE_CHECKS[:1] if case.unreadable else AGENTCORE_CHECKS, case)
    verdict = Verdict(READER, trail, AGENTCORE_CHECKS, _unasked(config, workload))
    situation = Situation(case.header, case.claims, "agentcore", expected={"issuer": published.issuer})
    return msgspec.structs.replace(verdict, mends=mends(situation, verdict.refusals))


@check("AgentCore authorizer, JWT")
def token_is_a_jwt(case: Inbound) -> Seen | Refusal:
    """The token is a JWT in three parts."""
    if case.unreadable:
        return Refusal(NOT_A_JWT, case.unreadable, "header.claims.signature", "something else")
    return Seen("header.claims.signature")


@check("AgentCore authorizer, discoveryUrl")
def keys_are_found_by_the_discovery_url(case: Inbound) -> Seen | Refusal:
    """The document at discoveryUrl leads to the issuer's keys."""
    if case.published.obstacle:
        return Refusal(NO_KEYS, case.published.obstacle, "a document with issuer and jwks_uri", "none")
    found = f"{len(case.published.keys)} keys of {case.published.issuer}"
    if case.authorizer.private_endpoint or case.authorizer.private_endpoint_overrides:
        return Seen(f"{found}; from here, where AgentCore goes through its private endpoint")
    return Seen(found)


@check("AgentCore authorizer, signature")
def signature_is_by_one_of_the_keys(case: Inbound) -> Seen | Refusal:
    """The signature is by a key in the issuer's set."""
    kid = repr(case.header.get("kid"))
    match case.signature:
        case "valid":
            return Seen("valid")
        case "no key":
            return Refusal(UNKNOWN_KEY, f"the issuer publishes no key {kid} for this", "a published key", f"kid {kid}")
        case "invalid":
            return Refusal(FALSE_SIGNATURE, "the signature does not fit", "valid", "invalid")
        case _:
            return Seen("not checked: the keys could not be had")


@check("AgentCore authorizer, issuer")
def iss_is_the_documents_issuer(case: Inbound) -> Seen | Refusal:
    """iss equals the issuer in the discovery document, to the character."""
    expected, found = case.published.issuer, case.claims.get("iss")
    if not expected:
        return Seen("not checked: the document could not be had")
    if found != expected:
        return Refusal(OTHER_ISSUER, f"iss is {found!r}, the document says {expected!r}", expected, repr(found))
    return Seen(expected, expected)


@check("AgentCore authorizer, time")
def time_is_within_exp_and_nbf(case: Inbound) -> Seen | Refusal:
    """The time is before exp and not before nbf."""
    end, start = case.claims.get("exp"), case.claims.get("nbf", 0)
    if not isinstance(end, int | float) or case.now >= end:
        age = f"{int(case.now - end)} s ago" if isinstance(end, int | float) else "at no time it names"
        return Refusal(EXPIRED, f"it expired {age}", "exp in the future", f"exp {end}")
    if isinstance(start, int | float) and case.now < start:
        return Refusal(TOO_EARLY, f"it is valid in {int(start - case.now)} s", "nbf in the past", f"nbf {start}")
    return Seen(f"{int(end - case.now)} s left")


@check("AgentCore authorizer, allowedAudience")
def an_audience_is_allowed(case: Inbound) -> Seen | Refusal:
    """One of the audiences in aud is in allowedAudience."""
    allowed, found = case.authorizer.allowed_audience, _texts(case.claims.get("aud"))
    if allowed is None:
        return unconfigured("allowedAudience")
    if not set(allowed) & set(found):
        said = "the token has no aud" if not found else f"aud is {', '.join(found)}"
        return Refusal(OTHER_AUDIENCE, said, " or ".join(allowed), ", ".join(found) or "no aud")
    return Seen(sorted(set(allowed) & set(found)), allowed)


@check("AgentCore authorizer, allowedClients")
def the_client_is_allowed(case: Inbound) -> Seen | Refusal:
    """The claim client_id is in allowedClients; no other name of a client counts."""
    allowed, found = case.authorizer.allowed_clients, case.claims.get("client_id")
    if allowed is None:
        return unconfigured("allowedClients")
    if found not in allowed:
        other = next((f" (it names its client in {name})" for name in _CLIENTS if name in case.claims), "")
        said = f"client_id is {found!r}" if found is not None else f"the token has no client_id{other}"
        return Refusal(OTHER_CLIENT, said, " or ".join(allowed), repr(found) if found is not None else "no client_id")
    return Seen(str(found), allowed)


@check("AgentCore authorizer, allowedScopes")
def a_scope_is_allowed(case: Inbound) -> Seen | Refusal:
    """At least one of the token's scopes is in allowedScopes."""
    allowed, found = case.authorizer.allowed_scopes, scopes_of(case.claims)
    if allowed is None:
        return unconfigured("allowedScopes")
    if not set(allowed) & set(found):
        return Refusal(
            OTHER_SCOPES, "none of the token's scopes is allowed", " or ".join(allowed), " ".join(found) or "no scope"
        )
    return Seen(sorted(set(allowed) & set(found)), allowed)


@check("AgentCore authorizer, customClaims")
def every_custom_claim_matches(case: Inbound) -> Seen | Refusal:
    """Every rule in customClaims holds: the claim is there, of the type said, and matches."""
    rules = case.authorizer.custom_claims
    if rules is None:
        return unconfigured("customClaims")
    for rule in rules:
        name, wanted = rule.inbound_token_claim_name, rule.authorizing_claim_match_value
        why = _mismatch(rule, case.claims.get(name))
        if why:
            expected = f"{name} {wanted.claim_match_operator} {' or '.join(wanted.claim_match_value.values)}"
            found = f"{name} = {case.claims[name]!r}" if name in case.claims else f"no {name}"
            return Refusal(OTHER_CLAIM, f"{name} {why}", expected, found)
    return Seen([rule.inbound_token_claim_name for rule in rules])


@check("AgentCore authorizer, allowedWorkloadConfiguration")
def the_workload_is_allowed(case: Inbound) -> Seen | Refusal:
    """The workload through which the request came is allowed; that stands in the request and not in the token."""
    rules = case.authorizer.allowed_workload_configuration
    if rules is None:
        return unconfigured("allowedWorkloadConfiguration")
    if not case.workload:
        return Seen("no token says it: --workload names the gateway's ARN or the workload's identity", rules.names)
    if case.workload not in rules.names:
        return Refusal(OTHER_WORKLOAD, f"it came through {case.workload}", " or ".join(rules.names), case.workload)
    return Seen(case.workload, rules.names)


AGENTCORE_CHECKS: tuple[Check[Inbound], ...] = (
    token_is_a_jwt,
    keys_are_found_by_the_discovery_url,
    signature_is_by_one_of_the_keys,
    iss_is_the_documents_issuer,
    time_is_within_exp_and_nbf,
    an_audience_is_allowed,
    the_client_is_allowed,
    a_scope_is_allowed,
    every_custom_claim_matches,
    the_workload_is_allowed,
)


def _page(number: str, title: str, cause: str, remedy: str) -> Page:
    return Page(number, INVALID_TOKEN, title, cause, remedy, "", 401)


NO_KEYS = _page(
    "IK800",
    "The discovery URL leads to no keys",
    "The document at discoveryUrl could not be had from here, or names no usable key set.",
    "Open the URL. AgentCore must reach it as well, from its own network. Here, --keys gives the keys in a file.",
)
UNDECIDED.add(NO_KEYS)
OTHER_ISSUER = _page(
    "IK801",
    "The token is by another issuer than the discovery document's",
    "iss in the token and issuer in the document differ; they are compared as strings.",
    "Use the discovery URL of the issuer that the token names.",
)
OTHER_AUDIENCE = _page(
    "IK802",
    "No audience of the token is in allowedAudience",
    "allowedAudience looks at aud alone, and the token's aud holds none of the values.",
    "Put into allowedAudience what the token's aud says, or ask the issuer for a token with this audience.",
)
OTHER_CLIENT = _page(
    "IK803",
    "The client is not in allowedClients",
    "allowedClients looks at the claim client_id alone: not at azp, appid or cid.",
    "Add the token's client_id, or use a rule in customClaims where the issuer names clients in another claim.",
)
OTHER_SCOPES = _page(
    "IK804",
    "No scope of the token is in allowedScopes",
    "The token's scopes, compared as whole strings, hold none of the values.",
    "Ask for a token with one of these scopes, or list the scopes as the token spells them.",
)
OTHER_CLAIM = _page(
    "IK805",
    "A custom claim does not match",
    "A rule in customClaims names a claim that the token lacks, has in another type, or with another value.",
    "Compare the rule with the claim above: its name, STRING or STRING_ARRAY, and the value.",
)

OTHER_WORKLOAD = _page(
    "IK806",
    "The workload is not allowed",
    "allowedWorkloadConfiguration names the gateways and identities through which requests may come, and this is none of them.",
    "Add the gateway's ARN to hostingEnvironments, or the identity to workloadIdentities.",
)

_CLIENTS = ("azp", "appid", "cid")


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """The scopes a token says it has: ``scope``, or ``scp`` as text or list."""
    said = claims.get("scope", claims.get("scp", ""))
    return said.split() if isinstance(said, str) else _texts(said)


def _mismatch(rule: CustomClaim, found: object) -> str:
    """Why a claim does not match; "" where it does."""
    wanted = rule.authorizing_claim_match_value.claim_match_value.values
    if found is None:
        return "is missing"
    if rule.inbound_token_claim_value_type == "STRING":
        return "" if found in wanted else "is no string" if not isinstance(found, str) else "is another value"
    if not isinstance(found, list):
        return "is no list"
    return "" if set(wanted) & set(map(str, found)) else "does not contain it"


def _presented(config: Authorizer, token: str, published: Published, moment: float) -> Inbound:
    try:
        parsed = parse(token)
        claims = read_object(parsed.claims)
    except (NotAToken, NotStrict) as error:
        return Inbound(config, {}, {}, published, "unchecked", moment, str(error))
    return Inbound(config, parsed.header, claims, published, published.signature(parsed), moment)


def _given(config: Authorizer, keys: Mapping[str, Any]) -> Published:
    issuer = config.discovery_url.partition("/.well-known/")[0]
    return Published(issuer, read_set(keys)[0])


def _unasked(config: Authorizer, workload: str) -> frozenset[str]:
    lists = (config.allowed_audience, config.allowed_clients, config.allowed_scopes, config.custom_claims)
    rules = (*lists, config.allowed_workload_configuration if workload else None)
    return frozenset(one.name for one, rule in zip(AGENTCORE_CHECKS[5:], rules, strict=True) if rule is None)


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return [value] if isinstance(value, str) else []
