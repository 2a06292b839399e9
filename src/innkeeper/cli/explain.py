"""``innkeeper explain``: a token in plain words, and the verdict of a reader; or a refusal, why it came and what mends it."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from innkeeper.cli import REFUSED, UNREACHABLE, explain_refusal, options, profiled
from innkeeper.cli.portrait import Row, acting, claim_rows, header_rows, summary
from innkeeper.cli.show import heading, ledger, meanings, show
from innkeeper.client.credentials import Client
from innkeeper.client.refused import quoted, refuse
from innkeeper.client.wire import run
from innkeeper.explain import agentcore, guard_file, introspected, mcp, refused
from innkeeper.explain.authorizer import authorizer
from innkeeper.explain.guarded import judged, plainly
from innkeeper.explain.published import from_file
from innkeeper.explain.verdicts import Mend, Verdict, members
from innkeeper.guard.issuers.found import preset_for
from innkeeper.guard.unverified import UnverifiedToken, read_unverified
from innkeeper.keys.jws import NotAToken
from innkeeper.protocol.refusals import Page, UsageError
from innkeeper.tokens.acting import chain
from innkeeper.tokens.makers import maker
from innkeeper.tokens.verification import audience_is_this_api, token_is_not_bound_to_a_key

NOT_READABLE = Page(
    "IK640",
    error="invalid_token",
    title="The text cannot be explained",
    cause="The text is no signed JWT. It may be an opaque token, which says nothing to anyone but its issuer, or be cut off.",
    remedy="Copy the access token whole, without quotes. An opaque token is explained by its issuer: give --issuer and --client-id.",
    wire="",
)


def command(
    token: Annotated[
        str,
        typer.Argument(
            help="The token; '-' or nothing reads it from standard input, out of your shell's history. Or a refusal: a number "
            "(IK1114, AADSTS700016), an exception with its message, an error's JSON."
        ),
    ] = "-",
    issuer: Annotated[
        str | None, typer.Option(help="Check as a reader who trusts this issuer.", show_default=False)
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="Check as this API: its name in 'aud'.", show_default=False)
    ] = None,
    scope: Annotated[str, typer.Option(help="Check for a request that needs these scopes.", show_default=False)] = "",
    reader: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="READER",
            help="Whose rules: a preset of the guard (found from the issuer where not given), such as native (RFC 9068), "
            "oidc (laxer about names and types), cognito, entra; mcp; or a file: a guard's arguments (guard.toml), or an "
            "AgentCore authorizer (agentcore.json).",
            show_default=False,
        ),
    ] = "",
    keys: Annotated[
        Path | None,
        typer.Option(help="The issuer's keys (a JWK set) in a file, not to be fetched.", show_default=False),
    ] = None,
    workload: Annotated[
        str,
        typer.Option(help="For AgentCore: what the request came through, a gateway's ARN or a workload's identity."),
    ] = "",
    client_id: Annotated[
        str,
        typer.Option(
            help="An API's id at the issuer: the token is shown to the issuer, which says what it knows of it."
        ),
    ] = "",
    client_secret: options.ClientSecret = None,
    signing_key: options.SigningKeyFile = None,
    key_id: options.KeyId = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    profile: profiled.Reader = "",  # noqa: ARG001 - its callback has filled in the others
) -> int:
    """Say what a token means, and whether a reader would take it, and if not, what would mend it.

    Without --issuer or a file nothing is fetched and nothing is verified. With one, the issuer's keys are fetched and
    every check is made as that reader makes it. The token itself is never sent anywhere, but for one case: with --client-id
    and its secret (from the environment or standard input) the token's own issuer is asked about it (introspection), which is
    the only way to learn what an opaque token says, or whether another was taken back. Exit code 1: refused; 3: keys could
    not be had.

    A refusal is looked up: why it comes, what mends it in code, in the cloud's console and in Terraform, and how sure we
    are that the cloud does so. --as cognito, entra or native narrows it down.
    """
    given = _given(token)
    if not TOKEN.search(given) and (told := refused.read(given)):
        return explain_refusal.show_it(told, reader, as_json=as_json)
    text = _text(given)
    published = from_file(keys) if keys else None
    api = options.client(client_id, client_secret, None, signing_key, key_id) if client_id else None
    answer = _introspected(text, issuer, api) if api else None
    said = _said(text, answer)
    asked = Asked(text, said, issuer, audience, tuple(scope.split()), published, answer, workload)
    verdict = _verdict(reader, asked)
    _print(said, verdict, as_json=as_json)
    return _exit_code(verdict) if verdict else 0


TOKEN = re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
"""What has a token in it is read as one, whatever else it says."""


class Asked:
    """What was asked about a token: by whom it is read, as what, for what."""

    def __init__(
        self,
        text: str,
        said: UnverifiedToken,
        issuer: str | None,
        audience: str | None,
        scopes: tuple[str, ...],
        keys: Mapping[str, Any] | None,
        told: introspected.Told | None = None,
        workload: str = "",
    ) -> None:
        self.text, self.said, self.keys, self.told, self.workload = text, said, keys, told, workload
        self.issuer, self.audience, self.scopes = issuer, audience, scopes


def _introspected(text: str, issuer: str | None, api: Client) -> introspected.Told:
    """What the issuer says of the token; nobody else is shown it."""
    if not issuer:
        raise UsageError("--client-id goes with --issuer: the token is shown to its own issuer, and to nobody else")
    return run(introspected.asking(issuer, api, text))


def _said(text: str, told: introspected.Told | None) -> UnverifiedToken:
    """What the token says, or else what its issuer says of it."""
    try:
        return read_unverified(text)
    except NotAToken as error:
        if told is None:
            raise refuse(NOT_READABLE, f"this is no signed JWT: {error}") from None
        return UnverifiedToken({}, told.claims)


def _verdict(reader: str, asked: Asked) -> Verdict | None:
    """The verdict of the reader asked for; None where nobody was."""
    if reader.endswith(".json"):
        return _by_agentcore(Path(reader), asked)
    if reader.endswith(".toml"):
        reading = guard_file.read(Path(reader), asked.scopes)
        return judged(reading, asked.text, asked.said, keys=asked.keys)
    if reader == "mcp":
        return _by_mcp(asked)
    presets = guard_file.presets()
    if reader and reader not in presets:
        known = ", ".join([*sorted(presets), "mcp"])
        raise UsageError(f"--as {reader!r}: one of {known}, or a file such as guard.toml or agentcore.json")
    if not asked.issuer:
        if asked.audience or asked.scopes:
            raise UsageError(
                "--audience and --scope are checked together with --issuer: whose tokens does the reader trust?"
            )
        return None
    preset = (presets[reader] if reader else preset_for)(asked.issuer)
    if asked.told is not None:
        opaque = asked.said.claims is asked.told.claims
        reading = introspected.reading(preset, asked.audience, asked.scopes, asked.told, is_opaque=opaque)
    else:
        reading = plainly(preset, asked.audience, asked.scopes, asked.said)
    return judged(reading, asked.text, asked.said, keys=asked.keys)


def _by_agentcore(path: Path, asked: Asked) -> Verdict:
    if asked.issuer or asked.audience or asked.scopes:
        raise UsageError(f"{path} says it all: leave --issuer, --audience and --scope out")
    try:
        config = authorizer(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return run(agentcore.judging(config, asked.text, asked.keys, asked.workload))


def _by_mcp(asked: Asked) -> Verdict:
    if not asked.audience:
        raise UsageError("--as mcp needs --audience: the address of the MCP server that the token is for")
    reading = run(mcp.reading(asked.audience, asked.issuer, asked.scopes, asked.said))
    return judged(reading, asked.text, asked.said, keys=asked.keys)


def _exit_code(verdict: Verdict) -> int:
    if not verdict.refusals:
        return 0
    return UNREACHABLE if verdict.undecided else REFUSED


def _given(argument: str) -> str:
    if argument == "-" and sys.stdin.isatty():
        raise UsageError("no token: give one, or send one in, as in: innkeeper token ... | innkeeper explain")
    return (sys.stdin.read(1 << 20) if argument == "-" else argument).strip()


def _text(text: str) -> str:
    """The token in what was given: bare, after "Bearer", or in a token answer as JSON."""
    if text.startswith("{"):
        try:
            text = str(json.loads(text)["access_token"])
        except (ValueError, KeyError, TypeError):
            raise UsageError("the JSON given holds no access_token") from None
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def _print(said: UnverifiedToken, verdict: Verdict | None, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_document(said, verdict, time.time()), indent=2, ensure_ascii=False))
    else:
        _show(said, verdict, time.time())


def _show(said: UnverifiedToken, verdict: Verdict | None, now: float) -> None:
    show(Text(summary(said, now)))
    if said.header:
        show(heading("Header"), _meanings(header_rows(said, now)))
    show(heading(_claims_heading(said)), _meanings(claim_rows(said, now)))
    if lines := acting(said):
        show(heading("Who acts for whom"), *map(Text, lines))
    if verdict is None:
        show("\nNothing was verified: anyone may have written this. Add --issuer and --audience to check it.")
        return
    show(
        heading(f"Checks, as made by {quoted(verdict.reader)}"),
        ledger(verdict.trail.as_document(), verdict.checks, unasked=verdict.unasked),
    )
    if verdict.afterwards:
        show(heading("Had it been fresh"), ledger(verdict.afterwards.as_document(), unasked=verdict.unasked))
    if verdict.mends:
        show(heading("What would mend it"), *_changes(verdict.mends))
    show(_conclusion(verdict))


def _claims_heading(said: UnverifiedToken) -> str:
    made_by = maker(said.claims)
    return "Claims" if made_by.name == "STANDARD" else f"Claims, in the words of {made_by}"


def _meanings(rows: list[Row]) -> Any:
    return meanings(row.columns() for row in rows)


def _changes(mends: tuple[Mend, ...]) -> Iterator[Text]:
    for one in mends:
        yield Text.assemble(("  in the ", "dim"), (one.place, "bold"), ("  ", ""), quoted(one.text, 600))


def _conclusion(verdict: Verdict) -> Text:
    refused = verdict.refusals
    if verdict.undecided:
        return Text(f"\nUndecided: the keys could not be had [{refused[0].page.number}]", style="bold yellow")
    if refused:
        named = {one.page.number: one for one in refused}.values()
        reasons = ", and ".join(f"{_lower(one.page.title)} [{one.page.number}]" for one in named)
        return Text(f"\nRefused: {reasons}", style="bold red")
    if audience_is_this_api.name in verdict.unasked:
        return Text("\nGenuine. Whether it is meant for your API was not asked: add --audience.", style="yellow")
    if token_is_not_bound_to_a_key.name in verdict.unasked:
        return Text(
            "\nGood, with its holder's proof: that goes with a request, and was not asked here.", style="bold green"
        )
    return Text("\nGood: this reader takes it.", style="bold green")


def _lower(title: str) -> str:
    return f"{title[0].lower()}{title[1:]}"


def _document(said: UnverifiedToken, verdict: Verdict | None, now: float) -> dict[str, Any]:
    return {
        "summary": summary(said, now),
        "maker": str(maker(said.claims)),
        "header": [_member(row) for row in header_rows(said, now)],
        "claims": [_member(row) for row in claim_rows(said, now)],
        "acting": list(chain(said.claims)),
        "verdict": verdict and members(verdict),
    }


def _member(row: Row) -> dict[str, Any]:
    word = row.word
    defined = {"says": word.says, "by": word.by, "spec": word.spec}
    return {"name": row.name, "value": row.value, "shown": row.shown} | defined
