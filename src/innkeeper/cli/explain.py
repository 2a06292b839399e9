"""``innkeeper explain``: a token in plain words, and the verdict of a reader."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer

from innkeeper.cli.show import OUT, heading, ledger, meanings, moment
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
from innkeeper.tokens.verification import TOKEN_CHECKS, audience_is_this_api
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
        print(json.dumps(_document(said, verdict, time.time()), indent=2))
    else:
        _show(said, verdict, audience, time.time())
    return 1 if verdict and verdict.trail.refusal else 0


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
    OUT.print(heading("Header"), meanings(_rows(said.header, HEADER, now)), sep="\n")
    OUT.print(heading("Claims"), meanings(_rows(said.claims, CLAIMS, now)), sep="\n")
    if verdict is None:
        OUT.print("\nNothing was verified: anyone may have written this. Add --issuer and --audience to check it.")
        return
    OUT.print(heading(f"Checks, as {audience or 'an API'} that trusts {verdict.preset.issuer} makes them"))
    every = (*TOKEN_CHECKS, *verdict.preset.checks, *SCOPE_CHECKS)
    OUT.print(ledger(verdict.trail, every, unasked=verdict.unasked))
    OUT.print(*_conclusion(verdict))


def _conclusion(verdict: Verdict) -> Iterator[str]:
    refusal = verdict.trail.refusal
    if refusal:
        yield f"\nRefused: {refusal.page.title[0].lower()}{refusal.page.title[1:]} [{refusal.page.number}]"
    elif audience_is_this_api.name in verdict.unasked:
        yield "\nGenuine. Whether it is meant for your API was not asked: add --audience."
    else:
        yield "\nGood: this reader takes it."


def _rows(members: Mapping[str, Any], words: Mapping[str, Word], now: float) -> Iterator[tuple[str, str, str]]:
    for name, value in members.items():
        word = words.get(name)
        source = f" ({', '.join(filter(None, (word.by, word.spec)))})" if word else ""
        yield name, _value(name, value, now), f"{word.says}{source}" if word else _unknown(name)


def _value(name: str, value: Any, now: float) -> str:
    if name in MOMENTS and isinstance(value, int | float) and not isinstance(value, bool):
        return moment(value, now)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unknown(name: str) -> str:
    return (
        f"Not a registered name; {'the owner of that address' if '://' in name else 'the issuer'} says what it means."
    )


def _document(said: UnverifiedToken, verdict: Verdict | None, now: float) -> dict[str, Any]:
    explained = [
        {"in": part, "name": name, "value": value, "means": meaning, "shown": shown}
        for part, members, words in (("header", said.header, HEADER), ("claims", said.claims, CLAIMS))
        for (name, shown, meaning), value in zip(_rows(members, words, now), members.values(), strict=True)
    ]
    return {"explained": explained, "verified": verdict is not None, "verdict": verdict and _trail(verdict)}


def _trail(verdict: Verdict) -> dict[str, Any]:
    document = verdict.trail.as_document()
    return document | {"issuer": verdict.preset.issuer, "not_asked": sorted(map(quoted, verdict.unasked))}
