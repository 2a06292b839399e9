"""What a refused caller is told, and what the API publishes about itself: all that leaves the guard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from innkeeper.guard.keys import RETRY
from innkeeper.guard.needs import refuse_offline
from innkeeper.protocol.challenges import Challenge, bearer, for_proofs, write
from innkeeper.protocol.exchange import NO_STORE, Reply, json_reply
from innkeeper.protocol.refusals import Refusal, UsageError
from innkeeper.protocol.resource_metadata import (
    document,
    metadata_paths,
    metadata_url,
    why_not_a_protected_resource,
)

if TYPE_CHECKING:
    from innkeeper.guard.decision import Refused

_CACHE = ("cache-control", "public, max-age=300")
_ASK = {"message": "This needs an access token: send it as 'Authorization: Bearer TOKEN'."}


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What else an API publishes of itself, for people and clients: its name, where its documentation, its policy and its
    terms are, the types of authorization details it knows."""

    name: str = ""
    documentation: str = ""
    policy: str = ""
    terms: str = ""
    details_types: tuple[str, ...] = ()


NOTHING_MORE = About()


class Schemes(msgspec.Struct, frozen=True):
    """How tokens may be sent here: ``bearer`` ones, those with proofs signed by these ``algorithms`` (told only where
    ``proofs`` are asked for), and whether a ``certificate`` can be seen. ``prefix`` stands before scopes where clients have
    to ask for them so."""

    bearer: bool = True
    proofs: bool = False
    algorithms: tuple[str, ...] = ()
    certificate: bool = False
    prefix: str = ""

    def asked(self, scopes: Iterable[str]) -> list[str]:
        """The scopes as clients have to ask for them."""
        return [one if "://" in one or not self.prefix else f"{self.prefix}{one}" for one in scopes]


class Door(msgspec.Struct, frozen=True):
    """The API as callers know it: ``resource`` its identifier ("" where it has no URL), the address of its metadata
    document and the paths to serve it at, and the document itself as JSON bytes."""

    resource: str = ""
    metadata_url: str = ""
    metadata_paths: tuple[str, ...] = ()
    document: bytes = b"{}"
    schemes: Schemes = Schemes()

    @classmethod
    def of(
        cls,
        resource: str | None,
        audiences: Iterable[str],
        issuers: Iterable[str],
        scopes_supported: Iterable[str],
        schemes: Schemes = Schemes(),  # noqa: B008 - frozen
        about: About = NOTHING_MORE,
    ) -> Door:
        """The door of ``resource``, by default of the first audience that is a URL. Raises ``UsageError``."""
        scopes_supported = tuple(scopes_supported)
        refuse_offline(scopes_supported)
        named = resource or next((one for one in audiences if why_not_a_protected_resource(one) is None), "")
        if not named:
            return cls(schemes=schemes)
        if why := why_not_a_protected_resource(named):
            raise UsageError(f"resource {named!r}: {why}; give the URL under which callers know this API")
        said = document(named, authorization_servers=issuers, scopes_supported=schemes.asked(scopes_supported))
        published = msgspec.json.encode({**said, **_more(schemes, about)})
        return cls(named, metadata_url(named), metadata_paths(named), published, schemes)

    @property
    def origin(self) -> str:
        """Scheme and host of the API; "" where it has no URL."""
        parts = urlsplit(self.resource)
        return f"{parts.scheme}://{parts.netloc}" if self.resource else ""

    def metadata(self) -> Reply:
        """The document, to be read by anyone."""
        return Reply(200, (("content-type", "application/json"), _CACHE), self.document)


def _more(schemes: Schemes, about: About) -> dict[str, Any]:
    """The members that say how tokens are bound, and what people may want to read (RFC 9728 §2)."""
    members = {
        "resource_name": about.name,
        "resource_documentation": about.documentation,
        "resource_policy_uri": about.policy,
        "resource_tos_uri": about.terms,
        "authorization_details_types_supported": list(about.details_types),
        "dpop_signing_alg_values_supported": list(schemes.algorithms) if schemes.proofs else [],
        "dpop_bound_access_tokens_required": schemes.proofs and not schemes.bearer,
        "tls_client_certificate_bound_access_tokens": schemes.certificate,
    }
    return {name: value for name, value in members.items() if value}


def unexplained(_: Refusal) -> str | None:
    """No link: outside of development nobody is told more than the specification says."""
    return None


def challenge(refused: Refused, door: Door, link: str | None = None, nonce: str = "") -> Reply:
    """The answer to a refused request: status, challenge, and a body that says no more than the challenge does.

    ``scope`` lists all that the request needs; without credentials there is no ``error`` (RFC 6750 §3.1). ``link``
    leads, in development, to the reasons. ``nonce`` is for the next proof.
    """
    page = refused.refusal.page
    error = {"error": page.error, "error_description": page.wire} if page.error else {}
    if error and link:
        error["error_uri"] = link
    if page.status == 503:
        return json_reply(error, 503, (("retry-after", str(RETRY)), *NO_STORE))
    said = ", ".join(map(write, challenges(refused, door, error)))
    given = (("dpop-nonce", nonce),) if nonce and (refused.for_proofs or not door.schemes.bearer) else ()
    return json_reply(error or _ASK, refused.status, (("www-authenticate", said), *given, *NO_STORE))


def challenges(refused: Refused, door: Door, error: dict[str, str]) -> Sequence[Challenge]:
    """The challenge under each scheme that would do: the one the caller used, or all that are taken here."""
    is_step_up = refused.refusal.page.error == "insufficient_user_authentication"
    asked = bearer(
        **error,
        scope=door.schemes.asked(refused.needs.scopes),
        resource_metadata=door.metadata_url,
        acr_values=refused.needs.acr if is_step_up else (),
        max_age=refused.needs.max_age if is_step_up else None,
    )
    schemes = door.schemes
    proving = for_proofs(asked, schemes.algorithms)
    if refused.for_proofs or not schemes.bearer:
        return (proving,)
    return (asked, proving) if schemes.proofs and not error else (asked,)
