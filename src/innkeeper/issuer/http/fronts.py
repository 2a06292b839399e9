"""One ASGI application before the sites of several origins: each request goes to the one it was addressed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from innkeeper.issuer.dialects.layout import Cloud
from innkeeper.issuer.http.site import Receive, Scope, Send, Site

_SITES_KEPT = 256


class Fronts:
    """``make`` gives the site of an origin, as ``https://localhost:8443``; ``others`` are served beside ``home``.

    What is addressed to none of them goes to ``home``, or to the first of the others where it came over TLS: https is never
    answered as http. ``cloud`` knows the hosts of clouds that are stood in for; what was routed here from such a host is
    answered as that cloud answers, over https, whichever way it came in.
    """

    def __init__(
        self, make: Callable[[str], Site], home: str, others: Sequence[str], cloud: Callable[[str], Cloud | None]
    ) -> None:
        self._make = make
        self._home = make(home)
        self._others = {origin: make(origin) for origin in others}
        self._over_tls = next(
            (site for origin, site in self._others.items() if origin.startswith("https:")), self._home
        )
        self._cloud = cloud
        self._clouds: dict[str, Site] = {}

    def takes(self, scope: Scope) -> bool:
        """Whether an endpoint answers this request. Whatever comes from a cloud's host is ours."""
        if self._cloud_of(scope):
            return True
        return self._site(scope).takes(scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cloud = self._cloud_of(scope)
        if cloud is None:
            await self._site(scope)(scope, receive, send)
            return
        path = scope["path"]
        whole = path if path.startswith(f"{cloud.prefix}/") else cloud.prefix + path
        await self._cloud_site(cloud.origin)({**scope, "scheme": "https", "path": whole}, receive, send)

    def _site(self, scope: Scope) -> Site:
        scheme = scope.get("scheme", "http")
        found = self._others.get(f"{scheme}://{_host(scope)}")
        return found or (self._over_tls if scheme == "https" else self._home)

    def _cloud_of(self, scope: Scope) -> Cloud | None:
        return self._cloud(_host(scope).removesuffix(":443"))

    def _cloud_site(self, origin: str) -> Site:
        """Made when it is first asked for: nobody knows beforehand which pools and domains there will be."""
        if origin not in self._clouds:
            if len(self._clouds) >= _SITES_KEPT:
                self._clouds.clear()
            self._clouds[origin] = self._make(origin)
        return self._clouds[origin]


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"), "")
