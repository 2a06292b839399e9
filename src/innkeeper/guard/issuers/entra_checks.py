"""What Entra's tokens are checked for beside the ordinary: version, tenant, whose key, Graph, any permission at all."""

from __future__ import annotations

import re

from innkeeper.protocol.errors import INVALID_TOKEN
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, check
from innkeeper.tokens.verification import Presented

GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
GRAPH = frozenset(
    {
        "00000003-0000-0000-c000-000000000000",
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000002-0000-0000-c000-000000000000",
        "https://graph.windows.net",
        "https://graph.windows.net/",
    }
)
"""Microsoft's own APIs, as tokens name them."""

_TENANT_IN = re.compile(rf"https?://[^/]+/({GUID})/(?:v2\.0)?")
_WHERE = "Microsoft identity platform, "


def tenant_of(issuer: object) -> str:
    """The GUID in an issuer; "" where there is none."""
    found = _TENANT_IN.fullmatch(issuer) if isinstance(issuer, str) else None
    return found[1].lower() if found else ""


@check(f"{_WHERE}Access tokens")
def token_is_not_for_graph(case: Presented) -> Seen | Refusal:
    """The token must not be for Microsoft Graph: only Graph can verify those, and they open nothing else."""
    audience = case.claims.get("aud")
    if isinstance(audience, str) and audience in GRAPH:
        hint = "nonce in its header shows it, too" if "nonce" in case.header else "its aud says so"
        return Refusal(FOR_GRAPH, f"the token is for Microsoft Graph: {hint}", "a token for this API", "Graph's")
    return _NOT_GRAPH


@check(f"{_WHERE}Token versions")
def version_is_the_issuers(case: Presented) -> Seen | Refusal:
    """The version in ver must be the one whose issuer the token names."""
    expected = "2.0" if case.expected.issuer.endswith("/v2.0") else "1.0"
    found = case.claims.get("ver")
    if found != expected:
        return Refusal(
            VERSION_DIFFERS, f"ver is {str(found)[:40]!r} under an issuer of {expected}", expected, str(found)[:40]
        )
    return Seen(expected)


@check(f"{_WHERE}Validate the issuer")
def tenant_is_the_issuers(case: Presented) -> Seen | Refusal:
    """The tenant in tid must be the one in iss."""
    found, expected = case.claims.get("tid"), tenant_of(case.claims.get("iss"))
    if not isinstance(found, str) or not expected or found.lower() != expected:
        return Refusal(TENANT_DIFFERS, "tid is not the tenant that iss names", expected or "a GUID", str(found)[:80])
    return Seen(expected)


@check(f"{_WHERE}Validate the signing key issuer")
def key_is_for_the_tenant(case: Presented) -> Seen | Refusal:
    """Where the key says for which issuer it is, that must be this tenant's: all tenants share one set."""
    if not case.key_issuer:
        return _ANY_ISSUER
    tenant = tenant_of(case.claims.get("iss"))
    owner = re.sub(r"\{tenantid\}", tenant, case.key_issuer, flags=re.IGNORECASE)
    issuer = str(case.claims.get("iss"))
    same = owner.lower() == issuer.lower() if issuer.endswith("/v2.0") else tenant_of(owner) == tenant
    if not same:
        return Refusal(KEY_OF_ANOTHER, "the key is another tenant's", issuer, case.key_issuer)
    return Seen(case.key_issuer)


@check(f"{_WHERE}Validate the tenant")
def tenant_is_allowed(case: Presented) -> Seen | Refusal:
    """The tenant must be on the list, where one is kept."""
    tenant, listed = tenant_of(case.claims.get("iss")), case.expected.tenants
    if listed and tenant not in listed:
        return Refusal(TENANT_UNKNOWN, f"tenant {tenant} is not on the list", ", ".join(sorted(listed)), tenant)
    return Seen(tenant)


@check(f"{_WHERE}Validate the client")
def application_is_expected(case: Presented) -> Seen | Refusal:
    """The application in azp or appid must be on the list, where one is kept."""
    client, listed = case.claims.get("azp", case.claims.get("appid")), case.expected.clients
    if listed and (not isinstance(client, str) or client not in listed):
        return Refusal(
            APPLICATION_UNKNOWN, "the application is not on the list", ", ".join(sorted(listed)), str(client)[:80]
        )
    return Seen(str(client or "none named"))


@check(f"{_WHERE}Validate the application's or the user's permissions")
def token_carries_a_permission(case: Presented) -> Seen | Refusal:
    """The token must carry scp or roles: Entra gives tokens with neither to any application that asks."""
    scp, roles = case.claims.get("scp"), case.claims.get("roles")
    if (isinstance(scp, str) and scp.strip(" /")) or (isinstance(roles, list) and roles):
        return Seen("scp" if scp else "roles")
    return Refusal(NO_PERMISSION, "it has neither scp nor roles", "scp or roles", "neither")


_WIRE = "The access token is malformed, expired, revoked, or not meant for this resource."


def _page(number: str, title: str, cause: str, remedy: str) -> Page:
    return Page(number, INVALID_TOKEN, title, cause, remedy, _WIRE, 401)


FOR_GRAPH = _page(
    "IK552",
    "The token is for Microsoft Graph",
    "Asking Entra for User.Read, or for a scope without the API's own URI before it, gives a token for Microsoft Graph. Its "
    "signature is made so that nobody but Graph can verify it.",
    "Ask for this API's own scope, such as api://API-ID/orders.read, or api://API-ID/.default for an application.",
)
VERSION_DIFFERS = _page(
    "IK553",
    "Version and issuer of the Entra token do not belong together",
    "Tokens of version 1.0 come from sts.windows.net, those of version 2.0 from an issuer that ends in /v2.0.",
    "Get a new token. Entra never writes such a one: somebody else did, or a twin is set up wrongly.",
)
TENANT_DIFFERS = _page(
    "IK554",
    "The tenant in the Entra token is not its issuer's",
    "The claim tid and the tenant in iss must be the same: all tenants share their keys, so that the signature alone does "
    "not tell them apart.",
    "Get a new token. Entra never writes such a one.",
)
KEY_OF_ANOTHER = _page(
    "IK555",
    "The Entra token was signed with a key of another tenant",
    "In the key set each key says for which issuer it is, and this one is for another than the token names.",
    "Get a new token from the tenant this API names.",
)
TENANT_UNKNOWN = _page(
    "IK556",
    "The tenant is not allowed here",
    "The token is a real one, of a tenant that the guard was not told to take tokens from.",
    "Sign in at a tenant that this API serves, or add this one to tenants= where the guard is built.",
)
APPLICATION_UNKNOWN = _page(
    "IK557",
    "The application is not allowed here",
    "The guard lists the applications whose tokens it takes, and azp (appid in version 1.0) is not among them.",
    "Use a listed application, or add this one to clients= where the guard is built.",
)
NO_PERMISSION = _page(
    "IK558",
    "The Entra token carries no permission",
    "It has neither scp nor roles. Entra gives such a token to any application of the tenant that asks, so it says who "
    "asked and nothing else.",
    "Assign one of the API's app roles to the application's service principal, or let a person consent to a scope; then get "
    "a new token.",
)

ENTRA_EARLY = (token_is_not_for_graph,)
ENTRA_CHECKS = (
    version_is_the_issuers,
    tenant_is_the_issuers,
    key_is_for_the_tenant,
    tenant_is_allowed,
    application_is_expected,
    token_carries_a_permission,
)

_NOT_GRAPH = Seen("not Graph's")
_ANY_ISSUER = Seen("the key names no issuer")
