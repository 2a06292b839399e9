"""Sign-out at work: read the hint, find the client, end the session."""

from __future__ import annotations

import msgspec

from innkeeper.issuer.core import logout as core
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.desk.hints import read_hint
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.realm import Realm
from innkeeper.keys.ring import NotOurs
from innkeeper.protocol.parameters import Parameters


async def logout(
    realm: Realm, ask: Parameters, session: Session | None, *, confirmed: bool
) -> tuple[Decision[core.SignedOut | core.AskFirst], tuple[str, ...]]:
    """Answer a sign-out request; the session is over once this returns ``SignedOut``. Beside the decision stand the
    addresses that the browser has to load, to sign out at the clients too."""
    request = await _read(realm, ask, confirmed=confirmed)
    named = request.client_id or str((request.hint or {}).get("aud", ""))
    decision = core.decide(request, await realm.client(named), session, realm.now())
    frames = await end_sessions(realm, decision.effects)
    realm.observe(decision.trail)
    return decision, frames


async def _read(realm: Realm, ask: Parameters, *, confirmed: bool) -> core.LogoutRequest:
    request = core.LogoutRequest(
        client_id=ask.get("client_id", ""),
        redirect_uri=ask.get("post_logout_redirect_uri", ""),
        state=ask.get("state", ""),
        confirmed=confirmed,
    )
    hint = ask.get("id_token_hint")
    if hint is None:
        return request
    try:
        return msgspec.structs.replace(request, hint=await read_hint(realm, hint))
    except NotOurs as error:
        return msgspec.structs.replace(request, hint_problem=str(error))
