"""Finding an issuer: its metadata document, in every form it is served in, and whether it can be believed.

The forms are tried in the order the Model Context Protocol prescribes: RFC 8414 with the path inserted, OpenID
with the path inserted, OpenID with the path appended. The first document found decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from innkeeper.client.asking import Flow, ask, get
from innkeeper.client.refused import Refused, quoted, refuse
from innkeeper.protocol.errors import SERVER_ERROR
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.redirects import is_loopback
from innkeeper.protocol.refusals import Page, Refusal, Unreachable, UsageError
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.well_known import issuer_documents, why_not_an_issuer, why_not_private
from innkeeper.tokens.trail import Seen, Trail, check, follow

NO_DOCUMENT = Page(
    "IK602",
    error=SERVER_ERROR,
    title="No metadata document",
    cause="None of the well-known addresses of the issuer answered with a JSON document.",
    remedy="Check the issuer for a missing or doubled path; it is the 'iss' of its tokens, character by character.",
    wire="",
)
UNREADABLE_DOCUMENT = Page(
    "IK603",
    error=SERVER_ERROR,
    title="The metadata document cannot be used",
    cause="The document lacks a member that RFC 8414 requires, or a member has the wrong type.",
    remedy="Tell whoever runs the issuer; the member is named above.",
    wire="",
)
ANOTHER_ISSUER = Page(
    "IK604",
    error=SERVER_ERROR,
    title="The document belongs to another issuer",
    cause="The document names an issuer other than the one asked for. Trusting it would let one issuer pose as another.",
    remedy="Use the issuer exactly as the document spells it, if that is the one you mean; a trailing slash counts.",
    wire="",
)
OPEN_ENDPOINT = Page(
    "IK605",
    error=SERVER_ERROR,
    title="An endpoint is not private",
    cause="An endpoint in the document uses http, or loopback on behalf of a remote issuer: secrets would leak there.",
    remedy="Endpoints must be https; http is for an issuer on this very computer alone.",
    wire="",
)


class Metadata(msgspec.Struct, frozen=True):
    """What an issuer says about itself, as far as a client needs it (RFC 8414 §2). A member is None where absent."""

    issuer: str
    token_endpoint: str | None = None
    authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    jwks_uri: str | None = None
    end_session_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    backchannel_authentication_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    registration_endpoint: str | None = None
    scopes_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool | None = None
    require_pushed_authorization_requests: bool | None = None
    client_id_metadata_document_supported: bool | None = None
    dpop_signing_alg_values_supported: tuple[str, ...] | None = None

    def endpoint(self, name: str) -> str:
        """The address of an endpoint such as ``token``. Raises ``Refused`` where the issuer has none."""
        address: str | None = getattr(self, f"{name}_endpoint")
        if address is None:
            raise refuse(UNREADABLE_DOCUMENT, f"the issuer names no {name}_endpoint: it does not offer this")
        return address


def discover(issuer: str) -> Flow[Metadata]:
    """The metadata of ``issuer``, whose string must be equal to the one in the document (RFC 8414 §3.3).

    Raises ``UsageError`` for an issuer that is no https (or loopback) URL, ``Refused`` for a document that is
    missing or not to be believed, ``Unreachable`` where the issuer fails.
    """
    why = why_not_an_issuer(issuer)
    if why:
        raise UsageError(f"issuer {quoted(issuer)!r}: {why}")
    tried: list[str] = []
    failing = False
    for url in issuer_documents(issuer):
        reply = yield from ask(get(url, "the issuer's metadata"))
        document = _document(reply)
        if document is not None:
            return believed(issuer, document)
        tried.append(f"{url} answered {_summary(reply)}")
        failing |= reply.status >= 500 or reply.status == 429
    if failing:
        raise Unreachable(f"the issuer's metadata is not to be had now: {'; '.join(tried)}")
    raise refuse(NO_DOCUMENT, "; ".join(tried))


def believed(issuer: str, document: dict[str, Any]) -> Metadata:
    """The document as metadata of ``issuer``. Raises ``Refused`` where it is malformed or another's."""
    try:
        metadata = msgspec.convert(document, Metadata)
    except msgspec.ValidationError as error:
        raise refuse(UNREADABLE_DOCUMENT, f"the metadata document: {quoted(error)}") from None
    refusal = judge(issuer, metadata).refusal
    if refusal:
        raise Refused(refusal)
    return metadata


def judge(issuer: str, metadata: Metadata) -> Trail:
    """The checks a document must pass before any of it is used."""
    return follow("metadata", METADATA_CHECKS, (issuer, metadata))


@check("RFC 8414 §3.3")
def issuer_is_the_one_asked_for(case: tuple[str, Metadata]) -> Seen | Refusal:
    """The issuer in the document is the string that was asked for, character by character."""
    asked, metadata = case
    named = quoted(metadata.issuer)
    if metadata.issuer != asked:
        reason = f"asked for {asked}, but the document calls its issuer {named}"
        return Refusal(ANOTHER_ISSUER, reason=reason, expected=asked, found=named)
    return Seen(asked, asked)


@check("RFC 6749 §3.1, §3.2")
def endpoints_are_private(case: tuple[str, Metadata]) -> Seen | Refusal:
    """Every endpoint is https, or as local as the issuer itself."""
    asked, metadata = case
    for name, address in _endpoints(metadata):
        if not private(address, asked):
            shown = quoted(address)
            reason = f"{name} is {shown}"
            return Refusal(OPEN_ENDPOINT, reason=reason, expected="an https address", found=shown)
    return Seen("https" if asked.startswith("https") else "loopback")


METADATA_CHECKS = (issuer_is_the_one_asked_for, endpoints_are_private)


def private(address: str, issuer: str) -> bool:
    """Whether a secret may be sent to ``address`` on the word of ``issuer``: a remote one never leads to this computer."""
    return why_not_private(address) is None and (is_loopback(issuer) or not is_loopback(address))


def _endpoints(metadata: Metadata) -> Iterator[tuple[str, str]]:
    for name in metadata.__struct_fields__:
        address = getattr(metadata, name)
        if isinstance(address, str) and name.endswith(("_endpoint", "_uri")):
            yield name, address


def _document(reply: Reply) -> dict[str, Any] | None:
    """The JSON object in a 200 answer; None for any other, a page that an application serves for every path included."""
    if reply.status != 200:
        return None
    try:
        return read_object(reply.body)
    except NotStrict:
        return None


def _summary(reply: Reply) -> str:
    if reply.status == 200:
        return f"200 with {quoted(reply.header('content-type') or 'no content type', 60)}, not a JSON object"
    location = reply.header("location")
    return f"{reply.status} to {quoted(location, 120)}" if location else str(reply.status)
