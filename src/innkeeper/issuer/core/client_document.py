"""Clients whose id is the address of their own metadata (draft-ietf-oauth-client-id-metadata-document).

Nobody registers them: whoever shows such an id is taken to be what the document there says, and people see its host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from innkeeper.issuer.core.client_metadata import OF_PUBLIC_CLIENTS, Metadata, Registrant, Rules, client_of
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.metadata_checks import METADATA_CHECKS, Case, Sector, sector_of
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import NATIVE, Client
from innkeeper.protocol.errors import INVALID_CLIENT
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import Seen, Trail, check, follow

DOCUMENT = "document"
"""The origin of a client that its own document describes."""

OFF = "off"
LISTED = "listed"
ANY = "any"

_SCHEME = "https://"


class Address(msgspec.Struct, frozen=True):
    """An id that is an address, and the realm that is asked to read what is there."""

    url: str
    policy: Policy


class Fetched(msgspec.Struct, frozen=True):
    """What was at the address: the metadata, or why there are none."""

    url: str
    said: Metadata = Metadata()
    problem: str = ""


def is_address(client_id: str) -> bool:
    """Whether an id is of this kind; ids that are made here never begin so."""
    return client_id.startswith(_SCHEME)


def may_fetch(address: Address) -> Trail:
    """Whether the document may be fetched at all."""
    return follow("client document", ADDRESS_CHECKS, address)


def decide(fetched: Fetched, sector: Sector | None, rules: Rules, now: int) -> Decision[Client]:
    """The client that the document describes. ``now`` is when it was fetched."""
    trail = follow("client document", DOCUMENT_CHECKS, fetched)
    if not trail.refusal:
        trail = trail.then(follow("client document", METADATA_CHECKS, Case(fetched.said, rules, sector)))
    if trail.refusal:
        return Decision(trail.refusal, trail)
    said = fetched.said
    client = client_of(said, rules, Registrant(fetched.url, DOCUMENT, now), sector_of(said))
    name = said.client_name or urlsplit(fetched.url).netloc
    kind = NATIVE if any(is_loopback(uri) for uri in said.redirect_uris) else client.application_type
    return Decision(msgspec.structs.replace(client, name=name, application_type=kind), trail)


def rules_of(supported: Mapping[str, Any], policy: Policy) -> Rules:
    """What such a client may have: grants that a person says yes to, and no secret."""
    return Rules(supported, OF_PUBLIC_CLIENTS, policy.usual_scopes(), by_document=True)


@check("draft-ietf-oauth-client-id-metadata-document §3")
def the_id_is_a_proper_address(address: Address) -> Seen | Refusal:
    """The id is an https URL with a path, without dot segments, fragment or user part."""
    url = address.url
    try:
        parts = urlsplit(url)
        proper = bool(parts.hostname) and parts.path not in ("", "/") and "@" not in parts.netloc and "#" not in url
    except ValueError:
        return Refusal(DOCUMENT_REFUSED, "the id cannot be read as an address", "an https URL", url)
    if not proper or any(unquote(one) in (".", "..") for one in parts.path.split("/")) or "\\" in url:
        return Refusal(DOCUMENT_REFUSED, "the id is no proper address", "https://host/path, no dots or fragment", url)
    return Seen(parts.netloc)


@check("draft-ietf-oauth-client-id-metadata-document §6")
def the_host_is_trusted(address: Address) -> Seen | Refusal:
    """The realm reads documents of any host, or this one is on its list."""
    policy, host = address.policy, urlsplit(address.url).hostname or ""
    if policy.client_documents == OFF:
        return Refusal(DOCUMENT_REFUSED, "clients are not read from their own documents here", "a registered id", host)
    if policy.client_documents == LISTED and host not in policy.document_hosts:
        listed = ", ".join(policy.document_hosts) or "none"
        return Refusal(DOCUMENT_REFUSED, "documents of this host are not read here", listed, host)
    return Seen(host, policy.client_documents)


ADDRESS_CHECKS = (the_id_is_a_proper_address, the_host_is_trusted)


@check("draft-ietf-oauth-client-id-metadata-document §4")
def the_document_can_be_had(fetched: Fetched) -> Seen | Refusal:
    """The document is there, small, public, JSON, and each member is of the kind its specification says."""
    if fetched.problem:
        return Refusal(DOCUMENT_REFUSED, f"no client document: {fetched.problem}", "client metadata", "none")
    return Seen("a JSON object")


@check("draft-ietf-oauth-client-id-metadata-document §4.1")
def the_document_is_of_this_address(fetched: Fetched) -> Seen | Refusal:
    """Its client_id equals the address to the character, or one client could pass for another."""
    if fetched.said.client_id != fetched.url:
        reason = "the document is another client's"
        return Refusal(DOCUMENT_REFUSED, reason, fetched.url, fetched.said.client_id or "no client_id")
    return Seen(fetched.url)


DOCUMENT_CHECKS = (the_document_can_be_had, the_document_is_of_this_address)

DOCUMENT_REFUSED = Page(
    "IK410",
    INVALID_CLIENT,
    "The client's own document cannot be used",
    "The client_id is an address, and what is there is not a public, small JSON document whose client_id is that very "
    "address; or the realm does not read documents of that host.",
    "Serve the document over https with status 200 and application/json, without redirects, under five KiB, from a "
    "public address; or register the client instead.",
    "The client is not known here.",
)
