"""A change in the console, in two steps: what is wanted is typed, what it comes to is shown; only then is it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.issuer.core.admin.change import CHANGED_MEANWHILE, NOT_OUR_PAGE, UNKNOWN_THING
from innkeeper.issuer.core.admin.plan import Difference, Plan
from innkeeper.issuer.core.admin.rules import NAMES
from innkeeper.issuer.desk.admin.acting import carry_out, plan
from innkeeper.issuer.desk.admin.actions import ACTIONS, Action
from innkeeper.issuer.desk.admin.house import Missing
from innkeeper.issuer.desk.admin.readings import READINGS
from innkeeper.issuer.desk.admin.taking import values_of
from innkeeper.issuer.pages.admin.entrance import Entrance, Guest
from innkeeper.issuer.pages.admin.fields import FORMS, Field, filled, values_from
from innkeeper.issuer.pages.moments import moment
from innkeeper.issuer.pages.speaking import marked, translated, worded
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply, redirect
from innkeeper.protocol.refusals import Refusal, UsageError

LIFETIME = 900
"""Seconds in which a change that is shown has to be confirmed."""


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A change that waits for its confirmation, sealed into the page: nobody reads in it or alters it, and it counts in the
    session alone in which it was shown."""

    action: str
    key: str
    values: dict[str, Any]
    version: str
    shown_at: int


