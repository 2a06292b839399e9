"""The account's part in which people stop the agents that they answer for."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import ACTIVE, PAUSED, REVOKED, Client, Status
from innkeeper.issuer.desk import agents
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints
from innkeeper.issuer.pages.account import PAGE, Access, Owner
from innkeeper.issuer.pages.acting import sentences
from innkeeper.issuer.pages.moments import moment
from innkeeper.issuer.pages.speaking import marked
from innkeeper.protocol.exchange import Reply, Request, redirect

RESEND = marked("Please send the form again.")
DONE = {
    "pause": marked("Paused: it does nothing until you resume it."),
    "resume": marked("Resumed: it may act again."),
    "revoke": marked("Revoked: it will never act again."),
}
_STATUS: dict[str, Status] = {"pause": PAUSED, "resume": ACTIVE, "revoke": REVOKED}


class AgentsPage:
    """The account's part in which people pause, resume and revoke the agents that they answer for."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._realm = access.realm

    def table(self) -> Endpoints:
        access = self._access
        return {f"{access.layout.account}/agents": Endpoint(access(self._part), PAGE)}

    async def _part(self, request: Request, owner: Owner) -> Reply:
        if request.method != "POST":
            return await self._page(request, owner, done=DONE.get(owner.form.get("done", "")))
        if not owner.ours:
            return await self._page(request, owner, RESEND, 403)
        what = next((one for one in _STATUS if one in owner.form), "")
        mine = {one.id: one for one in await agents.owned(self._realm, owner.person.sub)}
        chosen = mine.get(owner.form.get(what, "")) if what else None
        if chosen is None or chosen.agent is None or chosen.agent.status == REVOKED:
            return await self._page(request, owner, marked("That agent is not yours, or was revoked already."), 400)
        await agents.set_status(self._realm, chosen.id, _STATUS[what])
        return redirect(f"{request.path}?done={what}")

    async def _page(
        self, request: Request, owner: Owner, problem: str | None = None, status: int = 200, done: str | None = None
    ) -> Reply:
        mine = await agents.owned(self._realm, owner.person.sub)
        rows = [_row(one, self._realm.policy) for one in mine]
        return self._access.page("account_agents.html", request, status, problem=problem, done=done, agents=rows)


def _row(client: Client, policy: Policy) -> dict[str, Any]:
    agent = client.agent
    return {
        "id": client.id,
        "name": client.name,
        "purpose": agent.purpose if agent else "",
        "status": agent.status if agent else "",
        "paused": agent is not None and agent.status == PAUSED,
        "revoked": agent is not None and agent.status == REVOKED,
        "since": moment(agent.since) if agent else "",
        "may": sentences(client.scopes, policy),
        "where": [policy.resources[uri].name for uri in client.resources if uri in policy.resources],
    }
