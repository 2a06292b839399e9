"""The guard as FastMCP takes one: ``FastMCP("name", auth=provider(guard, tools={...}))``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from innkeeper.guard.calls import Named
from innkeeper.guard.guard import Guard
from innkeeper.guard.mcp import McpGuard
from innkeeper.guard.needs import Needs

_NONE: Named = {}


def provider(
    guard: Guard,
    *,
    needed: Needs | Iterable[str] = (),
    tools: Named = _NONE,
    prompts: Named = _NONE,
    resources: Named = _NONE,
    methods: Named = _NONE,
    open: Iterable[str] = (),  # noqa: A002 - as in McpGuard
) -> Any:
    """FastMCP's auth provider for a guard; what the arguments mean is told at ``McpGuard``.

    The guard stands before FastMCP's whole HTTP application. Scopes are its business alone, because a verifier that enforces
    them itself makes FastMCP answer 401 where clients need 403 to step up.
    """
    from fastmcp.server.auth import AuthProvider
    from starlette.middleware import Middleware

    more: dict[str, Any] = {
        "needed": needed,
        "tools": tools,
        "prompts": prompts,
        "resources": resources,
        "methods": methods,
        "open": open,
    }

    class GuardProvider(AuthProvider):  # type: ignore[misc, unused-ignore]
        """FastMCP's view of the guard: a middleware, and nothing to verify after it."""

        def get_middleware(self) -> list[Any]:
            """The guard, in the place of FastMCP's own checks."""
            return [Middleware(McpGuard, guard=guard, **more)]

    return GuardProvider()
