"""A request at the door: which tenant it went to, whether it can be read, which application sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from innkeeper.issuer.core.entra.aadsts import refuse
from innkeeper.issuer.core.entra.codes import clients, tenants
from innkeeper.issuer.core.entra.names import ALIASES, V2, is_tenant_name
from innkeeper.issuer.core.entra.parties import Party, Tenant
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import Seen, check


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it was sent: ``authority`` is the first part of its path, ``sent`` its parameters, ``origin`` the
    page that a browser sends it for."""

    version: int = V2
    authority: str
    method: str = "POST"
    sent: Mapping[str, str] = {}
    repeated: str = ""
    problem: str = ""
    origin: str = ""
    address: str = ""

    def get(self, name: str) -> str:
        return self.sent.get(name, "")


class AtTheDoor(Protocol):
    """What the checks here look at."""

    @property
    def ask(self) -> Ask: ...
    @property
    def tenant(self) -> Tenant | None: ...
    @property
    def party(self) -> Party | None: ...


@check("AADSTS 900023")
def the_tenant_is_spelt_as_one(case: AtTheDoor) -> Seen | Refusal:
    """The address begins with a tenant's GUID, one of its domains, or common, organizations or consumers."""
    name = case.ask.authority
    if not is_tenant_name(name):
        return refuse(tenants.TENANT_MALFORMED, f"{name!r} is no tenant's name", found=name, tenant=name)
    return Seen(name, "a GUID, a domain or an alias")


@check("AADSTS 90002")
def the_tenant_is_here(case: AtTheDoor) -> Seen | Refusal:
    """The tenant exists."""
    name = case.ask.authority
    if case.tenant is None and name not in ALIASES:
        return refuse(tenants.TENANT_UNKNOWN, f"no tenant {name} in this house", found=name, tenant=name)
    return Seen(case.tenant.id if case.tenant else name)


@check("AADSTS 900561")
def the_method_is_post(case: AtTheDoor) -> Seen | Refusal:
    """Tokens are asked for by POST."""
    if case.ask.method != "POST":
        what = {"allowed": "POST, OPTIONS", "method": case.ask.method}
        return refuse(tenants.POST_ONLY, "it is opened by POST only", expected="POST", found=case.ask.method, **what)
    return Seen("POST")


@check("AADSTS 9002313")
def the_request_can_be_read(case: AtTheDoor) -> Seen | Refusal:
    """The parameters are a form in UTF-8, and each stands in it once. Those that nobody knows are let be."""
    if case.ask.problem or case.ask.repeated:
        why = case.ask.problem or f"{case.ask.repeated!r} was sent more than once"
        return refuse(tenants.MALFORMED, why)
    return Seen(f"{len(case.ask.sent)} parameters")


@check("AADSTS 900144")
def the_client_is_named(case: AtTheDoor) -> Seen | Refusal:
    """The request says which application sends it."""
    if not case.ask.get("client_id"):
        return missing("client_id")
    return Seen(case.ask.get("client_id"))


@check("AADSTS 700016")
def the_client_is_in_the_tenant(case: AtTheDoor) -> Seen | Refusal:
    """The application is registered in the tenant, or is for several tenants and was installed there."""
    if case.party is None:
        where = case.tenant.name if case.tenant else case.ask.authority
        sent = case.ask.get("client_id")
        return refuse(clients.CLIENT_UNKNOWN, f"no application {sent} here", found=sent, client=sent, tenant=where)
    return Seen(case.party.name)


@check("AADSTS 50194")
def the_client_is_for_that_many_tenants(case: AtTheDoor) -> Seen | Refusal:
    """An application of one tenant is used at that tenant, not at common."""
    party = case.party
    if case.tenant is None and party is not None and not party.application.multi_tenant:
        audience = party.application.sign_in_audience
        return refuse(
            tenants.ONE_TENANT_ONLY,
            f"sign_in_audience is {audience}",
            expected="AzureADMultipleOrgs",
            found=audience,
            client=party.id,
            name=party.name,
        )
    return Seen(party.application.sign_in_audience if party else "")


@check("AADSTS 7000112")
def the_client_is_enabled(case: AtTheDoor) -> Seen | Refusal:
    """Nobody switched the application off."""
    party = case.party
    if party is not None and party.principal is not None and not party.principal.account_enabled:
        return refuse(clients.CLIENT_DISABLED, "accountEnabled is false", client=party.id, name=party.name)
    return Seen("enabled")


def missing(parameter: str) -> Refusal:
    """The refusal for a parameter that was not sent, which it names."""
    return refuse(
        tenants.PARAMETER_MISSING, f"{parameter} is missing", expected=parameter, found="nothing", parameter=parameter
    )


def contexts(claims: str) -> tuple[str, ...]:
    """The authentication contexts (``acrs``) that a claims request wants in the access token; none where it cannot be read.

    An API that wants one challenges with such a request, which the client passes on. The twin has no Conditional Access that
    would want more of anybody, so whoever signed in has what is asked for.
    """
    try:
        wanted = msgspec.json.decode(claims or "{}", type=_Claims).access_token.acrs
    except msgspec.DecodeError:
        return ()
    return tuple(dict.fromkeys([*wanted.values, *([wanted.value] if wanted.value else [])]))


class _Acrs(msgspec.Struct, frozen=True):
    value: str = ""
    values: tuple[str, ...] = ()


class _AccessToken(msgspec.Struct, frozen=True):
    acrs: _Acrs = _Acrs()


class _Claims(msgspec.Struct, frozen=True):
    access_token: _AccessToken = _AccessToken()
