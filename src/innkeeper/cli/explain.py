"""``innkeeper explain``: a token in plain words, and the verdict of a reader."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer
from rich.text import Text

from innkeeper.cli import REFUSED, UNREACHABLE
from innkeeper.cli.show import distance, heading, ledger, meanings, moment, show
from innkeeper.client.refused import quoted, refuse
from innkeeper.guard.decision import Refused, Verified
from innkeeper.guard.guard import Guard
from innkeeper.guard.issuers.native import native
from innkeeper.guard.issuers.oidc import oidc
from innkeeper.guard.issuers.preset import Preset
from innkeeper.guard.scopes import SCOPE_CHECKS
from innkeeper.guard.unverified import UnverifiedToken, read_unverified
from innkeeper.keys.jws import NotAToken
from innkeeper.protocol.refusals import Page, UsageError
from innkeeper.tokens.trail import Trail
from innkeeper.tokens.verification import KEYS_OUT_OF_REACH, TOKEN_CHECKS, audience_is_this_api
from innkeeper.tokens.words import CLAIMS, HEADER, MOMENTS, Word

NOT_READABLE = Page(
    "IK640",
    error="invalid_token",
    title="The text cannot be explained",
    cause="The text is no signed JWT. It may be an opaque token, which says nothing to anyone but its issuer, or be cut off.",
    remedy="Copy the access token whole, without quotes. An opaque token is explained by its issuer's introspection endpoint.",
    wire="",
)


class Reader(StrEnum):
    """Whose rules to judge by."""

    NATIVE = "native"
    OIDC = "oidc"


PRESETS: Mapping[Reader, Callable[[str], Preset]] = {Reader.NATIVE: native, Reader.OIDC: oidc}


_ORDER = {name: place for place, name in enumerate((*HEADER, *CLAIMS))}


class Verdict(NamedTuple):
    """What a reader made of the token. ``unasked`` names checks whose question was not put."""

    trail: Trail
    preset: Preset
    unasked: frozenset[str]


def command(
    token: Annotated[
        str, typer.Argument(help="The token; '-' or nothing reads it from standard input, out of your shell's history.")
    ] = "-",
    issuer: Annotated[
        str | None, typer.Option(help="Check as a reader who trusts this issuer.", show_default=False)
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="Check as this API: its name in 'aud'.", show_default=False)
    ] = None,
    scope: Annotated[str, typer.Option(help="Check for a request that needs these scopes.", show_default=False)] = "",
    reader: Annotated[
        Reader, typer.Option("--as", help="Whose rules: native is RFC 9068, oidc is laxer about names and types.")
    ] = Reader.NATIVE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say what a token means, and whether a reader would take it.

    Without --issuer nothing is fetched and nothing is verified. With it, the issuer's keys are fetched and every
    check is made as a guard makes it. The token itself is never sent anywhere. Exit code 1: refused.
    """
    if (audience or scope) and not issuer:
        raise UsageError(
            "--audience and --scope are checked together with --issuer: whose tokens does the reader trust?"
        )
    text = _text(token)
    try:
        said = read_unverified(text)
    except NotAToken as error:
        raise refuse(NOT_READABLE, f"this is no signed JWT: {error}") from None
    verdict = _judged(text, said, PRESETS[reader](issuer), audience, scope) if issuer else None
    if as_json:
        print(json.dumps(_document(said, verdict, time.time()), indent=2, ensure_ascii=False))
    else:
        _show(said, verdict, audience, time.time())
    return _exit_code(verdict.trail) if verdict else 0


def _exit_code(trail: Trail) -> int:
    if trail.refusal is None:
        return 0
    return UNREACHABLE if trail.refusal.page is KEYS_OUT_OF_REACH else REFUSED


def _text(argument: str) -> str:
    """The token in what was given: bare, after "Bearer", or in a token answer as JSON."""
    if argument == "-" and sys.stdin.isatty():
        raise UsageError("no token: give one, or send one in, as in: innkeeper token ... | innkeeper explain")
    text = (sys.stdin.read(1 << 20) if argument == "-" else argument).strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text)["access_token"])
        except (ValueError, KeyError, TypeError):
            raise UsageError("the JSON given holds no access_token") from None
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def _judged(text: str, said: UnverifiedToken, preset: Preset, audience: str | None, scope: str) -> Verdict:
    """The verdict of a guard. Where no audience was named, the token's own stands in and the check counts as not asked."""
    own = said.claims.get("aud")
    names = [audience] if audience else [str(one) for one in (own if isinstance(own, list) else [own]) if one]
    guard = Guard(preset, names or ["(none named)"], remembered=0)
    outcome: Verified | Refused = guard.verify_blocking(text, scope.split())
    unasked = {audience_is_this_api.name} if not audience else set()
    if not scope:
        unasked |= {one.name for one in SCOPE_CHECKS}
    return Verdict(outcome.trail, preset, frozenset(unasked))


