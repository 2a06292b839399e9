"""One ASGI application before the sites of several origins: each request goes to the one it was addressed to."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.issuer.http.site import Receive, Scope, Send, Site


class Fronts:
    """``others`` are sites by origin, as ``https://localhost:8443``. What is addressed to none of them goes to ``home``,
    or to the first of the others where it came over TLS: https is never answered as http."""

    def __init__(self, home: Site, others: Mapping[str, Site]) -> None:
        self._home = home
        self._others = dict(others)
        self._over_tls = next((site for origin, site in others.items() if origin.startswith("https:")), home)

    def takes(self, scope: Scope) -> bool:
        """Whether an endpoint answers this request."""
        return self._site(scope).takes(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._site(scope)(scope, receive, send)

    def _site(self, scope: Scope) -> Site:
        scheme = scope.get("scheme", "http")
        host = next((value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"), "")
        return self._others.get(f"{scheme}://{host}") or (self._over_tls if scheme == "https" else self._home)
