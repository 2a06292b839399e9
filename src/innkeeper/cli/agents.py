"""The one line with which an MCP server is added to what people have agents in."""

from __future__ import annotations

import json
import shlex


def ways_in(name: str, url: str) -> dict[str, str]:
    """By program, what to type, or for Cursor what to write. None of them needs to be told a client id: the server's
    metadata lead each to the issuer, and there it shows its own document or registers."""
    server = {"name": name, "type": "http", "url": url}
    return {
        "Claude Code": f"claude mcp add --transport http {name} {url}",
        "VS Code": f"code --add-mcp {shlex.quote(json.dumps(server))}",
        "Cursor": f".cursor/mcp.json: {json.dumps({'mcpServers': {name: {'url': url}}})}",
        "Inspector": f"npx @modelcontextprotocol/inspector --transport http --server-url {url}",
    }
