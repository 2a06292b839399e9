"""A token as it describes itself: a sentence or two, and every member with its meaning. Nothing is verified here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from innkeeper.cli.show import distance, moment
from innkeeper.client.refused import quoted
from innkeeper.guard.unverified import UnverifiedToken
from innkeeper.tokens.acting import chain
from innkeeper.tokens.makers import claim_word, header_word, maker
from innkeeper.tokens.words import CLAIMS, HEADER, MOMENTS, Word

_ORDER = {name: place for place, name in enumerate((*HEADER, *CLAIMS))}


class Row(NamedTuple):
    """A member of the token with what it means."""

    name: str
    value: Any
    shown: str
    word: Word

    def columns(self) -> tuple[str, str, str]:
        source = ", ".join(filter(None, (self.word.by, self.word.spec)))
        return self.name, self.shown, f"{self.word.says} ({source})" if source else self.word.says


def header_rows(said: UnverifiedToken, now: float) -> list[Row]:
    """Every member of the header."""
    return _rows(said.header, header_word, now)


def claim_rows(said: UnverifiedToken, now: float) -> list[Row]:
    """Every claim, in the words of whoever made the token."""
    made_by = maker(said.claims)
    return _rows(said.claims, lambda name: claim_word(name, made_by), now)


def _rows(members: Mapping[str, Any], word: Callable[[str], Word | None], now: float) -> list[Row]:
    """Every member; those we know first, in the order they are best read in."""
    names = sorted(members, key=lambda one: _ORDER.get(one, len(_ORDER)))
    return [Row(name, members[name], _shown(name, members[name], now), word(name) or _unknown(name)) for name in names]


def _shown(name: str, value: Any, now: float) -> str:
    if name in MOMENTS and isinstance(value, int | float) and not isinstance(value, bool):
        return moment(value, now)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unknown(name: str) -> Word:
    who = "the owner of that address" if "://" in name else "the issuer"
    return Word(f"Not a registered name: {who} says what it means.")


def summary(said: UnverifiedToken, now: float) -> str:
    """The token in a sentence or two, as it tells it itself."""
    claims, kind = said.claims, _kind(said)
    client = next((claims[name] for name in ("client_id", "azp", "appid", "cid") if name in claims), "someone")
    subject, maker = claims.get("sub", "nobody named"), claims.get("iss", "An issuer it does not name")
    reader = _plain(claims.get("aud", "any API"))
    who = f"{client} on its own behalf" if _is_machine(claims, client) else f"{client} on behalf of {subject}"
    scope = _plain(claims.get("scope", claims.get("scp", "")))
    does = f"lets {who} use {reader}{f' with {scope}' if scope else ''}"
    if kind == "An ID token":
        does = f"tells {reader} that {subject} signed in"
    by = "by its own words" if said.header else "as its issuer says"
    return quoted(f"{kind}, {by}. {maker} {does}. {_ending(claims.get('exp'), now)}", 600)


def _is_machine(claims: Mapping[str, Any], client: object) -> bool:
    """Whether nobody but the client is behind it: it is its own subject or, at Entra, the subject is the application's object."""
    subject = claims.get("sub")
    return subject is not None and (subject == client or (subject == claims.get("oid") and "scp" not in claims))


def acting(said: UnverifiedToken) -> list[str]:
    """Who acts for whom, a line each, the person first; [] where nobody does."""
    who = [quoted(one, 80) for one in chain(said.claims)]
    lines = [f"  {one}  (sub)" for one in who[:1]]
    for place, one in enumerate(who[1:], start=1):
        holds = ", and holds this token" if one is who[-1] else ""
        lines.append(f"  {'   ' * (place - 1)}└─ {one} acts for {who[place - 1]}{holds}")
    return lines


def _ending(end: object, now: float) -> str:
    if not isinstance(end, int | float):
        return "It names no end."
    return f"It {'ends' if end > now else 'ended'} {distance(end - now)}."


def _kind(said: UnverifiedToken) -> str:
    if (
        str(said.header.get("typ", "")).lower() in {"at+jwt", "application/at+jwt"}
        or said.claims.get("token_use") == "access"
        or said.claims.get("typ") == "Bearer"
        or {"scp", "azpacr", "appidacr"} & said.claims.keys()
    ):
        return "An access token"
    if said.claims.get("typ") == "Refresh":
        return "A refresh token"
    if (
        said.claims.get("typ") == "ID"
        or {"nonce", "at_hash"} & said.claims.keys()
        or said.claims.get("token_use") == "id"
    ):
        return "An ID token"
    return "A token"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
