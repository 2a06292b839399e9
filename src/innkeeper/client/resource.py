"""Finding the issuer behind a resource: the document a challenge names, or the one at its well-known places.

The sections named below are those of RFC 9728.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from innkeeper.client.asking import Flow, ask, get
from innkeeper.client.discovery import private
from innkeeper.client.refused import quoted, refuse
from innkeeper.protocol.challenges import Challenge
from innkeeper.protocol.errors import INVALID_TARGET, SERVER_ERROR
from innkeeper.protocol.refusals import Page
from innkeeper.protocol.resource_metadata import metadata_url
from innkeeper.protocol.strict_json import NotStrict, read_object
from innkeeper.protocol.well_known import PROTECTED_RESOURCE

ANOTHER_RESOURCE = Page(
    "IK883",
    error=INVALID_TARGET,
    title="The metadata is of another resource",
    cause="The document found for the server names a resource that is not that server: a token for it would go astray.",
    remedy="Nothing was asked of any issuer. Whoever runs the server must publish its own address as resource.",
    wire="",
)
NO_ISSUER_NAMED = Page(
    "IK884",
    error=SERVER_ERROR,
    title="The server names no issuer",
    cause="It asks for a token, and neither its challenge nor its well-known addresses say who gives one.",
    remedy="Ask innkeeper doctor --mcp what is missing there.",
    wire="",
)


class Resource(msgspec.Struct, frozen=True):
    """A protected resource as it describes itself: its identifier, whose tokens it takes, the scopes it lists."""

    resource: str
    authorization_servers: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] | None = None

    @property
    def issuer(self) -> str:
        """The first issuer. Raises ``Refused`` where there is none."""
        if not self.authorization_servers:
            raise refuse(NO_ISSUER_NAMED, f"the metadata of {quoted(self.resource)} lists no authorization server")
        return self.authorization_servers[0]


def find_resource(server: str, challenge: Challenge | None = None) -> Flow[Resource | None]:
    """What the resource at ``server`` says about itself; None where it says nothing anywhere (§3).

    Raises ``Refused`` for a document that is another's (§3.3).
    """
    for url in _places(server, challenge):
        if not private(url, server):
            continue
        reply = yield from ask(get(url, "the server's metadata"))
        if reply.status != 200:
            continue
        try:
            found = msgspec.convert(read_object(reply.body), Resource)
        except (NotStrict, msgspec.ValidationError):
            continue
        if not covers(found.resource, server):
            shown = quoted(found.resource)
            reason = f"{url} describes {shown}, not {server}"
            raise refuse(ANOTHER_RESOURCE, reason, expected=server, found=shown)
        return found
    return None


def covers(resource: str, server: str) -> bool:
    """Whether a resource is the server that was asked, or the whole it is a part of: same origin, a path above it.

    One slash at the end and the case of the host make no difference.
    """
    try:
        one, other = urlsplit(resource), urlsplit(server)
        same = (one.scheme.lower(), one.netloc.lower()) == (other.scheme.lower(), other.netloc.lower())
    except ValueError:
        return False
    above = one.path.rstrip("/")
    return same and not one.fragment and (other.path.rstrip("/") == above or other.path.startswith(f"{above}/"))


def _places(server: str, challenge: Challenge | None) -> Iterator[str]:
    """Where the document may stand, in the order to look: as told, at the path, at the root."""
    told = challenge.get("resource_metadata") if challenge else None
    parts = urlsplit(server)
    root = f"{parts.scheme}://{parts.netloc}/.well-known/{PROTECTED_RESOURCE}"
    yield from dict.fromkeys(one for one in (told, metadata_url(server), root) if one)
