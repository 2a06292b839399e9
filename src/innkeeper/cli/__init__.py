"""The command line: one file a command, loaded when it is called for, so that help is instant.

A command is a function ``command``, or a typer application ``app`` where there are several under one name, in the
module that ``COMMANDS`` names. What goes wrong is told here, in one place: one clear line on standard error and an
exit code. What the commands do lives in the wings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A command's place and what it does, in a few words."""

    module: str
    help: str


RUN, HOLD, LEARN, KEEP = "Run an issuer", "Get tokens and read them", "Learn", "Keep house"
REHEARSE = "Rehearse the clouds"

COMMANDS: dict[str, dict[str, Command]] = {
    RUN: {
        "up": Command("innkeeper.cli.up", "Serve issuer, hotel and tour on this computer, all set up"),
        "serve": Command("innkeeper.cli.serve", "Serve an issuer as the settings say"),
        "broker": Command("innkeeper.cli.broker", "Serve an issuer for MCP clients before a cloud that lacks it"),
    },
    HOLD: {
        "token": Command("innkeeper.cli.token", "Get an access token from any issuer and print it"),
        "login": Command("innkeeper.cli.login", "Sign in with the browser and keep the token"),
        "logout": Command("innkeeper.cli.logout", "Take kept tokens back and forget them"),
        "explain": Command("innkeeper.cli.explain", "Say what a token or a refusal means, and what would mend it"),
        "doctor": Command("innkeeper.cli.doctor", "Say what is wrong with an issuer or an MCP server"),
        "agentcore": Command("innkeeper.cli.agentcore", "Say what to configure in Amazon Bedrock AgentCore"),
    },
    REHEARSE: {
        "twin": Command("innkeeper.cli.twin", "Run programs against the twins of Cognito and Entra ID"),
        "connect": Command(
            "innkeeper.cli.connect", "Remember an issuer and a client, of Terraform's or a twin's making"
        ),
        "provision": Command("innkeeper.cli.provision", "Set up Cognito or Entra ID without Terraform"),
    },
    LEARN: {
        "tour": Command("innkeeper.cli.tour", "Walk through the hotel: every message, claim and check"),
    },
    KEEP: {
        "client": Command("innkeeper.cli.client", "Add, list and change clients"),
        "agent": Command("innkeeper.cli.agent", "Add agents; pause, resume and revoke them"),
        "user": Command("innkeeper.cli.user", "Add, list and change people"),
        "import": Command("innkeeper.cli.import_", "Take in people and clients of Keycloak, Auth0 or Cognito"),
        "admin": Command("innkeeper.cli.admin", "Say who administers, in the console and by the admin API"),
        "resource": Command("innkeeper.cli.resource", "Add, list and change resources and scopes"),
        "policy": Command("innkeeper.cli.policy", "Show and set lifetimes and other rules"),
        "realm": Command("innkeeper.cli.realm", "List the realms that are served"),
        "keys": Command("innkeeper.cli.keys", "List and rotate signing keys"),
        "db": Command("innkeeper.cli.db", "Look after the database"),
        "audit": Command("innkeeper.cli.audit", "Read and verify the log of decisions and changes"),
        "profile": Command("innkeeper.cli.profile", "Show the sets of rules that clients can live by"),
    },
}
"""Every command under its heading, in the order help shows them."""

REFUSED, USAGE, UNREACHABLE, BUG, INTERRUPTED = 1, 2, 3, 70, 130
"""Exit codes: the other side said no; you asked wrongly; the world failed; we failed; Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. ``arguments`` are those of the process unless given."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    if not words or words[0] in {"-h", "--help", "help"}:
        print("\n".join(_help()))
        return 0
    if words[0] in {"-V", "--version"}:
        from innkeeper import __version__

        print(f"innkeeper {__version__}")
        return 0
    return _run(words[0], words[1:])


def _run(name: str, arguments: list[str]) -> int:
    command = next((group[name] for group in COMMANDS.values() if name in group), None)
    if command is None:
        return _say(f"innkeeper: {_unknown(name)}", USAGE)
    try:
        code = loaded(name, command).main(arguments, f"innkeeper {name}", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has read enough
        return 0
    except (Exception, KeyboardInterrupt) as failure:
        if os.environ.get("INNKEEPER_DEBUG"):
            raise
        return _tell(f"innkeeper {name}", failure)
    return code if isinstance(code, int) else 0


def guarded(who: str, work: Callable[[], int]) -> int:
    """Do the work of a process of its own and return its exit code; what goes wrong is told as a command tells it."""
    try:
        return work()
    except (Exception, KeyboardInterrupt) as failure:
        if os.environ.get("INNKEEPER_DEBUG"):
            raise
        return _tell(who, failure)


def loaded(name: str, command: Command) -> Any:
    """The command, ready to run: a typer application of one function, or of several."""
    import typer

    module = import_module(command.module)
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name)(module.command)
    app.rich_markup_mode = None  # plain help: paragraphs keep their flow, and nothing is boxed
    return typer.main.get_command(app)


def _tell(who: str, failure: BaseException) -> int:
    """Say on standard error what went wrong, and return the exit code that belongs to it."""
    if isinstance(failure, KeyboardInterrupt) or type(failure).__name__ == "Abort":
        return _say(f"{who}: interrupted", INTERRUPTED)
    if isinstance(failure, ModuleNotFoundError) and not str(failure.name).startswith("innkeeper"):
        return _say(f"{who}: {_missing(failure)}", USAGE)
    if type(failure).__name__ == "NoArgsIsHelpError":
        print(failure)
        return 0
    if hasattr(failure, "format_message"):
        return _say(f"{who}: {failure.format_message().rstrip('.')}. Try: {who} --help", USAGE)
    from innkeeper.protocol.refusals import Refusal, Unreachable, UsageError

    refusal = getattr(failure, "refusal", None)
    if isinstance(refusal, Refusal):
        return _say(f"{who}: {refusal.reason} [{refusal.page.number}]\n  {refusal.remedy}", REFUSED)
    if isinstance(failure, UsageError):
        return _say(f"{who}: {failure}", USAGE)
    if isinstance(failure, Unreachable):
        return _say(f"{who}: {failure}", UNREACHABLE)
    trouble = f"{type(failure).__name__}: {failure}"
    return _say(
        f"{who}: this is a mistake in innkeeper, please report it: {trouble} (INNKEEPER_DEBUG=1 shows more)", BUG
    )


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code


def _missing(failure: ModuleNotFoundError) -> str:
    part = (failure.name or "").partition(".")[0]
    extra = "cli" if part in {"rich", "typer"} else _EXTRAS.get(part, "server")
    return f"{part} is not installed; pip install 'innkeeper[{extra}]' brings it"


_EXTRAS = {"asyncpg": "postgres", "azure": "azure", "boto3": "aws", "botocore": "aws"}


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [one for group in COMMANDS.values() for one in group], 1)
    meant = f"Did you mean {near[0]}?" if near else "innkeeper --help lists them."
    return f"there is no command {name!r}. {meant}"


def _help() -> Iterator[str]:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    bold, plain = ("\x1b[1m", "\x1b[0m") if coloured else ("", "")
    yield f"{bold}innkeeper{plain}: OAuth that explains itself.\n"
    yield "Usage: innkeeper COMMAND [OPTIONS]\n"
    for heading, group in COMMANDS.items():
        yield f"{bold}{heading}{plain}"
        yield from (f"  {name:10}{command.help}" for name, command in group.items())
        yield ""
    yield "innkeeper COMMAND --help tells more."
