"""What a refused caller is told, and what the API publishes about itself: all that leaves the guard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from innkeeper.guard.keys import RETRY
from innkeeper.protocol.challenges import bearer, write
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


class Door(msgspec.Struct, frozen=True):
    """The API as callers know it: ``resource`` its identifier ("" where it has no URL), the address of its metadata
    document and the paths to serve it at, and the document itself as JSON bytes."""

    resource: str = ""
    metadata_url: str = ""
    metadata_paths: tuple[str, ...] = ()
    document: bytes = b"{}"

    @classmethod
    def of(
        cls, resource: str | None, audiences: Iterable[str], issuers: Iterable[str], scopes_supported: Iterable[str]
    ) -> Door:
        """The door of ``resource``, by default of the first audience that is a URL. Raises ``UsageError``."""
        named = resource or next((one for one in audiences if why_not_a_protected_resource(one) is None), "")
        if not named:
            return cls()
        if why := why_not_a_protected_resource(named):
            raise UsageError(f"resource {named!r}: {why}; give the URL under which callers know this API")
        published = document(named, authorization_servers=issuers, scopes_supported=scopes_supported)
        return cls(named, metadata_url(named), metadata_paths(named), msgspec.json.encode(published))

    def metadata(self) -> Reply:
        """The document, to be read by anyone."""
        return Reply(200, (("content-type", "application/json"), _CACHE), self.document)


def unexplained(_: Refusal) -> str | None:
    """No link: outside of development nobody is told more than the specification says."""
    return None


def challenge(refused: Refused, door: Door, link: str | None = None) -> Reply:
    """The answer to a refused request: status, challenge, and a body that says no more than the challenge does.

    ``scope`` lists all that the request needs; without credentials there is no ``error`` (RFC 6750 §3.1). ``link``
    leads, in development, to the reasons.
    """
    page = refused.refusal.page
    error = {"error": page.error, "error_description": page.wire} if page.error else {}
    if error and link:
        error["error_uri"] = link
    if page.status == 503:
        return json_reply(error, 503, (("retry-after", str(RETRY)), *NO_STORE))
    asked = bearer(**error, scope=refused.needed, resource_metadata=door.metadata_url)
    return json_reply(error or _ASK, page.status, (("www-authenticate", write(asked)), *NO_STORE))
