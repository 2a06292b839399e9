"""An MCP client for the conformance tool: the protocol by hand, the authorization through innkeeper's client alone.

The tool runs ``python -m tests.interop.mcp_client URL`` with the scenario and its context in the environment.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from innkeeper.client import Auth, Client, Proving, Refused, Secret, SigningKey, discover, run
from innkeeper.client.mcp import ANY_ISSUER, Grant, McpSource, enterprise, machine, person, workload
from innkeeper.client.registration import Description

SCENARIO = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
CONTEXT: dict[str, Any] = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
VERSION = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "2026-07-28")
META: dict[str, Any] = {}
if VERSION >= "2026":
    META = {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "innkeeper", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    }
REDIRECT = "http://127.0.0.1:8766/callback"
DOCUMENT = "https://conformance-test.local/client-metadata.json"


class Headless:
    """A person who allows everything at once: the tool's issuer redirects without asking."""

    redirect_uri = REDIRECT

    def visit(self, url: str) -> str:
        answer = httpx2.get(url, follow_redirects=False)
        location = answer.headers.get("location", "")
        if not location.startswith(REDIRECT):
            raise SystemExit(f"the issuer sent nobody back: {answer.status_code} {location or answer.text[:300]}")
        return location.partition("?")[2]


def source(server: str) -> McpSource:
    proving = Proving.new() if "dpop" in SCENARIO else None
    grant, clients = grant_and_clients()
    return McpSource(
        server,
        grant,
        clients=clients,
        client_document=DOCUMENT,
        description=Description("innkeeper's conformance client", (REDIRECT,)),
        proving=proving,
        endpoints_of_old="2025-03-26" in SCENARIO,
    )


def grant_and_clients() -> tuple[Grant, dict[str, Client]]:
    """How this scenario's tokens are got, and who the client is, as the context says."""
    known = {str(CONTEXT.get("issuer", ANY_ISSUER)): client()} if "client_id" in CONTEXT else {}
    if "valid_jwt" in CONTEXT:
        return workload(lambda _: str(CONTEXT["valid_jwt"])), known
    if "idp_id_token" in CONTEXT:
        idp = run(discover(CONTEXT["idp_issuer"]))
        idp = msgspec.structs.replace(idp, token_endpoint=CONTEXT["idp_token_endpoint"])
        return enterprise(idp, Client(CONTEXT["idp_client_id"]), CONTEXT["idp_id_token"]), known
    if "client-credentials" in SCENARIO:
        return machine(), known
    return person(Headless()), known


def client() -> Client:
    client_id = str(CONTEXT["client_id"])
    if "private_key_pem" in CONTEXT:
        pem = str(CONTEXT["private_key_pem"]).encode()
        return Client(client_id, SigningKey.from_pem(pem, alg=str(CONTEXT.get("signing_algorithm", "ES256"))))
    if "client_secret" in CONTEXT:
        return Client(client_id, Secret(str(CONTEXT["client_secret"])))
    return Client(client_id)


def talk(server: str) -> None:
    """Greet, list the tools, call one: what every scenario's server understands."""
    api = httpx2.Client(auth=Auth(source(server)), timeout=20)
    post = sender(api, server)
    if VERSION < "2026":
        greeting = {
            "protocolVersion": VERSION,
            "capabilities": {},
            "clientInfo": {"name": "innkeeper", "version": "0"},
        }
        post("initialize", greeting)
        post("notifications/initialized", None)
    tools = post("tools/list", {})
    for tool in tools.get("tools", [])[:1]:
        post("tools/call", {"name": tool["name"], "arguments": {}})


def sender(api: httpx2.Client, server: str) -> Callable[[str, dict[str, Any] | None], dict[str, Any]]:
    session: dict[str, str] = {}
    count = 0

    def post(method: str, params: dict[str, Any] | None) -> dict[str, Any]:
        nonlocal count
        count += 1
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message |= {"id": count, "params": params | META}
        headers = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            "mcp-method": method,
            **session,
        }
        if params and "name" in params:
            headers["mcp-name"] = str(params["name"])
        answer = api.post(server, json=message, headers=headers)
        if answer.status_code >= 400:
            raise SystemExit(f"{method}: {answer.status_code} {answer.text[:300]}")
        if answer.headers.get("mcp-session-id"):
            session["mcp-session-id"] = answer.headers["mcp-session-id"]
        found = read(answer)
        return found.get("result", {}) if isinstance(found, dict) else {}

    return post


def read(answer: httpx2.Response) -> Any:
    """The message in an answer, plain or as an event."""
    text = answer.text
    if "text/event-stream" in answer.headers.get("content-type", ""):
        lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
        text = next((line for line in lines if line), "")
    return json.loads(text) if text.strip() else {}


if __name__ == "__main__":
    try:
        talk(sys.argv[-1])
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        sys.exit(1)
