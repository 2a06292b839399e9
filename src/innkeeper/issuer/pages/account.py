"""The account page: who one is, where one is signed in, which applications one allowed what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from innkeeper.issuer.core.records import Person, Session
from innkeeper.issuer.desk import account, factors, open_sessions
from innkeeper.issuer.desk.account import Application
from innkeeper.issuer.desk.agents import let_act, owned
from innkeeper.issuer.desk.backchannel import pending
from innkeeper.issuer.desk.callers import Caller
from innkeeper.issuer.desk.leaving import end_sessions
from innkeeper.issuer.desk.open_sessions import Place
from innkeeper.issuer.desk.passkeys import passkeys_of
from innkeeper.issuer.desk.realm import Realm
from innkeeper.issuer.desk.tickets import Ticket
from innkeeper.issuer.desk.upstream import links_of
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints, Layout
from innkeeper.issuer.pages import acting as said
from innkeeper.issuer.pages.moments import details, machine_moment, moment
from innkeeper.issuer.pages.render import page_reply
from innkeeper.issuer.pages.speaking import marked
from innkeeper.issuer.pages.visit import Visits, parameters_of
from innkeeper.protocol.exchange import NO_STORE, Reply, Request, redirect
from innkeeper.protocol.parameters import Malformed, Parameters

PAGE = frozenset({"GET", "HEAD", "POST"})
READ = frozenset({"GET", "HEAD"})

DONE = {
    "ended": marked("That browser is signed out."),
    "others": marked("You are signed out everywhere else."),
    "taken-back": marked("It may do nothing for you any more."),
    "let-act": marked("It may act for you again."),
    "password": marked("Your password is changed, and you are signed out everywhere else."),
    "connected": marked("Connected: you can sign in that way now."),
    "disconnected": marked("Disconnected: that account opens nothing here any more."),
    "codes-off": marked("Codes are off: your password alone signs you in."),
}
"""What the page says after something was done; the address names which."""


PARTS = ("password", "codes", "passkeys", "connected", "agents", "data")


class Owner(msgspec.Struct, frozen=True):
    """Whoever looks at their own account: their session, and what their browser sent along."""

    session: Session
    person: Person
    caller: Caller
    form: Parameters
    ours: bool


Part = Callable[[Request, Owner], Awaitable[Reply]]


class Access:
    """What the parts of the account share: they are for whoever is signed in, and a form counts only if it is ours."""

    def __init__(self, realm: Realm, layout: Layout, visits: Visits) -> None:
        self.realm = realm
        self.layout = layout
        self.visits = visits

    def __call__(self, part: Part) -> Callable[[Request], Awaitable[Reply]]:
        """The handler of a part."""

        async def enter(request: Request) -> Reply:
            try:
                form = parameters_of(request)
                ticket = self.visits.ticket(form)
                ours = request.method == "POST" and self.visits.sent_from_our_page(request, form)
            except Malformed:
                return self.message(
                    marked("This page is out of date"), marked("Please open your account page again."), 400
                )
            if ticket is not None and ticket.denied:
                return self.message(marked("Not signed in"), marked("Nothing was changed. You may close this page."))
            caller = await self.visits.caller(request)
            person = await self.realm.store.person(caller.session.sub) if caller.session else None
            if caller.session is None or person is None or person.disabled:
                return self.sign_in(request.path)
            await open_sessions.note_use(self.realm, caller.session)
            return await part(request, Owner(caller.session, person, caller, form, ours))

        return enter

    def changing(self, part: Part) -> Callable[[Request], Awaitable[Reply]]:
        """As above, for a part in which people change how they sign in: they have to have signed in just now."""

        async def enter(request: Request, owner: Owner) -> Reply:
            if await account.may_change(self.realm, owner.session):
                return self.sign_in(request.path, owner.person.username)
            return await part(request, owner)

        return self(enter)

    def sign_in(self, path: str, username: str = "") -> Reply:
        """On to the sign-in page, and from there to this path."""
        hint = [("login_hint", username)] if username else []
        return self.visits.on_to(self.layout.sign_in, Ticket(hint, self.realm.now(), place=path))

    def page(
        self,
        template: str,
        request: Request,
        status: int = 200,
        headers: list[tuple[str, str]] | None = None,
        *,
        scripted: bool = False,
        targets: Sequence[str] = (),
        **context: Any,
    ) -> Reply:
        """A page with one form of ours, the answer to which may lead to ``targets``."""
        proof, cookies = self.visits.form_proof(request)
        return page_reply(
            template,
            status,
            [*cookies, *(headers or [])],
            form_targets=targets,
            scripted=scripted,
            realm_name=self.realm.policy.title,
            static=self.layout.static,
            csrf=proof,
            action=request.path,
            account=self.layout.account,
            **context,
        )

    def back(self, done: str) -> Reply:
        """Back to the account page, which says what was done."""
        return redirect(f"{self.layout.account}?{urlencode({'done': done})}")

    def message(self, title: str, text: str, status: int = 200) -> Reply:
        policy = self.realm.policy
        return page_reply(
            "message.html", status, realm_name=policy.title, static=self.layout.static, title=title, text=text
        )


class AccountPage:
    """The overview, and all of it as a file."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._realm = access.realm

    def table(self) -> Endpoints:
        at, access = self._access.layout.account, self._access
        return {
            at: Endpoint(access(self._overview), PAGE),
            f"{at}/data": Endpoint(access(self._data), READ),
            **({} if access.layout.base else {"/.well-known/change-password": Endpoint(self._change_password, READ)}),
        }

    async def _overview(self, request: Request, owner: Owner) -> Reply:
        if request.method == "POST" and owner.ours:
            return await self._done(owner)
        refused = request.method == "POST"
        realm, sub, at = self._realm, owner.person.sub, self._access.layout.account
        app = await factors.app_of(realm, sub)
        return self._access.page(
            "account.html",
            request,
            403 if refused else 200,
            problem=marked("Please send the form again.") if refused else None,
            done=DONE.get(owner.form.get("done", "")) if request.method != "POST" else None,
            person={
                "name": str(owner.person.claims.get("name", owner.person.username)),
                "username": owner.person.username,
            },
            details=details(owner.person.claims),
            codes_since=moment(app.since) if app else None,
            codes_left=await factors.recovery_codes_left(realm, sub),
            passkeys=len(await passkeys_of(realm, sub)),
            places=[_place(one, owner.session) for one in await open_sessions.places(realm, sub, owner.session.id)],
            applications=[await _application(realm, one) for one in await account.applications(realm, sub)],
            agents=len(await owned(realm, sub)),
            waiting=len(await pending(realm, sub)),
            approvals=self._access.layout.approvals,
            parts={name: f"{at}/{name}" for name in PARTS},
            connected=len(await links_of(realm, sub)) if realm.policy.upstreams else None,
            logout=self._access.layout.logout,
        )

    async def _done(self, owner: Owner) -> Reply:
        sub, ending, taking = owner.person.sub, owner.form.get("end", ""), owner.form.get("take_back", "")
        if taking:
            await account.take_back(self._realm, sub, taking)
            return self._access.back("taken-back")
        if again := owner.form.get("let_act", ""):
            await let_act(self._realm, sub, again)
            return self._access.back("let-act")
        if ending == "others":
            await end_sessions(self._realm, await open_sessions.ended(self._realm, sub, owner.session.id))
            return self._access.back("others")
        await open_sessions.end(self._realm, sub, ending)
        return self._access.back("ended" if ending else "")

    async def _data(self, _: Request, owner: Owner) -> Reply:
        document = msgspec.json.format(msgspec.json.encode(await account.everything(self._realm, owner.person)))
        name = (("content-disposition", 'attachment; filename="account.json"'), ("x-content-type-options", "nosniff"))
        return Reply(200, (("content-type", "application/json"), *name, *NO_STORE), document)

    async def _change_password(self, _: Request) -> Reply:
        """Where a password manager finds the form (W3C, A Well-Known URL for Changing Passwords)."""
        return redirect(f"{self._access.layout.account}/password")


def _place(place: Place, here: Session) -> dict[str, Any]:
    return {
        "id": place.id,
        "browser": place.browser or marked("A browser"),
        "since": moment(place.opened_at),
        "used": moment(place.used_at),
        "used_at": machine_moment(place.used_at),
        "here": place.id == here.id,
    }


async def _application(realm: Realm, one: Application) -> dict[str, Any]:
    client, policy = await realm.client(one.id), realm.policy
    may = said.sentences(one.scopes, policy)
    return {
        "id": one.id,
        "name": one.name,
        "agent": await said.about(realm, client) if client else None,
        "may": may or ([] if one.acts or one.taken_back else [marked("Know that you signed in")]),
        "where": [policy.resources[uri].name for uri in policy.resources if uri in one.resources],
        "did": [await said.did(realm, act) for act in one.acts],
        "taken_back": bool(one.taken_back),
        "since": moment(one.taken_back or one.since),
        "since_at": machine_moment(one.taken_back or one.since),
    }