class Changing:
    """The rooms below ``/admin/do``."""

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance
        self._house = entrance.house

    async def room(self, guest: Guest, segments: Sequence[str]) -> Reply:
        """``do/ACTION/KEY``: the form, the review of what was typed, or the change itself."""
        _, name, key = (*segments, "", "")[:3]
        action = ACTIONS.get(name)
        if action is None or (bool(key) is action.makes and action.kind not in ("key", "policy")):
            return self._missing(guest, f"no change {name!r} of {key!r}")
        if no := self._entrance.may_not(guest, action.permission, segments, writes=True):
            return no
        if guest.sends and not guest.ours:
            refusal = Refusal(NOT_OUR_PAGE, "the form's proof is missing, or another site sent it", "ours", "another")
            return self._entrance.refused(guest, self._entrance.noted(refusal))
        try:
            return await self._stepped(guest, action, key)
        except Missing as missing:
            return self._missing(guest, str(missing))

    async def _stepped(self, guest: Guest, action: Action, key: str) -> Reply:
        fields = (
            FORMS[action.name](self._house.realm.policy, guest.visitor.actor.permissions)
            if action.name in FORMS
            else ()
        )
        if guest.sends and "change" in guest.form:
            return await self._confirmed(guest, action, key)
        if guest.sends or not fields:
            return await self._review(guest, action, key, fields)
        present = await self._present(action, key)
        return self._form(guest, action, key, filled(fields, present))

    async def _present(self, action: Action, key: str) -> Mapping[str, Any]:
        """What the form starts with: the thing as it is. Raises ``Missing``."""
        if action.makes:
            return {}
        found = (await READINGS[action.kind].look(self._house, key, {})).document
        if action.kind == "policy":
            return {name: one["value"] for name, one in found["rules"].items()}
        return {} if action.name in ("client.rotate-secret", "person.password") else found

    def _form(self, guest: Guest, action: Action, key: str, fields: list[dict[str, Any]], problem: str = "") -> Reply:
        return self._entrance.page(
            "form.html",
            guest,
            422 if problem else 200,
            title=action.does,
            key=key,
            fields=fields,
            problem=problem,
            action=self._entrance.address("do", action.name, *([key] if key else [])),
            back=self._back(action, key),
        )

    async def _review(self, guest: Guest, action: Action, key: str, fields: Sequence[Field]) -> Reply:
        typed: dict[str, Any] = {}
        try:
            typed = values_from(fields, guest.form) if guest.sends else {}
            wanted = await self._wanted(action, key, typed)
            planned = await plan(self._house, guest.visitor.actor, action, key, values_of(action.takes, wanted), "*")
        except UsageError as unfit:
            return self._form(guest, action, key, filled(fields, typed), str(unfit))
        if isinstance(planned, Refusal):
            return self._not_planned(guest, action, key, filled(fields, typed), planned)
        pending = Pending(action.name, key, wanted, planned.version, self._house.realm.now())
        return self._shown(guest, action, key, planned, self._sealed(guest, pending))

    async def _wanted(self, action: Action, key: str, typed: dict[str, Any]) -> dict[str, Any]:
        """What was typed, as the change takes it: rules are set only where they were altered."""
        if action.name != "policy.change":
            return {name: value for name, value in typed.items() if value is not None}
        present = await self._present(action, key)
        return {"set": {one: typed[one] for one in NAMES if typed.get(one) is not None and typed[one] != present[one]}}

    def _not_planned(
        self, guest: Guest, action: Action, key: str, fields: list[dict[str, Any]], refusal: Refusal
    ) -> Reply:
        """A value that does not fit is mended in the form; everything else has a page of its own."""
        if refusal.page.status in (409, 422) and fields and not refusal.expected:
            return self._form(guest, action, key, fields, refusal.reason)
        return self._entrance.refused(guest, refusal)

    def _shown(self, guest: Guest, action: Action, key: str, planned: Plan, sealed: str) -> Reply:
        return self._entrance.page(
            "review.html",
            guest,
            title=action.does,
            name=planned.name or key,
            rows=[difference_row(one) for one in planned.differences],
            follows=planned.follows,
            grave=action.grave,
            sealed=sealed,
            action=self._entrance.address("do", action.name, *([key] if key else [])),
            back=self._back(action, key),
        )

    async def _confirmed(self, guest: Guest, action: Action, key: str) -> Reply:
        pending = self._opened(guest, guest.form.get("change", ""))
        if pending is None or (pending.action, pending.key) != (action.name, key):
            refusal = Refusal(
                NOT_OUR_PAGE, "what was shown is too old, or was shown elsewhere", "what was shown", "another"
            )
            return self._entrance.refused(guest, self._entrance.noted(refusal))
        values = values_of(action.takes, pending.values)
        done = await carry_out(self._house, guest.visitor.actor, action, key, values, pending.version)
        if isinstance(done, Refusal):
            return (
                self._lost(guest, action, key)
                if done.page is CHANGED_MEANWHILE
                else self._entrance.refused(guest, done)
            )
        secret = {name: text for name, text in done.told.items() if name in _TOLD_ONCE}
        where = self._thing(action, done)
        if secret:
            return self._entrance.page(
                "told.html", guest, title=action.does, told=secret.items(), words=_TOLD_ONCE, on=where
            )
        return redirect(f"{where}?done={action.name}")

    def _lost(self, guest: Guest, action: Action, key: str) -> Reply:
        """Somebody was faster: the change is begun anew, from what is there now."""
        where = self._entrance.address("do", action.name, *([key] if key else []))
        return self._entrance.page("lost.html", guest, 412, again=where, back=self._back(action, key))

    def _thing(self, action: Action, done: Plan) -> str:
        """The page to go on to: of the thing, or of the list where it is gone."""
        part = PARTS[action.kind]
        if action.kind == "key":
            return self._entrance.address(part, done.realm, "keys")
        if done.after is None or action.name == "client.invite" or action.kind == "policy":
            return self._entrance.address(part)
        return self._entrance.address(part, done.key)

    def _back(self, action: Action, key: str) -> str:
        part = PARTS[action.kind]
        if action.kind == "key":
            return self._entrance.address(part, key.partition("/")[0], "keys")
        return self._entrance.address(part, *([key] if key and action.kind != "policy" else []))

    def _missing(self, guest: Guest, reason: str) -> Reply:
        return self._entrance.refused(guest, self._entrance.noted(Refusal(UNKNOWN_THING, reason)))

    def _sealed(self, guest: Guest, pending: Pending) -> str:
        seal = self._house.realm.seal
        return base64url.encode_text(seal.close(msgspec.json.encode(pending), _purpose(guest)))

    def _opened(self, guest: Guest, sealed: str) -> Pending | None:
        try:
            body = self._house.realm.seal.open(base64url.decode(sealed), _purpose(guest))
            pending = msgspec.json.decode(body, type=Pending)
        except (base64url.NotBase64Url, UsageError, msgspec.MsgspecError):
            return None
        return pending if pending.shown_at + LIFETIME > self._house.realm.now() else None


