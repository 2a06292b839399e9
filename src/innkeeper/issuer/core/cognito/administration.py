"""Pools, clients, resource servers, domains and groups are set up: what may be, and what each is refused for."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.issuer.core.cognito.records import (
    CLIENT_CREDENTIALS,
    CODE,
    IMPLICIT,
    LEGACY_FLOWS,
    STANDARD_SCOPES,
    UNITS,
    Pool,
)
from innkeeper.protocol.redirects import LOOPBACK_HOSTS
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check

FLOWS = (CODE, IMPLICIT, CLIENT_CREDENTIALS)
_NAME = re.compile(r"[\w\s+=,.@-]{1,128}")
_SECRET = re.compile(r"[\w+]{24,64}")
_IDENTIFIER = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,256}")
_SCOPE = re.compile(r"[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]{1,256}")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}")
_RESERVED = ("aws", "amazon", "cognito")
_DAY, _SHORTEST = 86400, 300
_REFRESH_SHORTEST, _REFRESH_LONGEST = 3600, 315_360_000


def bad(reason: str, expected: str, found: str, said: str) -> Refusal:
    return Refusal(PARAMETER_BAD, reason, expected, found, said=said)


class ClientCase(msgspec.Struct, frozen=True):
    """A client as it is to be; ``known`` are the custom scopes of the pool's resource servers."""

    name: str
    said: dict[str, Any]
    has_secret: bool
    known: frozenset[str]
    own_secret: str = ""
    generate: bool = False

    def listed(self, member: str) -> list[str]:
        return list(self.said.get(member) or ())


@check("Cognito API: ClientName")
def the_name_can_be_a_clients(case: ClientCase) -> Seen | Refusal:
    """The name has letters, digits, spaces and + = , . @ - alone."""
    if not _NAME.fullmatch(case.name):
        said = (
            f"1 validation error detected: Value '{case.name}' at 'clientName' failed to satisfy constraint: Member must "
            r"satisfy regular expression pattern: [\w\s+=,.@-]+"
        )
        return bad("the name has other characters", "letters, digits, spaces and + = , . @ -", case.name, said)
    return Seen(case.name)


@check("Cognito API: ClientSecret")
def the_secret_is_given_or_made(case: ClientCase) -> Seen | Refusal:
    """A secret is either made here or given, and then 24 to 64 letters, digits, _ and +."""
    if case.own_secret and case.generate:
        said = "Client secret cannot be specified when GenerateSecret is true."
        return bad("both ClientSecret and GenerateSecret", "one of them", "both", said)
    if case.own_secret and not _SECRET.fullmatch(case.own_secret):
        said = "Client secret does not satisfy the length or pattern requirements."
        return bad(
            "the secret is too short, too long or has other characters", "24 to 64 of [A-Za-z0-9_+]", "another", said
        )
    return Seen("has one" if case.has_secret else "none")


@check("Cognito app client: AllowedOAuthFlows")
def the_oauth_flows_go_together(case: ClientCase) -> Seen | Refusal:
    """Client credentials stand alone, and with a secret; other flows are code and implicit."""
    flows = case.listed("AllowedOAuthFlows")
    unknown = next((one for one in flows if one not in FLOWS), None)
    if unknown:
        return bad("no such flow", " ".join(FLOWS), unknown, f"Invalid OAuth flow: {unknown}")
    if CLIENT_CREDENTIALS in flows and len(flows) > 1:
        said = "client_credentials flow can not be selected along with code flow or implicit flow."
        return Refusal(FLOWS_TOGETHER, "client_credentials beside others", "alone", " ".join(flows), said=said)
    if CLIENT_CREDENTIALS in flows and not case.has_secret:
        said = "client_credentials flow can not be selected if client does not have a client secret."
        return Refusal(FLOWS_TOGETHER, "client_credentials without a secret", "a secret", "none", said=said)
    if case.said.get("AllowedOAuthFlowsUserPoolClient") and not (flows and case.listed("AllowedOAuthScopes")):
        said = (
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
        )
        return Refusal(FLOWS_TOGETHER, "no flows or no scopes", "both", "one at most", said=said)
    return Seen(flows)


