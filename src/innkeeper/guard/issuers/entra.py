"""Microsoft Entra ID: two versions of tokens, one set of keys for every tenant, people apart from applications.

What is relied on: https://learn.microsoft.com/entra/identity-platform/access-tokens and claims-validation beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

import msgspec

from innkeeper.guard.issuers.entra_checks import ENTRA_CHECKS, ENTRA_EARLY, GRAPH, GUID
from innkeeper.guard.issuers.preset import Claims, Preset, names
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.verification import Expected

ANY_TENANT: Final = "any tenant, everybody who has one"
"""In the place of tenants: whoever has an Entra tenant, which anyone may open, gets past the issuer's check."""

_CLOUDS = {
    "login.microsoftonline.com": "sts.windows.net",
    "login.windows.net": "sts.windows.net",
    "login.microsoft.com": "sts.windows.net",
    "sts.windows.net": "sts.windows.net",
    "login.microsoftonline.us": "sts.windows.net",
    "login.partner.microsoftonline.cn": "sts.chinacloudapi.cn",
}
_HOME = {
    "login.windows.net": "login.microsoftonline.com",
    "login.microsoft.com": "login.microsoftonline.com",
    "sts.windows.net": "login.microsoftonline.com",
}
"""Other names of the public cloud: tokens never name them as the place that made them."""

_ISSUER = re.compile(rf"(https?)://([^/?#]+)/({GUID}|common|organizations)(?:/v2\.0|/)?", re.IGNORECASE)
_TWIN = re.compile(rf"https?://[^/?#]+/{GUID}/v2\.0", re.IGNORECASE)
_TEMPLATE = "{tenantid}"

_TYPES = frozenset({"jwt", "at+jwt"})
_REQUIRED = ("iss", "exp", "iat", "aud", "sub")


class _Place(NamedTuple):
    """Where a tenant's tokens come from. ``tenant`` is a GUID, or "" for many tenants."""

    scheme: str
    host: str
    tenant: str
    segment: str

    def issuer(self, version: Literal[1, 2]) -> str:
        tenant = self.tenant or _TEMPLATE
        if version == 2:
            return f"{self.scheme}://{self.host}/{tenant}/v2.0"
        return f"{self.scheme}://{_CLOUDS.get(self.host, self.host)}/{tenant}/"

    def document(self, version: Literal[1, 2]) -> str:
        return f"{self.scheme}://{self.host}/{self.segment}{'/v2.0' * (version == 2)}/.well-known/openid-configuration"

    def family(self, version: Literal[1, 2]) -> re.Pattern[str] | None:
        """For many tenants: every issuer that differs from the template in its GUID alone."""
        if self.tenant:
            return None
        before, _, after = self.issuer(version).partition(_TEMPLATE)
        return re.compile(f"{re.escape(before)}{GUID}{re.escape(after)}")


def is_entra(issuer: str) -> bool:
    """Whether an issuer is an Entra tenant, at Microsoft's hosts or at a twin's."""
    found = _ISSUER.fullmatch(issuer)
    return found is not None and (found[2].lower() in _CLOUDS or _TWIN.fullmatch(issuer) is not None)


def entra(
    issuer: str,
    *,
    tenants: Iterable[str] | Literal["any tenant, everybody who has one"] = (),
    clients: Iterable[str] = (),
) -> Preset:
    """The tokens of a tenant, of version 1 and 2 alike; ``issuer`` is ``https://login.microsoftonline.com/TENANT/v2.0``.

    TENANT is the tenant's GUID. For an API that serves several tenants it is ``organizations`` or ``common``, and
    ``tenants`` lists whose tokens are taken, or is ``ANY_TENANT``. ``clients`` lists the applications whose tokens are
    taken, by their application ids; all where none is named.

    The guard's audience is the API's application id, and beside it its Application ID URI where the API's registration
    still asks for tokens of version 1. The permissions an application has for itself come as roles, where people's
    come as scp: in both cases they are the token's ``scope``. ``token.roles`` are the roles, ``token.is_machine`` tells
    an application from a person.
    """
    place = _placed(issuer)
    allowed = _tenants(place, tenants)
    expected = Expected("", frozenset({"RS256"}), _TYPES, _REQUIRED, names(clients, "clients"), allowed)
    first = _preset(place, 1, expected)
    published = f"{place.scheme}://{place.host}/{place.segment}/v2.0"
    return msgspec.structs.replace(_preset(place, 2, expected), companions=(first,), published=published)


def _preset(place: _Place, version: Literal[1, 2], expected: Expected) -> Preset:
    return Preset(
        "entra",
        msgspec.structs.replace(expected, issuer=place.issuer(version)),
        spell,
        ENTRA_CHECKS,
        early=ENTRA_EARLY,
        is_machine=is_machine,
        documents=(place.document(version),),
        family=place.family(version),
        forbidden=GRAPH,
    )


def _placed(issuer: str) -> _Place:
    found = _ISSUER.fullmatch(issuer)
    if found is None:
        raise UsageError(
            f"issuer {issuer!r} is no Entra tenant: write https://login.microsoftonline.com/TENANT/v2.0 with the tenant's GUID"
            " (a domain stands in no token), or 'organizations' and tenants="
        )
    host, segment = found[2].lower(), found[3].lower()
    many = segment in {"common", "organizations"}
    return _Place(found[1].lower(), _HOME.get(host, host), "" if many else segment, segment)


def _tenants(place: _Place, given: Iterable[str] | str) -> frozenset[str]:
    """The tenants allowed; empty for any."""
    if given == ANY_TENANT:
        if place.tenant:
            raise UsageError("tenants: an issuer of one tenant has no others; write 'organizations' for several")
        return frozenset()
    listed = frozenset(one.lower() for one in names(given, "tenants"))
    if wrong := [one for one in sorted(listed) if not re.fullmatch(GUID, one)]:
        raise UsageError(f"tenants: {wrong[0]!r} is no GUID; tokens name tenants by that, never by a domain")
    if place.tenant:
        if listed - {place.tenant}:
            raise UsageError("tenants: an issuer of one tenant has no others; write 'organizations' for several")
        return frozenset({place.tenant})
    if not listed:
        raise UsageError(
            "tenants: 'common' and 'organizations' are all of Microsoft's customers; list the tenants whose tokens are good"
            " here, or write ANY_TENANT"
        )
    return listed


def spell(claims: Claims) -> Claims:
    """Entra's names in the words of RFC 9068; an application's roles are its scopes."""
    spelled: dict[str, Any] = dict(claims)
    spelled["client_id"] = claims.get("azp", claims.get("appid", ""))
    if "jti" not in claims:
        spelled["jti"] = claims.get("uti", "")
    granted = claims.get("roles", []) if is_machine(claims) else claims.get("scp", "")
    spelled["scope"] = " ".join(map(str, granted)) if isinstance(granted, list) else "" if granted == "/" else granted
    return spelled


def is_machine(claims: Claims) -> bool:
    """An application by itself: idtyp says so, or nobody delegated anything to it."""
    return claims["idtyp"] == "app" if "idtyp" in claims else "scp" not in claims
