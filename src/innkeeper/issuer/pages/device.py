"""The page on which a person enters the code that a device shows, and says yes or no."""

from __future__ import annotations

from innkeeper.issuer.core.answering import Reviewed
from innkeeper.issuer.core.device_authorization import shown
from innkeeper.issuer.core.records import Session
from innkeeper.issuer.desk.device import Found, answer, find
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket, seal
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.acting import about
from innkeeper.issuer.pages.asked import asked
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Malformed, Parameters
from innkeeper.protocol.refusals import Refusal

_LONGEST = 32
"""Characters of a typed code that are carried along; a code has nine."""


class DevicePage:
    """GET shows the entry form, or the question where the address has a code; POST takes the code, then the answer.

    Nothing is allowed but by pressing the button, whatever address a person was sent to.
    """

    def __init__(self, realm: Realm, layout: Layout, visits: Visits) -> None:
        self._realm = realm
        self._layout = layout
        self._visits = visits

    async def __call__(self, request: Request) -> Reply:
        try:
            form = parameters_of(request)
            ticket = self._visits.ticket(form)
            typed = form.get("user_code") or (ticket.parameters().get("user_code", "") if ticket else "")
            decision = form.get("decision")
        except Malformed:
            return self._message(marked("This page is out of date"), marked("Please enter the code once more."), 400)
        if ticket is not None and (ticket.denied or ticket.place != self._layout.device):
            return self._message(marked("Nothing was connected"), marked("You may close this page."))
        session = await self._realm.session(self._visits.session_cookie(request))
        if session is None:
            return self._visits.on_to(self._layout.sign_in, self._ticket(typed))
        if request.method == "POST" and decision is not None:
            return await self._answered(request, form, ticket, session)
        if request.method == "POST" and not self._visits.sent_from_our_page(request, form):
            return self._entry(request, typed, marked("Please send the form again."), 403)
        return await self._look_up(request, session, typed) if typed else self._entry(request, "", None)

    async def _look_up(self, request: Request, session: Session, typed: str) -> Reply:
        found = (await find(self._realm, session, typed)).outcome
        if isinstance(found, Refusal):
            return self._entry(request, typed, found.page.wire, found.page.status)
        return await self._question(request, session, found)

    async def _answered(self, request: Request, form: Parameters, ticket: Ticket | None, session: Session) -> Reply:
        """The code comes from the ticket that the question was asked with, never from the form."""
        code = ticket.parameters().get("user_code", "") if ticket else ""
        ours = self._visits.sent_from_our_page(request, form)
        reviewed = Reviewed(ours, ticket.session_id if ticket else "", session.id)
        allowed = form.get("decision") == "allow"
        outcome = (await answer(self._realm, session, code, reviewed, allowed=allowed)).outcome
        if isinstance(outcome, Refusal):
            return self._entry(request, code, outcome.page.wire, outcome.page.status)
        if not allowed:
            return self._message(marked("Not connected"), marked("The device gets nothing. You may close this page."))
        return self._message(
            marked("Your device is connected"), marked("Go back to it; it goes on by itself. You may close this page.")
        )

    async def _question(self, request: Request, session: Session, found: Found) -> Reply:
        person = await self._realm.store.person(session.sub)
        proof, headers = self._visits.form_proof(request)
        return page_reply(
            "device_consent.html",
            200,
            headers,
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            user_code=shown(found.user_code),
            action=self._layout.device,
            csrf=proof,
            ticket=seal(self._realm, self._ticket(found.user_code, session.id)),
            switch_url=self._visits.on_to(self._layout.sign_in, self._ticket(found.user_code)).header("location"),
            agent=await about(self._realm, found.client),
            **asked(found.waiting, found.client, person, self._realm.policy, self._realm.now()),
        )

    def _entry(self, request: Request, typed: str, problem: str | None, status: int = 200) -> Reply:
        proof, headers = self._visits.form_proof(request)
        return page_reply(
            "device.html",
            status,
            headers,
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            action=self._layout.device,
            csrf=proof,
            user_code=typed[:_LONGEST],
            problem=problem,
        )

    def _message(self, title: str, text: str, status: int = 200) -> Reply:
        return page_reply(
            "message.html",
            status,
            realm_name=self._realm.policy.title,
            static=self._layout.static,
            title=title,
            text=text,
        )

    def _ticket(self, user_code: str, session_id: str = "") -> Ticket:
        pairs = [("user_code", user_code[:_LONGEST])] if user_code else []
        return Ticket(pairs, self._realm.now(), session_id, place=self._layout.device)