PARTS = {
    "client": "clients", "agent": "agents", "person": "people", "resource": "resources", "key": "realms", "policy": "policy",
}  # fmt: skip
"""The part of the console in which each kind of thing is."""

_TOLD_ONCE = {
    "client_id": marked("Client ID"),
    "client_secret": marked("Client secret"),
    "initial_access_token": marked("Initial access token"),
}


def _purpose(guest: Guest) -> str:
    return f"change shown in session {guest.session.id}"


def difference_row(one: Difference) -> dict[str, Any]:
    """A difference for people: where it is, the values that go, the values that come."""
    before, after = _values(one.before), _values(one.after)
    if isinstance(one.before, list) or isinstance(one.after, list):
        before, after = [v for v in before if v not in after], [v for v in after if v not in before]
    if one.path in _IN_OUR_WORDS:
        before, after = [translated(v) for v in before], [translated(v) for v in after]
    return {"path": _place(one.path), "before": before, "after": after, "code": one.path}


_IN_OUR_WORDS = {
    "password": (marked("set"), marked("none"), marked("a new one")),
    "registered_by": (marked("an operator"), marked("itself"), marked("its own document")),
    "status": (marked("active"), marked("paused"), marked("revoked")),
}
"""Members whose values are words of ours, and not what somebody typed."""


def _place(path: str) -> str:
    """Where a difference is, in words: a member by its label, what is inside it by its own name."""
    member, *inside = path.split(".")
    label = translated(MEMBERS[member]) if member in MEMBERS else member.replace("_", " ")
    return " › ".join((label, *inside))


MEMBERS = {
    "id": marked("ID"), "name": marked("Name"), "public": marked("Public"), "grants": marked("Grants"),
    "scopes": marked("Scopes"), "resources": marked("Resources"), "redirect_uris": marked("Redirect URIs"),
    "post_logout_redirect_uris": marked("Where signing out leads"), "profile": marked("Rules it lives by"),
    "pkce": marked("PKCE"), "trusted": marked("Trusted"), "native": marked("Native app"), "secrets": marked("Secrets"),
    "registered_by": marked("Registered by"), "created_at": marked("Since"), "owner": marked("Who answers for it"),
    "purpose": marked("Purpose"), "status": marked("Now"), "sub": marked("Subject"),
    "username": marked("Name to sign in with"), "claims": marked("Claims"), "roles": marked("Roles"),
    "locked": marked("Locked"), "password": marked("Password"), "second_factors": marked("Second factors"),
    "sessions": marked("Sessions"), "uri": marked("Address"), "details": marked("Authorization details"),
    "uses": marked("Uses"), "expires_at": marked("Good until"), "metadata": marked("Registered besides"),
}  # fmt: skip
"""Members of a thing as the console calls them; others, such as rules and keys, are under their own names."""


def _values(value: Any) -> list[str]:
    if value is None:
        return []
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return translated("yes") if value else translated("no")
    if isinstance(value, dict) and value.keys() == {"created_at", "expires_at"}:
        return _secret(value["created_at"], value["expires_at"])
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _secret(made: int, until: int | None) -> str:
    if not until:
        return worded("made {when}", when=moment(made))
    return worded("made {when}, good until {until}", when=moment(made), until=moment(until))
