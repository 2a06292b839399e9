"""What a waiting request would open, in lines for people; for the device page and the approvals alike."""

from __future__ import annotations

from typing import Any

from innkeeper.issuer.core.authorization_request import Authorization
from innkeeper.issuer.core.details import Detail, in_words
from innkeeper.issuer.core.policy import OPENID_SCOPES, Policy
from innkeeper.issuer.core.records import Client, Person
from innkeeper.issuer.core.token import REFRESH_TOKEN
from innkeeper.issuer.core.waiting import Waiting
from innkeeper.issuer.pages.speaking import counted, marked, translated


def asked(
    waiting: Waiting, client: Client, person: Person | None, policy: Policy, now: int, *, once: bool = False
) -> dict[str, Any]:
    """The variables of ``parts/asked.html``. ``once``: what comes of it is one token, and none that follow."""
    return {
        "client": {"id": client.id, "name": client.name},
        "person": shown(person),
        "asks": [
            *(
                {"scope": one, "title": policy.scope_sentence(one), "description": ""}
                for one in _in_order(waiting.scopes)
            ),
            *(line(one, policy) for one in waiting.details),
        ],
        "resources": [one for uri, one in policy.resources.items() if uri in waiting.audience],
        "until": _until(client, policy, once=once),
        "age": minutes_ago(now - waiting.started_at),
    }


def line(detail: Detail, policy: Policy) -> dict[str, object]:
    """An authorization detail, with what each of its fields says."""
    title, told = in_words(detail, policy)
    return {"scope": detail["type"], "title": title, "description": f"{told[:1].upper()}{told[1:]}", "is_new": False}


def shown(person: Person | None) -> dict[str, str]:
    """A person's own name and the one they sign in with."""
    if person is None:
        return {"name": marked("somebody"), "username": ""}
    return {"name": str(person.claims.get("name", person.username)), "username": person.username}


def _in_order(scopes: frozenset[str]) -> list[str]:
    """An API's scopes first; ``openid`` alone says nothing that signing in did not."""
    return sorted(scopes - {"openid"}, key=lambda one: (one in OPENID_SCOPES, one))


def _until(client: Client, policy: Policy, *, once: bool) -> str:
    if REFRESH_TOKEN in client.grants and not once:
        days = policy.refresh_lifetime // 86400
        said = counted(
            "{count} day after its last use, or until you take it back",
            "{count} days after its last use, or until you take it back",
            days,
        )
        return said.format(count=days)
    return for_minutes(max(1, policy.access_lifetime // 60))


def for_minutes(minutes: int) -> str:
    """A number of minutes, for people."""
    return counted("{count} minute", "{count} minutes", minutes).format(count=minutes)


def minutes_ago(seconds: int) -> str:
    """How long ago something was, for people."""
    minutes = seconds // 60
    if minutes < 1:
        return translated("less than a minute ago")
    return counted("a minute ago", "{count} minutes ago", minutes).format(count=minutes)


def asks_of(asked: Authorization, new: frozenset[str], policy: Policy) -> list[dict[str, object]]:
    """Each scope as a line for people; ``openid`` alone says nothing that signing in did not."""
    scopes = sorted(asked.to_allow - {"openid"}, key=lambda one: (one in OPENID_SCOPES, one))
    everything_is_new = new >= asked.to_allow
    lines = [
        {
            "scope": one,
            "title": policy.scope_sentence(one),
            "description": "",
            "is_new": one in new and not everything_is_new,
        }
        for one in scopes
    ]
    return lines + [line(one, policy) for one in asked.details]


def until_of(asked: Authorization, policy: Policy) -> str:
    """For how long, in words."""
    if REFRESH_TOKEN not in asked.client.grants:
        return for_minutes(max(1, policy.access_lifetime // 60))
    days = policy.refresh_lifetime // 86400
    if "offline_access" in asked.reach.scopes:
        said = counted("{count} day after its last use", "{count} days after its last use", days)
    else:
        said = counted(
            "{count} day after its last use, or until you sign out",
            "{count} days after its last use, or until you sign out",
            days,
        )
    return said.format(count=days)
