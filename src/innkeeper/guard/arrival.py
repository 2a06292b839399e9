"""A request as any server hands it over, made into credentials: one way for WSGI, Lambda and gRPC."""

from __future__ import annotations

from collections.abc import Iterable

from innkeeper.guard.credentials import Credentials, credentials
from innkeeper.guard.guard import Guard


def arrival(
    guard: Guard,
    headers: Iterable[tuple[str, str]],
    *,
    method: str,
    path: str,
    query: str = "",
    origin: str = "",
    peer: str = "",
    certificate: str = "",
) -> Credentials:
    """What a request carries. ``headers`` may repeat names. Proofs have to be made for the address under which the API is
    known; ``origin`` counts for an API without one. ``certificate`` is the connection's own; where the guard was told of
    proxies, only theirs counts."""
    found = [(name.lower(), value) for name, value in headers]
    if guard.proxies.certificate_header:
        certificate = guard.proxies.certificate(peer, _joined(found))
    raw = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in found]
    url = f"{guard.door.origin or origin}{path}"
    return credentials(raw, query.encode("latin-1", "replace"), method=method, url=url, certificate=certificate)


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def is_preflight(method: str, headers: Iterable[str]) -> bool:
    """Whether a browser only asks what it may send, by the names of the headers in lower case."""
    return method == "OPTIONS" and {"origin", "access-control-request-method"} <= set(headers)
