"""Where browsers come back to from another issuer, and the part of the account in which people connect the two."""

from __future__ import annotations

from msgspec.structs import replace

from innkeeper.issuer.core.records import Session, Upstream
from innkeeper.issuer.core.upstream_logout import LOGOUT_TOKEN_WRONG
from innkeeper.issuer.desk import upstream as desk
from innkeeper.issuer.desk import upstream_leaving as leaving
from innkeeper.issuer.desk.authorize import consent_to
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Layout
from innkeeper.issuer.pages.account import PAGE, Access, Owner
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.pages.sign_in import onward, too_late
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, json_reply, redirect
from innkeeper.protocol.parameters import Malformed, Parameters, parse_form, parse_query
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door

_ABOUT = "upstream sign-in"
NO_SUCH_UPSTREAM = Refusal(LOGOUT_TOKEN_WRONG, "no [[upstream]] of that id")
RESEND = marked("Please send the form again.")


class ReturnPage:
    """The redirect URI that is registered at another issuer; its last segment is the upstream's id."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits, explanations: Explanations) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits
        self._explanations = explanations

    def table(self) -> Endpoints:
        at = self._layout.sign_in
        return {
            f"{at}/from/*": Endpoint(self, frozenset({"GET", "HEAD"})),
            f"{at}/left/*": Endpoint(self._left, frozenset({"POST"})),
        }

    async def __call__(self, request: Request) -> Reply:
        chosen = self._realm.policy.upstreams.get(request.path.rpartition("/")[2])
        try:
            return await self._answered(request, chosen) if chosen else self._too_late()
        except Malformed:
            return self._too_late()

    async def _answered(self, request: Request, chosen: Upstream) -> Reply:
        answer = parse_query(request.query)
        proof, _ = self._visits.form_proof(request)
        caller = await self._visits.caller(request)
        done = await desk.finish(self._realm, chosen, proof, answer, caller)
        if isinstance(done, Refusal):
            return self._refused(done)
        await leaving.note(self._realm, chosen, done.signed_in.session, done.vouched, done.token)
        headers = self._visits.signed_in(caller, done.signed_in)
        if done.linked:
            return redirect(f"{self._layout.account}?done=connected", headers=headers)
        ticket = self._visits.ticket(Parameters([("ticket", done.ticket)]))
        if ticket is None:
            return redirect(self._layout.account, headers=headers)
        if done.consented and not ticket.place:
            return await self._allowed(ticket, done.signed_in.session, headers)
        return onward(self._visits, caller, ticket, done.signed_in)

    async def _allowed(self, ticket: Ticket, session: Session, headers: list[tuple[str, str]]) -> Reply:
        """Go on with a request that was allowed in this very browser before it was sent away."""
        ticket = replace(ticket, session_id=session.id, signed_in_at=session.auth_time, consented=True)
        await consent_to(self._realm, ticket, session)
        return self._visits.onward(ticket, headers)

    async def _left(self, request: Request) -> Reply:
        """The other issuer says that somebody signed out there (Back-Channel Logout §2.5)."""
        chosen = self._realm.policy.upstreams.get(request.path.rpartition("/")[2])
        try:
            form = parse_form(request.body, request.headers.get("content-type", ""))
            token = form.get("logout_token", "")
        except Malformed:
            token = ""
        refusal = await leaving.received(self._realm, chosen, token) if chosen else NO_SUCH_UPSTREAM
        if refusal is None:
            return Reply(200, NO_STORE)
        return json_reply({"error": refusal.error, "error_description": refusal.wire}, 400, NO_STORE)

    def _too_late(self) -> Reply:
        return too_late(self._realm.policy.title, self._layout.static)

    def _refused(self, refusal: Refusal) -> Reply:
        trail = self._explanations.trail_of(refusal) or at_the_door(_ABOUT, refusal, "OpenID Connect Core §3.1.3.7")
        return self._explanations.error_page(refusal, trail, refusal.page.status)


class ConnectedPage:
    """The account's part that connects other issuers' accounts and disconnects them."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._realm = access.realm

    def table(self) -> Endpoints:
        access = self._access
        return {f"{access.layout.account}/connected": Endpoint(access.changing(self._part), PAGE)}

    async def _part(self, request: Request, owner: Owner) -> Reply:
        if request.method != "POST":
            return await self._page(request, owner)
        if not owner.ours:
            return await self._page(request, owner, RESEND, 403)
        gone = owner.form.get("disconnect", "")
        if gone in self._realm.policy.upstreams:
            await desk.unlink(self._realm, owner.person.sub, gone)
            return self._access.back("disconnected")
        return await self._connect(request, owner)

    async def _connect(self, request: Request, owner: Owner) -> Reply:
        chosen = self._realm.policy.upstreams.get(owner.form.get("connect", ""))
        if chosen is None:
            return await self._page(request, owner, marked("There is no such way to sign in."), 400)
        layout = self._access.layout
        proof, headers = self._access.visits.form_proof(request)
        came_back_to = layout.url(f"{layout.sign_in}/from/{chosen.id}")
        target = await desk.begin(self._realm, chosen, proof, "", came_back_to, asking=owner.person.sub)
        if isinstance(target, Refusal):
            return await self._page(request, owner, target.page.wire, target.page.status)
        return redirect(target, headers=headers)

    async def _page(self, request: Request, owner: Owner, problem: str | None = None, status: int = 200) -> Reply:
        linked = await desk.links_of(self._realm, owner.person.sub)
        ways = [(one.id, one.title, one.id in linked) for one in self._realm.policy.upstreams.values()]
        targets = [one.issuer for one in self._realm.policy.upstreams.values()]
        return self._access.page("account_connected.html", request, status, targets=targets, problem=problem, ways=ways)
