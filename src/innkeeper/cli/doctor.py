"""``innkeeper doctor``: what is wrong with an issuer, or with an MCP server, and what mends it."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from innkeeper.cli import REFUSED, options, profiled
from innkeeper.cli.show import OUT, heading, show
from innkeeper.cli.signing_in import sign_in as signed_in
from innkeeper.client.credentials import Client
from innkeeper.client.loopback import REDIRECT_URI
from innkeeper.client.refused import Refused, quoted
from innkeeper.client.token import Access
from innkeeper.client.wire import run
from innkeeper.doctor import probes
from innkeeper.doctor.examination import examine_client, examine_issuer, examine_mcp
from innkeeper.doctor.findings import Chapter, Looked, Report, Severity
from innkeeper.doctor.recipes import recipe
from innkeeper.protocol.refusals import Unreachable, UsageError


def command(
    issuer: Annotated[str, typer.Argument(help="The issuer, as its tokens write it in iss.")] = "",
    mcp: Annotated[str, typer.Option(help="The address of an MCP server, whose issuer is found by it.")] = "",
    target: Annotated[
        str, typer.Option("--for", help="Print what to configure: agentcore, mcp, fastapi, flask, django, lambda, …")
    ] = "",
    audience: Annotated[str, typer.Option(help="With --for: your API's name in aud.")] = "",
    client_id: Annotated[
        str,
        typer.Option(
            help="A client that is registered there: what the issuer does for it is tried. With --for: who calls."
        ),
    ] = "",
    client_secret: options.ClientSecret = None,
    signing_key: options.SigningKeyFile = None,
    key_id: options.KeyId = "",
    resource: Annotated[
        str, typer.Option(help="The API that the client's token is for; an MCP server is its own.")
    ] = "",
    scope: Annotated[str, typer.Option(help="The scopes that the client asks for, or that the API needs.")] = "",
    redirect_uri: Annotated[
        str,
        typer.Option(help="A redirect URI of the client; for one without a secret, by default one on this computer."),
    ] = "",
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="Sign somebody in as the client, and try the renewal of what is given.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show what is right, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    profile: profiled.Issuer = "",  # noqa: ARG001 - its callback has filled in the others
) -> int:
    """Look at an issuer, or at an MCP server and its issuer, as clients meet them.

    Nobody is signed in and nothing secret is sent: public documents, preflights, and for an MCP server a request
    without a token and one with a text that is none. Each finding has a number, a severity, a section and a remedy.
    Exit code 1: at least one error; warnings and notes alone are 0.

    With --client-id the client's own requests are made, too: whether it may come back to any port of this computer, what the
    token endpoint says to a wrong secret and to a code of nobody's, whether the token names the API, and whether the guard (and
    the MCP server) takes it; with --sign-in, how its renewal goes. Its secret comes from the environment or standard input.
    """
    if bool(issuer) == bool(mcp):
        raise UsageError("give an issuer, or --mcp with the address of an MCP server")
    if target:
        if mcp:
            raise UsageError("--for goes with an issuer: whose tokens shall be accepted?")
        print(_recipe(target, issuer, audience, client_id, scope), end="")
        return 0
    if not client_id and (sign_in or redirect_uri or resource):
        raise UsageError("--sign-in, --redirect-uri and --resource go with --client-id: whose requests shall be tried?")
    report = examine_mcp(mcp) if mcp else examine_issuer(issuer)
    if client_id:
        client = options.client(client_id, client_secret, None, signing_key, key_id)
        access = Access(scope, resource or mcp or None)
        report = _with_client(report, issuer, mcp, client, access, redirect_uri, sign_in=sign_in)
    if as_json:
        print(json.dumps(report.as_document(), indent=2, ensure_ascii=False))
    else:
        _show(report, everything=everything)
    return 0 if report.healthy else REFUSED


def _with_client(
    report: Report, issuer: str, mcp: str, client: Client, access: Access, redirect_uri: str, *, sign_in: bool
) -> Report:
    """The report, and what the issuer does for a client."""
    issuer = issuer or report.issuer
    if not issuer:
        return report
    redirect = redirect_uri or (REDIRECT_URI if client.public else "")
    token = None
    if sign_in:
        token = signed_in(
            issuer, client, access, port=0, redirect_uri=redirect or None, browser=True, timeout=300, pkce_known=False
        )
    more = examine_client(issuer, client, access, redirect_uri=redirect, token=token, mcp=mcp)
    return msgspec.structs.replace(report, chapters=(*report.chapters, *more))


def _recipe(target: str, issuer: str, audience: str, client_id: str, scope: str) -> str:
    """What the issuer says of itself goes into the text; where it cannot be asked, placeholders do."""
    try:
        metadata = run(probes.issuer(issuer)).metadata
    except (Refused, Unreachable):
        metadata = {}
    return recipe(target, issuer, metadata, audience, client_id, scope)


def _show(report: Report, *, everything: bool) -> None:
    for chapter in report.chapters:
        show(heading(quoted(chapter.title)), *(Text(f"  {quoted(line)}", style="dim") for line in chapter.asked))
        show(_ledger(chapter, everything=everything))
    show(_conclusion(report))


def _ledger(chapter: Chapter, *, everything: bool) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    fine = [one for one in chapter.looked if one.finding is None]
    for one in chapter.looked:
        if one.finding:
            table.add_row(*_finding(one))
        elif everything:
            table.add_row(Text("  ✓", style="green"), Text.assemble(one.check.name, (_seen(one), "dim")))
    if fine and not everything:
        table.add_row(Text("  ✓", style="green"), Text(f"{len(fine)} of {len(chapter.looked)} checks passed", "dim"))
    return table


def _seen(one: Looked) -> str:
    found = f"  {quoted(one.outcome.found, 100)}" if one.outcome.found else ""
    return f"{found}  {one.check.spec}" if OUT.width >= 80 else found


def _finding(one: Looked) -> tuple[Text, Text]:
    mark, style = _MARKS[one.severity]
    refusal = one.finding
    if refusal is None:
        raise AssertionError("a check that passed is no finding")
    text = Text.assemble((f"{refusal.page.title} [{refusal.page.number}]", style), f"  {one.check.spec}")
    text.append(f"\n{quoted(refusal.reason, 600)}")
    text.append(f"\n{one.severity.name.lower()}: ", style="bold")
    text.append(quoted(refusal.remedy, 600))
    return Text(f"  {mark}", style=style), text


def _conclusion(report: Report) -> Text:
    counts = {one: sum(found.severity is one for found in report.findings()) for one in reversed(Severity)}
    said = [f"{count} {one.name.lower()}{'' if count == 1 else 's'}" for one, count in counts.items() if count]
    if not said:
        return Text("\nHealthy: nothing to find fault with.", style="bold green")
    return Text(f"\nFound: {', '.join(said)}.", style="bold" if report.healthy else "bold red")


_MARKS = {Severity.ERROR: ("✗", "bold red"), Severity.WARNING: ("!", "bold yellow"), Severity.NOTE: ("·", "bold cyan")}