@check("Cognito API: ScopeDoesNotExistException")
def the_oauth_scopes_exist(case: ClientCase) -> Seen | Refusal:
    """Every scope is one of Cognito's own or of a resource server that is there already."""
    for one in case.listed("AllowedOAuthScopes"):
        if one not in STANDARD_SCOPES and one not in case.known:
            said = f"Invalid scope requested: {one}"
            return Refusal(
                SCOPE_MISSING, "no resource server has it", " ".join(sorted(case.known)) or "none", one, said=said
            )
    if case.listed("AllowedOAuthFlows") == [CLIENT_CREDENTIALS]:
        about_people = [one for one in case.listed("AllowedOAuthScopes") if one in STANDARD_SCOPES]
        if about_people:
            said = f"{about_people[0]} is not supported with client_credentials flow."
            return Refusal(FLOWS_TOGETHER, "a scope about people", "custom scopes", about_people[0], said=said)
    return Seen(case.listed("AllowedOAuthScopes"))


@check("Cognito app client: CallbackURLs")
def the_addresses_can_be_registered(case: ClientCase) -> Seen | Refusal:
    """Callback and sign-out URLs are absolute, without a fragment, https but on loopback; flows for people need one."""
    for one in (*case.listed("CallbackURLs"), *case.listed("LogoutURLs")):
        parts = urlsplit(one)
        plain = parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS
        if not parts.scheme or parts.fragment or "#" in one or plain:
            said = f"{one} cannot be used as a redirect URL."
            return bad("a URL that cannot be registered", "https, or http on localhost; no fragment", one, said)
    first = case.said.get("DefaultRedirectURI")
    if first and first not in case.listed("CallbackURLs"):
        return bad(
            "DefaultRedirectURI is no callback URL",
            "one of CallbackURLs",
            first,
            "DefaultRedirectURI must be in CallbackURLs.",
        )
    if not case.listed("CallbackURLs") and {CODE, IMPLICIT}.intersection(case.listed("AllowedOAuthFlows")):
        said = "At least one callback URL must be provided for the code and implicit flows."
        return bad("no callback URL", "one at least", "none", said)
    return Seen(case.listed("CallbackURLs"))


@check("Cognito app client: ExplicitAuthFlows")
def the_sign_in_flows_go_together(case: ClientCase) -> Seen | Refusal:
    """Older names of flows do not mix with ALLOW_ ones, and rotation not with ALLOW_REFRESH_TOKEN_AUTH."""
    flows = case.listed("ExplicitAuthFlows")
    old = [one for one in flows if one in LEGACY_FLOWS]
    if old and len(old) < len(flows):
        said = "Cannot use USER_PASSWORD_AUTH, ADMIN_NO_SRP_AUTH or CUSTOM_AUTH_FLOW_ONLY with ALLOW_ prefixed values."
        return bad("older and newer names together", "one kind", " ".join(flows), said)
    unknown = next((one for one in flows if one not in LEGACY_FLOWS and not one.startswith("ALLOW_")), None)
    if unknown:
        return bad("no such flow", "ALLOW_...", unknown, f"Invalid ExplicitAuthFlows: {unknown}")
    rotates = (case.said.get("RefreshTokenRotation") or {}).get("Feature") == "ENABLED"
    if rotates and "ALLOW_REFRESH_TOKEN_AUTH" in flows:
        said = "Refresh token rotation cannot be enabled with ALLOW_REFRESH_TOKEN_AUTH."
        return bad("rotation beside ALLOW_REFRESH_TOKEN_AUTH", "one of them", "both", said)
    return Seen(flows)


@check("Cognito app client: token validity")
def the_lifetimes_are_within_bounds(case: ClientCase) -> Seen | Refusal:
    """Access and ID tokens live five minutes to a day, refresh tokens an hour to ten years."""
    bounds = {
        "AccessToken": (_SHORTEST, _DAY, "hours"),
        "IdToken": (_SHORTEST, _DAY, "hours"),
        "RefreshToken": (_REFRESH_SHORTEST, _REFRESH_LONGEST, "days"),
    }
    for token, (least, most, usual) in bounds.items():
        unit = (case.said.get("TokenValidityUnits") or {}).get(token) or usual
        seconds = int(case.said.get(f"{token}Validity") or 0) * UNITS.get(unit, 0)
        if seconds and not least <= seconds <= most:
            said = f"Invalid range for token validity: {token}Validity"
            return bad(f"{token} would live {seconds} s", f"{least} to {most} s", f"{seconds} s", said)
    return Seen("within bounds")


