"""The configuration of an AgentCore authorizer, read as strictly as the service reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

from innkeeper.protocol.refusals import UsageError

_LISTS = ("allowedAudience", "allowedClients", "allowedScopes", "customClaims")
_DISCOVERY = re.compile(r".+/\.well-known/(openid-configuration|oauth-authorization-server)(/.*)?")
_IDENTITY = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_MATCHABLE = re.compile(r"[A-Za-z0-9_.-]+")


class ClaimMatchValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a claim must be: one text, or one of a list."""

    match_value_string: str | None = None
    match_value_string_list: tuple[str, ...] | None = None

    @property
    def values(self) -> tuple[str, ...]:
        one = () if self.match_value_string is None else (self.match_value_string,)
        return one + (self.match_value_string_list or ())


class ClaimMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How a claim is compared, with what."""

    claim_match_operator: Literal["EQUALS", "CONTAINS", "CONTAINS_ANY"]
    claim_match_value: ClaimMatchValue


class CustomClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One rule about one claim."""

    inbound_token_claim_name: str
    inbound_token_claim_value_type: Literal["STRING", "STRING_ARRAY"]
    authorizing_claim_match_value: ClaimMatch


class HostingEnvironment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What workloads run in: a gateway, by its ARN."""

    arn: str


class AllowedWorkloads(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Through which workloads requests may come."""

    hosting_environments: tuple[HostingEnvironment, ...] = ()
    workload_identities: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*(one.arn for one in self.hosting_environments), *self.workload_identities)


class Authorizer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``customJWTAuthorizer`` as CreateAgentRuntime and CreateGateway take it. A list that is absent is not checked."""

    discovery_url: str
    allowed_audience: tuple[str, ...] | None = None
    allowed_clients: tuple[str, ...] | None = None
    allowed_scopes: tuple[str, ...] | None = None
    custom_claims: tuple[CustomClaim, ...] | None = None
    advertised_scope_mapping: dict[str, str] | None = None
    private_endpoint: dict[str, Any] | None = None
    private_endpoint_overrides: list[Any] | None = None
    certificate_configurations: list[Any] | None = None
    allowed_workload_configuration: AllowedWorkloads | None = None


def authorizer(text: bytes, where: str) -> Authorizer:
    """The configuration in ``text``: the authorizer alone, or within what the API's create calls take.

    Raises ``UsageError`` for a configuration that the service would not take.
    """
    try:
        document: Any = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise UsageError(f"{where} is not JSON: {error}") from None
    for name in ("authorizerConfiguration", "customJWTAuthorizer"):
        if isinstance(document, dict) and name in document:
            document = document[name]
    try:
        found = msgspec.convert(document, Authorizer)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_explained(str(error))}") from None
    for trouble in _troubles(found):
        raise UsageError(f"{where}: AgentCore does not take this configuration: {trouble}")
    return found


def _troubles(config: Authorizer) -> Iterator[str]:
    """What the service's own model refuses."""
    if not _DISCOVERY.fullmatch(config.discovery_url):
        yield "discoveryUrl must be the address of a document: https://ISSUER/.well-known/openid-configuration"
    lists = (config.allowed_audience, config.allowed_clients, config.allowed_scopes, config.custom_claims)
    for name, listed in zip(_LISTS, lists, strict=True):
        if listed is not None and not listed:
            yield f"{name} is empty; leave it out where it is not to be checked"
    for rule in config.custom_claims or ():
        yield from _rule_troubles(rule)
    yield from _workload_troubles(config.allowed_workload_configuration or AllowedWorkloads())


def _workload_troubles(rules: AllowedWorkloads) -> Iterator[str]:
    for one in rules.hosting_environments:
        if not one.arn.startswith("arn:"):
            yield f"hostingEnvironments: {one.arn!r} is no ARN"
    for name in rules.workload_identities:
        if not _IDENTITY.fullmatch(name):
            yield f"workloadIdentities: {name!r} is no name: 3 to 255 letters, digits and _ . -"


def _rule_troubles(rule: CustomClaim) -> Iterator[str]:
    name, match = rule.inbound_token_claim_name, rule.authorizing_claim_match_value
    for value in match.claim_match_value.values:
        if not _MATCHABLE.fullmatch(value):
            yield f"customClaims {name}: {value!r} cannot be matched; only letters, digits and _ . - may stand in a value"
    wanted = ("EQUALS",) if rule.inbound_token_claim_value_type == "STRING" else ("CONTAINS", "CONTAINS_ANY")
    if match.claim_match_operator not in wanted:
        yield f"customClaims {name}: {rule.inbound_token_claim_value_type} goes with {' or '.join(wanted)}"
    if not match.claim_match_value.values:
        yield f"customClaims {name}: give matchValueString, or matchValueStringList for CONTAINS_ANY"


def _explained(message: str) -> str:
    """msgspec's words, and for an unknown member the near one that exists."""
    if "unknown field" not in message:
        return message
    wrong = message.split("`")[1]
    kinds = (Authorizer, CustomClaim, ClaimMatch, ClaimMatchValue, AllowedWorkloads, HostingEnvironment)
    known = sorted(field.encode_name for kind in kinds for field in msgspec.structs.fields(kind))
    near = get_close_matches(wrong, known, n=1)
    return f"unknown member {wrong!r}: {f'did you mean {near[0]!r}?' if near else ', '.join(known)}"
