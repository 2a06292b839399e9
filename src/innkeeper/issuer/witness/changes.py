"""What was changed, in words for the audit log: ids, kinds and names, never a secret nor what would lead to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.effects import Effect
from innkeeper.issuer.desk.matter import Matter

WORDS: dict[type[Effect], Callable[[Any], str]] = {
    fx.PutClient: lambda one: f"{'add' if one.new else 'change'} client {one.client.id}",
    fx.RemoveClient: lambda one: f"remove client {one.client_id}",
    fx.AddGrant: lambda one: f"add grant {one.grant.id}",
    fx.RevokeGrant: lambda one: f"revoke grant {one.grant_id}",
    fx.AddRefreshToken: lambda one: f"add refresh token of {one.token.grant_id}",
    fx.RevokeToken: lambda one: f"revoke token {one.jti}",
    fx.AddSession: lambda one: f"open session {one.session.id}",
    fx.ChangeSession: lambda one: f"change session {one.session.id}",
    fx.EndSession: lambda one: f"end session {one.session_id}",
    fx.GiveConsent: lambda one: f"give consent to {one.consent.client_id}",
    fx.TakeBackConsent: lambda one: f"take back consent to {one.client_id}",
    fx.PutCredential: lambda one: f"set {one.kind}",
    fx.RemoveCredential: lambda one: f"remove {one.kind}",
    fx.PutPerson: lambda one: f"put person {one.person.sub}",
    fx.RemovePerson: lambda one: f"remove person {one.sub}",
    fx.AddCode: lambda one: f"add code of {one.code.grant.id}",
    fx.SpendCode: lambda _: "spend code",
    fx.SpendRefreshToken: lambda _: "spend refresh token",
}
"""Effects that are told. What is missing here is passing work: counted tries, requests that wait, things used once."""

CONCERNS: dict[type[Effect], Callable[[Any], tuple[str, str]]] = {
    fx.AddGrant: lambda one: (one.grant.client_id, one.grant.sub),
    fx.AddCode: lambda one: (one.code.grant.client_id, one.code.grant.sub),
    fx.AddSession: lambda one: ("", one.session.sub),
    fx.ChangeSession: lambda one: ("", one.session.sub),
    fx.GiveConsent: lambda one: (one.consent.client_id, one.consent.sub),
    fx.TakeBackConsent: lambda one: (one.client_id, one.sub),
    fx.PutCredential: lambda one: ("", one.sub),
    fx.RemoveCredential: lambda one: ("", one.sub),
    fx.PutClient: lambda one: (one.client.id, ""),
    fx.RemoveClient: lambda one: (one.client_id, ""),
}
"""The client and the person that an effect is about."""


def told(changes: Sequence[Effect | str]) -> tuple[str, ...]:
    """The changes that are worth a word, each in words."""
    worded = ((one if isinstance(one, str) else _worded(one)) for one in changes)
    return tuple(one for one in worded if one)


def _worded(effect: Effect) -> str:
    if isinstance(effect, fx.PutEntry | fx.DropEntry):
        lasting = effect.kind.startswith(_LASTING)
        return f"{'put' if isinstance(effect, fx.PutEntry) else 'drop'} {effect.kind}" if lasting else ""
    words = WORDS.get(type(effect))
    return words(effect) if words else ""


_LASTING = ("cognito ", "entra ")
"""Kinds of entries that are records of a twin's, and no passing work."""


def complete(matter: Matter) -> None:
    """Note the client and the person whom the changes are about, where nobody has."""
    for effect in matter.changes:
        about = CONCERNS.get(type(effect)) if isinstance(effect, Effect) else None
        if about is not None:
            client, subject = about(effect)
            matter.client = matter.client or client
            matter.subject = matter.subject or subject