CLIENT_CHECKS = (
    the_name_can_be_a_clients,
    the_secret_is_given_or_made,
    the_oauth_flows_go_together,
    the_oauth_scopes_exist,
    the_addresses_can_be_registered,
    the_sign_in_flows_go_together,
    the_lifetimes_are_within_bounds,
)


class ServerCase(msgspec.Struct, frozen=True):
    pool_id: str
    identifier: str
    scopes: tuple[str, ...]
    taken: bool


@check("Cognito API: resource server identifier")
def the_identifier_can_be_used(case: ServerCase) -> Seen | Refusal:
    """The identifier is printable, without spaces, quotes and backslashes."""
    if not _IDENTIFIER.fullmatch(case.identifier):
        return bad(
            "the identifier has other characters",
            "1 to 256 printable",
            case.identifier,
            "Invalid resource server identifier.",
        )
    return Seen(case.identifier)


@check("Cognito API: resource server scopes")
def the_scope_names_can_be_used(case: ServerCase) -> Seen | Refusal:
    """A scope's name has no slash: the identifier stands before it."""
    for one in case.scopes:
        if not _SCOPE.fullmatch(one):
            return bad(
                "the scope's name has other characters", "printable, without /", one, f"Invalid scope name: {one}"
            )
    return Seen(case.scopes)


@check("Cognito API: resource server identifier")
def the_identifier_is_free(case: ServerCase) -> Seen | Refusal:
    """No resource server of the pool has it."""
    if case.taken:
        said = f"{case.identifier} already exists in user pool {case.pool_id}."
        return bad("it is taken", "a free identifier", case.identifier, said)
    return Seen("free")


SERVER_CHECKS = (the_identifier_can_be_used, the_scope_names_can_be_used, the_identifier_is_free)


class DomainCase(msgspec.Struct, frozen=True):
    """``own_host`` says that a certificate came along: the domain is a host of one's own."""

    name: str
    own_host: bool
    taken: bool
    pool: Pool


@check("Cognito API: domain")
def the_domain_can_be_used(case: DomainCase) -> Seen | Refusal:
    """A prefix has lower-case letters, digits and inner hyphens, and none of AWS's names in it; a host of one's own is a host."""
    fits = (_HOST if case.own_host else _PREFIX).fullmatch(case.name)
    if not fits:
        return bad("no prefix and no host", "a-z, 0-9 and -", case.name, "Invalid domain name.")
    reserved = next((one for one in _RESERVED if one in case.name), None)
    if reserved and not case.own_host:
        said = f"Domain cannot contain reserved word: {reserved}"
        return bad("a reserved word is in it", "another prefix", reserved, said)
    return Seen(case.name)


@check("Cognito API: domain")
def the_domain_is_free(case: DomainCase) -> Seen | Refusal:
    """No pool has the domain, and this pool has none yet."""
    if case.taken:
        return bad("another pool has it", "a free domain", case.name, "Domain already exists.")
    if case.pool.domain and case.pool.domain != case.name:
        said = f"User pool already has a domain configured: {case.pool.domain}"
        return bad("the pool has a domain", "none yet", case.pool.domain, said)
    return Seen("free")


DOMAIN_CHECKS = (the_domain_can_be_used, the_domain_is_free)


@check("Cognito user pool: DeletionProtection")
def the_pool_is_not_protected(pool: Pool) -> Seen | Refusal:
    """Deletion protection is off."""
    if pool.said.get("DeletionProtection") == "ACTIVE":
        said = "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first."
        return bad("deletion protection is on", "INACTIVE", "ACTIVE", said)
    return Seen("INACTIVE")


@check("Cognito user pool: domain")
def the_pool_has_no_domain(pool: Pool) -> Seen | Refusal:
    """The domain was deleted first."""
    if pool.domain:
        said = "User pool cannot be deleted. It has a domain configured that should be deleted first."
        return bad("the pool has a domain", "none", pool.domain, said)
    return Seen("none")


