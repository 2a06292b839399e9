"""An examination from first request to report: of an issuer, or of an MCP server and the issuer behind it."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx2

from innkeeper.client.asking import ask, get
from innkeeper.client.credentials import Client
from innkeeper.client.discovery import discover
from innkeeper.client.refused import quoted
from innkeeper.client.token import Access, Token
from innkeeper.client.wire import run
from innkeeper.doctor import client_probes, clients, documents, key_sets, mcp_probes, probes
from innkeeper.doctor import mcp as mcp_server
from innkeeper.doctor.findings import Chapter, Report, examine
from innkeeper.doctor.transport import TRANSPORT_CHECKS, Dial, Served, dial
from innkeeper.protocol.refusals import Unreachable, UsageError
from innkeeper.protocol.well_known import why_not_an_issuer, why_not_private

MCP_MUSTS = frozenset({documents.NO_PKCE.number})
"""What only some clients insist on elsewhere stops every MCP client."""


def examine_issuer(
    issuer: str, *, http: httpx2.Client | None = None, dial: Dial = dial, clock: Callable[[], float] = time.time
) -> Report:
    """Look at an issuer. Raises ``UsageError`` for what can be none, ``Unreachable`` where nothing answers at all."""
    if why := why_not_an_issuer(issuer):
        raise UsageError(f"issuer {quoted(issuer)!r}: {why}; for an MCP server write --mcp {quoted(issuer)}")
    shown = run(probes.issuer(issuer), http)
    if all(one.trouble for one in shown.forms) and not _is_tls_trouble(shown):
        raise Unreachable(shown.forms[0].trouble)
    return Report(issuer, _issuer_chapters(shown, dial, clock()), issuer)


def examine_mcp(
    url: str, *, http: httpx2.Client | None = None, dial: Dial = dial, clock: Callable[[], float] = time.time
) -> Report:
    """Replay an MCP client's first contact with the server at ``url``, and look at its issuer. Raises ``UsageError``."""
    if why := why_not_private(url):
        raise UsageError(f"MCP server {quoted(url)!r}: {why}; give the address of its endpoint, as clients are told it")
    shown = run(mcp_probes.server(url), http)
    first = examine("Reaching the server", mcp_server.FIRST_CHECKS, shown, (shown.bare.line,))
    if shown.bare.trouble:
        return Report(url, (first,))
    asked = _asked(shown)
    hops = [examine(title, checks, shown, asked.get(title, ())) for title, checks in mcp_server.HOPS.items()]
    behind = _issuer_chapters(shown.issuer, dial, clock(), MCP_MUSTS) if shown.issuer else ()
    return Report(url, (first, *hops, *behind), shown.issuer.issuer if shown.issuer else "")


def examine_client(
    issuer: str,
    client: Client,
    access: Access,
    *,
    redirect_uri: str = "",
    token: Token | None = None,
    mcp: str = "",
    http: httpx2.Client | None = None,
    clock: Callable[[], float] = time.time,
) -> tuple[Chapter, ...]:
    """What the issuer does for ``client``. ``redirect_uri`` is a registered one, ``token`` what somebody's sign-in gave; its
    refresh token is used up. Raises ``Refused`` and ``Unreachable`` where the issuer's document cannot be used at all."""
    metadata = run(discover(issuer), http)
    seen = run(client_probes.visit(metadata, client, access, redirect_uri, token, mcp), http)
    seen = client_probes.judged(seen, lambda url: run(ask(get(url, "the issuer's keys")), http), clock)
    chapters = (
        examine(f"Sent back to {quoted(client.id)}", clients.REDIRECT_CHECKS, seen, seen.sent_away)
        if seen.silent
        else None,
        examine(f"A token for {quoted(client.id)}", clients.TOKEN_CHECKS, seen, seen.asked),
        examine("Its renewal", clients.REFRESH_CHECKS, seen, seen.renewed) if seen.refreshed else None,
    )
    return tuple(one for one in chapters if one)


def _issuer_chapters(
    shown: probes.Issuer, dial: Dial, now: float, worse: frozenset[str] = frozenset()
) -> tuple[Chapter, ...]:
    found = examine(f"The issuer {shown.issuer}", documents.FIRST_CHECKS, shown, shown.asked)
    served = Served(shown, now, dial(shown.issuer))
    transport = examine("How it is served", TRANSPORT_CHECKS, served)
    if shown.found is None:
        return found, transport
    said = examine("What its document says", documents.DOCUMENT_CHECKS, shown, worse=worse)
    keys = examine("Its keys", key_sets.FIRST_CHECKS, shown)
    judged = examine("Its keys, one by one", key_sets.KEY_CHECKS, shown) if key_sets.entries(shown) else None
    return tuple(one for one in (found, said, keys, judged, transport) if one)


def _asked(shown: mcp_probes.Server) -> dict[str, tuple[str, ...]]:
    """The requests behind each hop."""
    documents_asked = tuple(dict.fromkeys(one.line for one in shown.documents.values()))
    last = tuple(one.line for one in (shown.preflight, shown.bad_token) if one)
    titles = list(mcp_server.HOPS)
    return {titles[0]: (shown.bare.line,), titles[1]: documents_asked, titles[3]: last}


def _is_tls_trouble(shown: probes.Issuer) -> bool:
    return any("CERTIFICATE_VERIFY_FAILED" in one.trouble for one in shown.forms)
