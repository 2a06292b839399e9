"""The parts of the account in which people change how they sign in: password, codes, passkeys."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.desk import account, factors, one_time_codes, passkeys
from innkeeper.issuer.desk.account import SetUp
from innkeeper.issuer.dialects.layout import Endpoint, Endpoints
from innkeeper.issuer.pages.account import PAGE, Access, Owner
from innkeeper.issuer.pages.moments import moment
from innkeeper.issuer.pages.qr import drawn
from innkeeper.issuer.pages.speaking import marked
from innkeeper.protocol.exchange import Reply, Request
from innkeeper.protocol.refusals import Refusal

RESEND = marked("Please send the form again.")


class PasswordPage:
    def __init__(self, access: Access) -> None:
        self._access = access

    def table(self) -> Endpoints:
        access = self._access
        return {f"{access.layout.account}/password": Endpoint(access.changing(self._part), PAGE)}

    async def _part(self, request: Request, owner: Owner) -> Reply:
        if request.method != "POST":
            return self._page(request, owner, None)
        if not owner.ours:
            return self._page(request, owner, RESEND, 403)
        said, form = owner.session, owner.form
        new = form.get("new", ""), form.get("again", "")
        problem = await account.change_password(self._access.realm, said, owner.person, form.get("present", ""), *new)
        if problem:
            return self._page(request, owner, problem.page.wire, problem.page.status)
        return self._access.back("password")

    def _page(self, request: Request, owner: Owner, problem: str | None, status: int = 200) -> Reply:
        username = owner.person.username
        return self._access.page("account_password.html", request, status, problem=problem, username=username)


class CodesPage:
    """Codes from an app: turn on, new recovery codes, turn off."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._realm = access.realm

    def table(self) -> Endpoints:
        access = self._access
        return {f"{access.layout.account}/codes": Endpoint(access.changing(self._part), PAGE)}

    async def _part(self, request: Request, owner: Owner) -> Reply:
        on = await factors.app_of(self._realm, owner.person.sub) is not None
        if request.method == "POST" and not owner.ours:
            return await self._page(request, owner, RESEND, 403)
        if request.method != "POST":
            return await self._page(request, owner, None)
        return await self._on(request, owner) if on else await self._off(request, owner)

    async def _off(self, request: Request, owner: Owner) -> Reply:
        """Codes are off: the form turns them on."""
        done = await account.set_up_codes(self._realm, owner.caller, owner.session, owner.form.get("code", ""))
        if isinstance(done, Refusal):
            return await self._page(request, owner, done.page.wire, done.page.status)
        headers = self._access.visits.signed_in(owner.caller, done.signed_in)
        return self._recovery(request, done, headers)

    async def _on(self, request: Request, owner: Owner) -> Reply:
        """Codes are on: the form turns them off, or makes new recovery codes."""
        sub = owner.person.sub
        if owner.form.get("do") == "off":
            await account.turn_off_codes(self._realm, sub)
            return self._access.back("codes-off")
        if owner.form.get("do") == "recovery":
            return self._recovery(request, await account.new_recovery_codes(self._realm, sub))
        return await self._page(request, owner, None)

    def _recovery(
        self, request: Request, codes: SetUp | list[str], headers: list[tuple[str, str]] | None = None
    ) -> Reply:
        shown = codes.recovery_codes if isinstance(codes, SetUp) else codes
        just_on = isinstance(codes, SetUp)
        return self._access.page("account_recovery.html", request, headers=headers, codes=shown, just_on=just_on)

    async def _page(self, request: Request, owner: Owner, problem: str | None, status: int = 200) -> Reply:
        realm, person = self._realm, owner.person
        app = await factors.app_of(realm, person.sub)
        if app is not None:
            left = await factors.recovery_codes_left(realm, person.sub)
            return self._access.page(
                "account_codes_on.html", request, status, problem=problem, since=moment(app.since), left=left
            )
        secret = await account.offered_secret(realm, owner.session)
        uri = one_time_codes.address(secret, person.username, realm.policy.title)
        spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return self._access.page(
            "account_codes.html", request, status, problem=problem, secret=spaced, uri=uri, qr=drawn(uri)
        )


class PasskeysPage:
    """Passkeys: the list, a new one, away with one."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._realm = access.realm
        self._site = passkeys.site_of(access.realm, access.layout.origin)

    def table(self) -> Endpoints:
        access = self._access
        return {f"{access.layout.account}/passkeys": Endpoint(access.changing(self._part), PAGE)}

    async def _part(self, request: Request, owner: Owner) -> Reply:
        if request.method != "POST":
            return await self._page(request, owner)
        if not owner.ours:
            return await self._page(request, owner, problem=RESEND, status=403)
        form = owner.form
        if removing := form.get("remove", ""):
            await passkeys.remove(self._realm, owner.person.sub, removing)
            return await self._page(
                request, owner, done=marked("The passkey is removed. Delete it on your device too.")
            )
        if self._site is None or not form.get("passkey"):
            return await self._page(request, owner, problem=marked("No passkey came."), status=400)
        refusal = await passkeys.register(
            self._realm, self._site, owner.session, form.get("passkey", ""), form.get("name", "")
        )
        if refusal:
            return await self._page(request, owner, problem=refusal.page.wire, status=refusal.page.status)
        return await self._page(
            request, owner, done=marked("The passkey is registered. Use it the next time you sign in.")
        )

    async def _page(
        self, request: Request, owner: Owner, *, problem: str | None = None, done: str | None = None, status: int = 200
    ) -> Reply:
        held = await passkeys.passkeys_of(self._realm, owner.person.sub)
        options = (
            await passkeys.registration_options(self._realm, self._site, owner.person, owner.session)
            if self._site
            else None
        )
        return self._access.page(
            "account_passkeys.html",
            request,
            status,
            scripted=self._site is not None,
            problem=problem,
            done=done,
            passkeys=[_shown(key, one) for key, one in held],
            passkey=options,
            issuer=self._realm.policy.issuer,
            suggestion=owner.caller.named,
        )


def _shown(key: str, one: passkeys.Passkey) -> dict[str, Any]:
    return {
        "id": key,
        "name": one.name,
        "since": moment(one.since),
        "used": moment(one.used_at) if one.used_at else None,
        "shared": one.shared,
    }