def _show(said: UnverifiedToken, verdict: Verdict | None, audience: str | None, now: float) -> None:
    show(Text(_summary(said, now)))
    show(heading("Header"), meanings(row.columns() for row in _rows(said.header, HEADER, now)))
    show(heading("Claims"), meanings(row.columns() for row in _rows(said.claims, CLAIMS, now)))
    if verdict is None:
        show("\nNothing was verified: anyone may have written this. Add --issuer and --audience to check it.")
        return
    every = (*TOKEN_CHECKS, *verdict.preset.checks, *SCOPE_CHECKS)
    show(
        heading(f"Checks, as {audience or 'an API'} makes them, which trusts {verdict.preset.issuer}"),
        ledger(verdict.trail.as_document(), every, unasked=verdict.unasked),
        _conclusion(verdict),
    )


def _summary(said: UnverifiedToken, now: float) -> str:
    """The token in a sentence or two, as it tells it itself."""
    claims, kind = said.claims, _kind(said)
    client = next((claims[name] for name in ("client_id", "azp", "appid", "cid") if name in claims), "someone")
    subject, maker = claims.get("sub", "nobody named"), claims.get("iss", "An issuer it does not name")
    reader = _plain(claims.get("aud", "any API"))
    who = f"{client} on its own behalf" if subject == client else f"{client} on behalf of {subject}"
    scope = _plain(claims.get("scope", claims.get("scp", "")))
    does = f"lets {who} use {reader}{f' with {scope}' if scope else ''}"
    if kind == "An ID token":
        does = f"tells {reader} that {subject} signed in"
    return quoted(f"{kind}, by its own words. {maker} {does}. {_ending(claims.get('exp'), now)}", 600)


def _ending(end: object, now: float) -> str:
    if not isinstance(end, int | float):
        return "It names no end."
    return f"It {'ends' if end > now else 'ended'} {distance(end - now)}."


def _kind(said: UnverifiedToken) -> str:
    if (
        str(said.header.get("typ", "")).lower() in {"at+jwt", "application/at+jwt"}
        or said.claims.get("token_use") == "access"
    ):
        return "An access token"
    if {"nonce", "at_hash"} & said.claims.keys() or said.claims.get("token_use") == "id":
        return "An ID token"
    return "A token"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _conclusion(verdict: Verdict) -> Text:
    refusal = verdict.trail.refusal
    if refusal:
        title = f"{refusal.page.title[0].lower()}{refusal.page.title[1:]}"
        return Text(f"\nRefused: {title} [{refusal.page.number}]", style="bold red")
    if audience_is_this_api.name in verdict.unasked:
        return Text("\nGenuine. Whether it is meant for your API was not asked: add --audience.", style="yellow")
    return Text("\nGood: this reader takes it.", style="bold green")


class Row(NamedTuple):
    """A member of the token with what it means."""

    name: str
    value: Any
    shown: str
    word: Word

    def columns(self) -> tuple[str, str, str]:
        source = ", ".join(filter(None, (self.word.by, self.word.spec)))
        return self.name, self.shown, f"{self.word.says} ({source})" if source else self.word.says


def _rows(members: Mapping[str, Any], words: Mapping[str, Word], now: float) -> list[Row]:
    """Every member; those we know first, in the order they are best read in."""
    names = sorted(members, key=lambda one: _ORDER.get(one, len(_ORDER)))
    return [
        Row(name, members[name], _shown(name, members[name], now), words.get(name, _unknown(name))) for name in names
    ]


def _shown(name: str, value: Any, now: float) -> str:
    if name in MOMENTS and isinstance(value, int | float) and not isinstance(value, bool):
        return moment(value, now)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unknown(name: str) -> Word:
    who = "the owner of that address" if "://" in name else "the issuer"
    return Word(f"Not a registered name: {who} says what it means.")


def _document(said: UnverifiedToken, verdict: Verdict | None, now: float) -> dict[str, Any]:
    return {
        "summary": _summary(said, now),
        "header": [_member(row) for row in _rows(said.header, HEADER, now)],
        "claims": [_member(row) for row in _rows(said.claims, CLAIMS, now)],
        "verdict": verdict and _trail(verdict),
    }


def _member(row: Row) -> dict[str, Any]:
    word = row.word
    defined = {"says": word.says, "by": word.by, "spec": word.spec}
    return {"name": row.name, "value": row.value, "shown": row.shown} | defined


def _trail(verdict: Verdict) -> dict[str, Any]:
    document = verdict.trail.as_document()
    return document | {"issuer": verdict.preset.issuer, "not_asked": sorted(map(quoted, verdict.unasked))}
