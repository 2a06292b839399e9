"""The token endpoint: which grant is asked for, by whom, and what comes of it as a value to be signed."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core.entra import asking
from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.asking import Ask, missing
from innkeeper.issuer.core.entra.codes import clients, grants, tenants
from innkeeper.issuer.core.entra.directory import SPA
from innkeeper.issuer.core.entra.names import ALIASES, ORGANIZATIONS
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.issuer.core.records import Grant, Person
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check

AUTHORIZATION_CODE = "authorization_code"
CLIENT_CREDENTIALS = "client_credentials"
REFRESH_TOKEN = "refresh_token"
PASSWORD = "password"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"

NEEDED = {
    AUTHORIZATION_CODE: ("code",),
    CLIENT_CREDENTIALS: (),
    REFRESH_TOKEN: ("refresh_token",),
    PASSWORD: ("username", "password"),
    DEVICE_CODE: ("device_code",),
    ON_BEHALF_OF: ("assertion", "requested_token_use"),
    "device_code": ("device_code",),
}
"""The grants, and the parameters without which each cannot be redeemed. Old clients spell the device grant short."""

KEEPS_A_SECRET = frozenset({CLIENT_CREDENTIALS, ON_BEHALF_OF})
"""Grants of applications that keep a secret; a public client has none of its own to spend."""


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """What to cut: an access token always; ``openid`` says whether an ID token and a refresh token go along.

    ``audience`` is what the resource was called, ``told`` the scopes as the answer spells them. ``grant`` is the person's
    authorization, None where the client acts for itself; ``refresh_until`` when its refresh token dies, None for none.
    """

    tenant: Tenant
    client: Party
    resource: Party
    audience: str
    strength: str
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    openid: frozenset[str] = frozenset()
    person: Person | None = None
    grant: Grant | None = None
    nonce: str | None = None
    refresh_until: int | None = None


class Case(msgspec.Struct, frozen=True):
    """``platform`` is that of the redirect URI behind a code or refresh token, "" where there is none."""

    ask: Ask
    tenant: Tenant | None
    party: Party | None
    platform: str = ""


@check("AADSTS 900144")
def a_grant_type_is_named(case: Case) -> Seen | Refusal:
    """The request says which grant it redeems."""
    return Seen(case.ask.get("grant_type")) if case.ask.get("grant_type") else missing("grant_type")


@check("AADSTS 70003")
def the_grant_type_is_known(case: Case) -> Seen | Refusal:
    """The grant is one that Entra speaks."""
    sent = case.ask.get("grant_type")
    if sent not in NEEDED:
        return refuse(grants.GRANT_UNKNOWN, f"no grant {sent!r}", expected=" or ".join(NEEDED), found=sent, grant=sent)
    return Seen(sent)


@check("AADSTS 9001023")
def the_grant_can_tell_the_tenant(case: Case) -> Seen | Refusal:
    """Client credentials and passwords name nobody's tenant, so the address has to."""
    grant, authority = case.ask.get("grant_type"), case.ask.authority
    by_name = grant == PASSWORD and authority == ORGANIZATIONS
    if grant in (CLIENT_CREDENTIALS, PASSWORD) and authority in ALIASES and not by_name:
        return refuse(tenants.GRANT_NEEDS_TENANT, f"{grant} at {authority}", expected="a tenant", found=authority)
    return Seen(authority)


@check("AADSTS 900144")
def what_the_grant_needs_is_there(case: Case) -> Seen | Refusal:
    """Every parameter without which the grant cannot be redeemed was sent; the answer names the first missing."""
    needed = NEEDED[case.ask.get("grant_type")]
    lacking = next((name for name in needed if not case.ask.get(name)), None)
    return missing(lacking) if lacking else Seen(needed or "nothing more")


@check("AADSTS 9002326")
def only_single_page_applications_ask_across_origins(case: Case) -> Seen | Refusal:
    """A request with an Origin header comes from a page; only what a single-page application got is redeemed by one."""
    if case.ask.origin and case.platform != SPA:
        origin = case.ask.origin
        expected = "a redirect URI of the platform spa"
        return refuse(clients.SPA_ONLY, "another platform", expected=expected, found=case.platform, origin=origin)
    return Seen(case.ask.origin or "no origin")


@check("AADSTS 9002327")
def a_single_page_application_asks_from_a_page(case: Case) -> Seen | Refusal:
    """What a single-page application got is redeemed by a page, which sends its origin."""
    if case.platform == SPA and not case.ask.origin:
        return refuse(clients.SPA_NEEDS_ORIGIN, "no Origin header", expected="an Origin header", found="none")
    return Seen(case.platform or "no platform")


REQUEST_CHECKS = (
    asking.the_tenant_is_spelt_as_one,
    asking.the_tenant_is_here,
    asking.the_method_is_post,
    asking.the_request_can_be_read,
    a_grant_type_is_named,
    the_grant_type_is_known,
    asking.the_client_is_named,
    the_grant_can_tell_the_tenant,
    asking.the_client_is_in_the_tenant,
    asking.the_client_is_for_that_many_tenants,
    asking.the_client_is_enabled,
    what_the_grant_needs_is_there,
    only_single_page_applications_ask_across_origins,
    a_single_page_application_asks_from_a_page,
)
