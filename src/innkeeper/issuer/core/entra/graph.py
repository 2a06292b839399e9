"""Microsoft Graph's gate: whose token is taken for what, and the errors it answers with."""

from __future__ import annotations

from typing import Any

import msgspec

from innkeeper.issuer.core.entra.aadsts import EntraPage
from innkeeper.issuer.core.entra.names import GRAPH_ID, GRAPH_URL
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

DIRECTORY_READ = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
DIRECTORY_WRITE = frozenset({"Directory.ReadWrite.All"})
APPLICATIONS_WRITE = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
APPLICATIONS_OWNED = APPLICATIONS_WRITE | {"Application.ReadWrite.OwnedBy"}
APPLICATIONS_READ = APPLICATIONS_OWNED | DIRECTORY_READ | {"Application.Read.All"}
ASSIGNMENTS_WRITE = frozenset({"AppRoleAssignment.ReadWrite.All", "Directory.ReadWrite.All"})
GRANTS_WRITE = frozenset({"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"})
USERS_WRITE = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
USERS_READ = USERS_WRITE | DIRECTORY_READ | {"User.Read.All"}
GROUPS_WRITE = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})
GROUPS_READ = GROUPS_WRITE | DIRECTORY_READ | {"Group.Read.All"}
OWN_PROFILE = USERS_READ | {"User.Read", "User.ReadBasic.All", "openid"}


class Case(msgspec.Struct, frozen=True):
    """``claims`` are the token's, ``problem`` why it cannot be read; ``needs`` the permissions of which one is needed."""

    sent: bool
    claims: dict[str, Any]
    problem: str
    graph: str
    needs: frozenset[str]
    now: int

    @property
    def has(self) -> frozenset[str]:
        """The permissions in the token: an application's roles and a person's scopes."""
        roles, scopes = self.claims.get("roles", []), str(self.claims.get("scp", ""))
        return frozenset([*roles, *scopes.split()])


@check("Microsoft Graph authorization")
def a_token_was_sent(case: Case) -> Seen | Refusal:
    """The request has an Authorization header with a bearer token."""
    return Seen("a token") if case.sent else Refusal(NO_TOKEN_SENT, "no bearer token", "Authorization: Bearer", "none")


@check("Microsoft Graph authorization")
def it_is_graphs(case: Case) -> Seen | Refusal:
    """A tenant of this house signed it, and it is for Microsoft Graph."""
    if case.problem:
        return Refusal(TOKEN_UNREADABLE, case.problem)
    audience = str(case.claims.get("aud"))
    if audience.rstrip("/") not in (GRAPH_ID, GRAPH_URL, case.graph):
        return Refusal(WRONG_AUDIENCE, "it is for another API", GRAPH_URL, audience)
    return Seen(audience)


@check("Microsoft Graph authorization")
def it_is_in_its_time(case: Case) -> Seen | Refusal:
    """It has not expired."""
    exp = int(case.claims.get("exp", 0))
    return Seen(f"{exp}") if exp > case.now else Refusal(TOKEN_EXPIRED, "it has expired", f"after {case.now}", f"{exp}")


@check("Microsoft Graph authorization")
def it_allows_the_call(case: Case) -> Seen | Refusal:
    """It has one of the permissions that the call needs: as a role of an application, or as a person's scope."""
    if not case.needs & case.has:
        return Refusal(DENIED, "no permission", " or ".join(sorted(case.needs)), " ".join(sorted(case.has)) or "none")
    return Seen(case.needs & case.has, case.needs)


CHECKS = (a_token_was_sent, it_is_graphs, it_is_in_its_time, it_allows_the_call)

_UNAUTHENTICATED = "InvalidAuthenticationToken"

NO_TOKEN_SENT = EntraPage(
    "IK1310",
    _UNAUTHENTICATED,
    "Graph was called without a token",
    "There is no Authorization header, or it is not a bearer token's.",
    "Get a token for https://graph.microsoft.com/.default and send it as a bearer token.",
    "Access token is empty.",
    401,
    level="observed",
)
TOKEN_UNREADABLE = EntraPage(
    "IK1311",
    _UNAUTHENTICATED,
    "The token is not one of Graph's",
    "It is cut off, from another issuer, or was made for an API of the tenant.",
    "Ask for the scope https://graph.microsoft.com/.default.",
    "Access token validation failure. Invalid signature.",
    401,
    level="observed",
)
WRONG_AUDIENCE = EntraPage(
    "IK1312",
    _UNAUTHENTICATED,
    "The token is for another API",
    "Its aud is not Microsoft Graph.",
    "Ask for the scope https://graph.microsoft.com/.default.",
    "Access token validation failure. Invalid audience.",
    401,
    level="observed",
)
TOKEN_EXPIRED = EntraPage(
    "IK1313",
    _UNAUTHENTICATED,
    "The token for Graph has expired",
    "Its exp has passed.",
    "Get a new one.",
    "Lifetime validation failed, the token is expired.",
    401,
    level="observed",
)
DENIED = EntraPage(
    "IK1314",
    "Authorization_RequestDenied",
    "The caller lacks a permission of Graph",
    "No app role or scope of Microsoft Graph in the token allows this call.",
    "Nothing in the code helps: grant the application the permission.",
    "Insufficient privileges to complete the operation.",
    403,
    level="documented",
    console="App registrations > your application > API permissions > Microsoft Graph > Grant admin consent.",
    terraform="azuread_app_role_assignment with a role of data.azuread_service_principal.msgraph.",
)
NOT_FOUND = EntraPage(
    "IK1315",
    "Request_ResourceNotFound",
    "No such object in the directory",
    "The id is of another tenant, was deleted, or is an application id where an object id is wanted.",
    "Use the object id; for an application's id, applications(appId='...').",
    "Resource does not exist or one of its queried reference-property objects are not present.",
    404,
    level="observed",
)
BAD_REQUEST = EntraPage(
    "IK1316",
    "Request_BadRequest",
    "Graph cannot take the object as it is",
    "A property is missing, of another kind, or breaks a rule of the directory, which the message names.",
    "Change what the message names.",
    "Invalid value specified for a property of the resource.",
    level="observed",
)
ENABLED_ENTITLEMENT = EntraPage(
    "IK1317",
    "CannotDeleteOrUpdateEnabledEntitlement",
    "A role or scope was removed while it was enabled",
    "A role or a scope must be disabled (isEnabled false) before it is removed or its value changes.",
    "Send a first PATCH with isEnabled false, then remove it.",
    "Property value cannot be deleted unless it is disabled first.",
    level="observed",
    console="App registrations, the API, App roles or Expose an API: switch it off, save, then remove it.",
    terraform="The provider does it in two steps by itself.",
)
SAME_KEY = EntraPage(
    "IK1318",
    "Request_MultipleObjectsWithSameKeyValue",
    "Such an object is there already",
    "A service principal for this application, or an object with this key, exists in the tenant.",
    "Use the one that is there.",
    "The service principal cannot be created, updated, or restored because the service principal name is already in use.",
    409,
    level="observed",
    console="App registrations: look it up by name or App ID URI.",
    terraform="terraform import takes it over.",
)
UNSUPPORTED_QUERY = EntraPage(
    "IK1319",
    "Request_UnsupportedQuery",
    "Graph does not know this query here",
    "The filter is one that the twin cannot evaluate, or the path none that it answers.",
    "Filter by eq and startswith, joined by and; list and choose in the program otherwise.",
    "Unsupported or invalid query filter clause specified.",
    level="inferred",
)
