"""An MCP server as a reader: it names its issuers itself, and takes tokens for its own address only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from innkeeper.client.asking import Flow, ask, get
from innkeeper.client.refused import quoted
from innkeeper.explain.guarded import Reading
from innkeeper.guard.guard import Guard
from innkeeper.guard.issuers.oidc import oidc
from innkeeper.guard.unverified import UnverifiedToken
from innkeeper.protocol.refusals import UsageError
from innkeeper.protocol.resource_metadata import metadata_url, why_not_a_protected_resource
from innkeeper.protocol.resources import registered_spelling
from innkeeper.protocol.strict_json import NotStrict, read_object


def reading(server: str, issuer: str | None, scopes: Iterable[str], said: UnverifiedToken) -> Flow[Reading]:
    """The reading of the MCP server at the address ``server``, which is asked for its issuers unless one is given.

    The audience must be the server (RFC 8707 §2); a slash at the end or the case of the host make no difference.
    Raises ``UsageError`` where the server names no issuer.
    """
    if why := why_not_a_protected_resource(server):
        raise UsageError(f"--audience {server!r}: {why}; for --as mcp give the address of the MCP server")
    issuers = [issuer] if issuer else (yield from _issuers(server))
    presets = tuple(oidc(one) for one in dict.fromkeys(issuers))
    own = said.claims.get("aud")
    spelt = [one for one in (own if isinstance(own, list) else [own]) if registered_spelling(str(one), [server])]
    audiences = (server, *(one for one in map(str, spelt) if one != server))

    def build(**world: Any) -> Guard:
        return Guard(presets, audiences, resource=server, remembered=0, **world)

    reader = f"the MCP server {server}, which trusts {', '.join(one.issuer for one in presets)}"
    return Reading(reader, presets, audiences, build, tuple(scopes), "mcp")


def _issuers(server: str) -> Flow[list[str]]:
    """The issuers in the server's own metadata (RFC 9728 §3)."""
    url = metadata_url(server)
    reply = yield from ask(get(url, "the MCP server's metadata"))
    try:
        listed = read_object(reply.body).get("authorization_servers") if reply.status == 200 else None
    except NotStrict:
        listed = None
    if not isinstance(listed, list) or not listed:
        found = f"{url} answered {reply.status} and names no authorization_servers"
        raise UsageError(f"{quoted(found)}; give --issuer, or ask: innkeeper doctor --mcp {server}")
    return [str(one) for one in listed]
