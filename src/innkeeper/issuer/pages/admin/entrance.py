"""Who may come into the console: a session of somebody with a role; and the pages' common frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from innkeeper.issuer.core.admin.access import ROLE_MISSING, SIGN_IN_AGAIN
from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.desk.admin.acting import ABOUT
from innkeeper.issuer.desk.admin.entering import Visitor, by_session, judge
from innkeeper.issuer.desk.admin.house import House
from innkeeper.issuer.desk.matter import administered
from innkeeper.issuer.desk.open_sessions import note_use
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.dialects.layout import Layout
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Malformed, Visits, parameters_of
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.parameters import Parameters
from innkeeper.protocol.refusals import Page, Refusal
from innkeeper.tokens.trail import at_the_door

MENU = (
    ("", marked("Overview"), ""),
    ("clients", marked("Clients"), "admin:clients:read"),
    ("agents", marked("Agents"), "admin:agents:read"),
    ("people", marked("People"), "admin:people:read"),
    ("resources", marked("Resources"), "admin:resources:read"),
    ("realms", marked("Realms and keys"), "admin:realms:read"),
    ("policy", marked("Rules"), "admin:policies:read"),
    ("audit", marked("Audit"), "admin:audit:read"),
    ("health", marked("Health"), "admin:health:read"),
)
"""The parts of the console, in the order of the menu, each with the permission that opens it."""


class Guest(msgspec.Struct, frozen=True):
    """Whoever is in the console now: who they are, what they may do, what their browser sent."""

    visitor: Visitor
    session: Session
    person: Person
    request: Request
    form: Parameters
    ours: bool

    @property
    def sends(self) -> bool:
        return self.request.method == "POST"


Room = Callable[[Guest, Sequence[str]], Awaitable[Reply]]


class Entrance:
    """What the rooms of the console share."""

    def __init__(self, house: House, layout: Layout, visits: Visits) -> None:
        self.house = house
        self.realm = house.realm
        self.layout = layout
        self.visits = visits
        self.at = f"{layout.base}/admin"

    async def enter(self, request: Request, segments: Sequence[str], room: Room) -> Reply:
        """Into a room, or to the sign-in and back; somebody without any role is told so."""
        administered(what=f"/admin/{segments[0] if segments else ''}")
        try:
            form = parameters_of(request)
            ticket = self.visits.ticket(form)
            ours = request.method == "POST" and self.visits.sent_from_our_page(request, form)
        except Malformed:
            return self.message(marked("This page is out of date"), marked("Please open the console again."), 400)
        if ticket is not None and ticket.denied:
            return self.message(marked("Not signed in"), marked("Nothing was changed. You may close this page."))
        caller = await self.visits.caller(request)
        person = await self.realm.store.person(caller.session.sub) if caller.session else None
        if caller.session is None or person is None or person.disabled:
            return self.sign_in(segments)
        await note_use(self.realm, caller.session)
        visitor = await by_session(self.realm, caller.session, person)
        guest = Guest(visitor, caller.session, person, request, form, ours)
        if not visitor.actor.permissions:
            refusal = Refusal(ROLE_MISSING, f"person {person.sub} has no role here", "a role", "none")
            return self.refused(guest, self.noted(refusal))
        return await room(guest, segments)

    def may_not(self, guest: Guest, needs: str, segments: Sequence[str], *, writes: bool = False) -> Reply | None:
        """What is answered instead where they may not: to the sign-in for a change, or the reason."""
        refusal = judge(self.realm, guest.visitor, needs, writes=writes)
        if refusal is None:
            return None
        if refusal.page is SIGN_IN_AGAIN:
            return self.sign_in(segments, guest.person.username)
        return self.refused(guest, refusal)

    def noted(self, refusal: Refusal) -> Refusal:
        """The same refusal, in the log."""
        self.realm.observe(at_the_door(ABOUT, refusal, "RFC 9700 §2.3"))
        return refusal

    def sign_in(self, segments: Sequence[str], username: str = "") -> Reply:
        """On to the sign-in page, and from there back to this place."""
        hint = [("login_hint", username)] if username else []
        return self.visits.on_to(self.layout.sign_in, Ticket(hint, self.realm.now(), place=self.address(*segments)))

    def address(self, *segments: str) -> str:
        """A place in the console. Ids may hold any character."""
        return "/".join((self.at, *(quote(one, safe="") for one in segments)))

    def page(
        self, template: str, guest: Guest, status: int = 200, headers: Sequence[tuple[str, str]] = (), **context: Any
    ) -> Reply:
        """A page in the console's frame, with the menu of what is open to them."""
        proof, cookies = self.visits.form_proof(guest.request)
        here = guest.request.path.removeprefix(self.at).strip("/").partition("/")[0]
        menu = [
            {"title": title, "href": self.address(*([name] if name else [])), "here": name == here}
            for name, title, needs in MENU
            if not needs or guest.visitor.may(needs)
        ]
        return page_reply(
            f"admin/{template}",
            status,
            [*cookies, *headers],
            realm_name=self.realm.policy.title,
            static=self.layout.static,
            csrf=proof,
            menu=menu,
            who=guest.person.username,
            account=self.layout.account,
            logout=self.layout.logout,
            home=self.at,
            **context,
        )

    def refused(self, guest: Guest, refusal: Refusal) -> Reply:
        """The page of a refusal. Whoever is in the console is told the reason: what was wanted, what there was, what helps."""
        page: Page = refusal.page
        told = {
            "number": page.number,
            "title": page.title,
            "reason": refusal.reason,
            "cause": page.cause,
            "expected": refusal.expected,
            "found": refusal.found,
            "remedy": refusal.remedy,
        }
        return self.page("refused.html", guest, page.status, problem=told)

    def message(self, title: str, text: str, status: int = 200) -> Reply:
        policy = self.realm.policy
        return page_reply(
            "message.html", status, realm_name=policy.title, static=self.layout.static, title=title, text=text
        )
