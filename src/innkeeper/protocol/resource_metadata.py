"""What a protected resource says about itself, and where that is found (RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from innkeeper.protocol.well_known import PROTECTED_RESOURCE, inserted


def metadata_url(resource: str) -> str:
    """The address of a resource's document: the well-known name put between its host and its path (§3.1)."""
    return inserted(resource, PROTECTED_RESOURCE)


def metadata_paths(resource: str) -> tuple[str, ...]:
    """The paths at which the document is served: the one of ``metadata_url``, then the host's root.

    Clients that do not find the first ask for the second. A host with several resources serves one at its root.
    """
    return tuple(dict.fromkeys((urlsplit(metadata_url(resource)).path, f"/.well-known/{PROTECTED_RESOURCE}")))


def why_not_a_protected_resource(resource: str) -> str | None:
    """None where ``resource`` can be published as a resource identifier (§1.2), else the rule it breaks."""
    parts = urlsplit(resource)
    if parts.scheme not in {"https", "http"} or not parts.netloc:
        return "it is no https URL"
    if "#" in resource:
        return "it has a fragment"
    return None


def document(
    resource: str,
    *,
    authorization_servers: Iterable[str],
    scopes_supported: Iterable[str] = (),
    resource_name: str = "",
    resource_documentation: str = "",
) -> dict[str, Any]:
    """The document (§2): where to get tokens, which scopes there are, and that tokens come in the header.

    ``offline_access`` is left out of the scopes: it asks an issuer for something, never a resource.
    """
    members: dict[str, Any] = {
        "resource": resource,
        "authorization_servers": list(authorization_servers),
        "scopes_supported": sorted(set(scopes_supported) - {"offline_access"}),
        "bearer_methods_supported": ["header"],
        "resource_name": resource_name,
        "resource_documentation": resource_documentation,
    }
    return {name: value for name, value in members.items() if value}
