"""A call to an MCP server as an act makes it: what stands in its headers, and the JSON-RPC message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSION = "2026-07-28"
_META = "io.modelcontextprotocol/"


def headers(call: str) -> dict[str, str]:
    """What a client says of the call before the body is read. ``call`` is a method, and for a tool its name."""
    method, _, name = call.partition(" ")
    said = {"accept": "application/json, text/event-stream", "mcp-protocol-version": VERSION, "mcp-method": method}
    return said | ({"mcp-name": name} if name else {})


def message(call: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The message itself; arguments of digits alone are numbers."""
    method, _, name = call.partition(" ")
    client = {"name": "the agent of the tour", "version": "1"}
    meta = {f"{_META}protocolVersion": VERSION, f"{_META}clientInfo": client, f"{_META}clientCapabilities": {}}
    given = {key: int(value) if value.isdecimal() else value for key, value in arguments.items()}
    params = {"name": name, "arguments": given} if name else {}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
