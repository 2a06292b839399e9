"""Signing out: a question first where nobody proves that the client may, then the way back."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.issuer.core.logout import LOGOUT_WRONG, AskFirst, SignedOut
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.desk.logout import logout
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket, open_ticket, seal
from innkeeper.issuer.desk.upstream_leaving import way_out
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.explanations import Explanations
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters, parse_query
from innkeeper.protocol.redirects import with_parameters
from innkeeper.protocol.refusals import Refusal
from innkeeper.tokens.trail import at_the_door

_DONE = "signed out"


class LogoutPage:
    """GET and POST of OpenID Connect RP-Initiated Logout; our own form's answer comes back to the same address."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits, explanations: Explanations) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits
        self._explanations = explanations

    async def __call__(self, request: Request) -> Reply:
        try:
            return await self._answer(request, parameters_of(request))
        except Malformed as error:
            refusal = Refusal(LOGOUT_WRONG, str(error))
            trail = at_the_door("logout", refusal, "RP-Initiated Logout §2")
            self._realm.observe(trail)
            return self._explanations.error_page(refusal, trail, 400)

    async def _answer(self, request: Request, form: Parameters) -> Reply:
        ticket = self._visits.ticket(form) if request.method == "POST" else None
        ours = ticket is not None and self._visits.sent_from_our_page(request, form)
        if ours and form.get("decision") != "logout":
            return page_reply(
                "message.html",
                realm_name=self._realm.policy.title,
                static=self._layout.static,
                title=marked("Still signed in"),
                text=marked("Nothing was changed. You may close this page."),
            )
        ask = ticket.parameters() if ticket is not None else form
        session = await self._realm.session(self._visits.session_cookie(request))
        decision, frames = await logout(self._realm, ask, session, confirmed=ours)
        outcome = decision.outcome
        if isinstance(outcome, Refusal):
            return self._explanations.error_page(outcome, decision.trail, outcome.page.status)
        if isinstance(outcome, AskFirst):
            return self._ask(request, ask, outcome)
        return await self._done(ask, outcome, frames, session)

    def _ask(self, request: Request, ask: Parameters, outcome: AskFirst) -> Reply:
        proof, headers = self._visits.form_proof(request)
        back = ask.get("post_logout_redirect_uri")
        return page_reply(
            "logout.html",
            200,
            headers,
            form_targets=[back] if back else (),
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            client=outcome.client,
            action=self._layout.logout,
            csrf=proof,
            ticket=seal(self._realm, Ticket(ask.pairs(), self._realm.now())),
        )

    async def _done(self, ask: Parameters, outcome: SignedOut, frames: Sequence[str], session: Session | None) -> Reply:
        over = [self._visits.signed_out()]
        state, back = ask.get("state"), outcome.redirect_uri
        if back and state:
            back = with_parameters(back, [("state", state)])
        carried = seal(self._realm, Ticket([("back", back)] if back else [], self._realm.now(), place=_DONE))
        back = await way_out(self._realm, session, self._layout.url(f"{self._layout.logout}/done"), carried) or back
        if back and not frames:
            return redirect(back, headers=over)
        return page_reply(
            "signed_out.html",
            200,
            over,
            frames=frames,
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            back_url=back,
        )

    async def done(self, request: Request) -> Reply:
        """Back from signing out at another issuer: on to where the person was going, as this issuer's own seal says."""
        try:
            ticket = open_ticket(self._realm, parse_query(request.query).get("state", ""))
        except Malformed:
            ticket = None
        back = ticket.parameters().get("back") if ticket and ticket.place == _DONE else None
        if back:
            return redirect(back)
        return page_reply(
            "signed_out.html",
            frames=(),
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            back_url=None,
        )