DELETE_POOL_CHECKS = (the_pool_is_not_protected, the_pool_has_no_domain)


@check("Cognito user pool: schema")
def the_attributes_are_new(names: tuple[tuple[str, ...], tuple[str, ...]]) -> Seen | Refusal:
    """An attribute that is added is not there yet."""
    added, there = names
    known = next((one for one in added if one in there), None)
    if known:
        return bad(
            "the attribute is there", "a new name", known, f"{known}: Existing attribute already has name {known}."
        )
    return Seen(added)


ATTRIBUTE_CHECKS = (the_attributes_are_new,)


@check("Cognito API: GroupExistsException")
def the_group_is_new(taken: tuple[str, bool]) -> Seen | Refusal:
    """No group of the pool has the name."""
    if taken[1]:
        return Refusal(GROUP_TAKEN, "a group has that name", "a free name", taken[0])
    return Seen(taken[0])


GROUP_CHECKS = (the_group_is_new,)


class SecretsCase(msgspec.Struct, frozen=True):
    """``adding`` or, else, removing one."""

    count: int
    adding: bool
    kind: str


@check("Cognito app client: two active secrets")
def one_or_two_secrets_are_left(case: SecretsCase) -> Seen | Refusal:
    """A client has two secrets at most, and its last one is not deleted; one that registered itself has its one."""
    if case.kind == "DCR":
        said = "Client secret operations are not supported for clients created with dynamic client registration."
        return bad("the client registered itself", "a client made by the API", "DCR", said)
    if case.adding and case.count >= 2:
        return Refusal(TOO_MUCH, "two secrets are there", "one at most", str(case.count))
    if not case.adding and case.count <= 1:
        return bad("the last secret", "two", "1", "The last client secret cannot be deleted.")
    return Seen(str(case.count))


SECRET_CHECKS = (one_or_two_secrets_are_left,)

PARAMETER_BAD = Page(
    "IK1150",
    "InvalidParameterException",
    "A parameter does not fit",
    "A value has other characters or is out of the bounds that the operation has for it, or two members exclude each other.",
    "Read the message: it names the member. `innkeeper explain` and the log say what was expected.",
    "Invalid parameter.",
    level="inferred",
    console="The console offers only values that fit.",
    terraform="terraform validate finds most of it before anything is sent.",
)
FLOWS_TOGETHER = Page(
    "IK1151",
    "InvalidOAuthFlowException",
    "OAuth flows that do not go together",
    "client_credentials has to be a client's only flow, needs a secret, and has custom scopes alone.",
    "Make one client for machines and another for people.",
    "Invalid OAuth flows.",
    level="documented",
    console="Create a client of the type machine-to-machine.",
    terraform='Two aws_cognito_user_pool_client: one with ["client_credentials"] and generate_secret = true, one with ["code"].',
)
SCOPE_MISSING = Page(
    "IK1152",
    "ScopeDoesNotExistException",
    "A scope of no resource server",
    "AllowedOAuthScopes names a custom scope whose resource server does not exist, or not yet: Terraform makes things that do "
    "not refer to each other in any order.",
    "Create the resource server first; spell the scope IDENTIFIER/NAME.",
    "Invalid scope requested",
    level="documented",
    console="User pool, Branding, Domain, Resource servers.",
    terraform="allowed_oauth_scopes = aws_cognito_resource_server.NAME.scope_identifiers",
)
GROUP_TAKEN = Page(
    "IK1153",
    "GroupExistsException",
    "A group has that name",
    "Names of groups are unique in a pool.",
    "Use UpdateGroup, or another name.",
    "A group with the name already exists.",
    level="documented",
    console="Groups: look it up.",
    terraform="terraform import aws_cognito_user_group.x POOL/NAME takes the group over.",
)
TOO_MUCH = Page(
    "IK1154",
    "LimitExceededException",
    "More than there may be",
    "A client has two secrets at most.",
    "Delete the older one with DeleteUserPoolClientSecret.",
    "Maximum number of client secrets reached.",
    level="documented",
    console="Service Quotas, Amazon Cognito user pools.",
    terraform="aws_servicequotas_service_quota asks for more, where the quota can be raised.",
)
