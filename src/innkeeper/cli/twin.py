"""``innkeeper twin``: the realms that speak a cloud's dialect, and programs that are to meet them."""

from __future__ import annotations

import typer

from innkeeper.cli import twin_diff, twin_run, twin_show, twin_state, twin_trust

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Work with the twins of Amazon Cognito and Microsoft Entra ID."
)
app.command("show")(twin_show.command)
app.command("diff")(twin_diff.command)
app.command("seed")(twin_state.seed)
app.command("reset")(twin_state.reset)
app.command("outbox")(twin_state.outbox)
app.command("clock", context_settings={"ignore_unknown_options": True})(twin_state.clock)
app.command("rotate-keys")(twin_state.rotate_keys)
app.command("fault")(twin_state.fault)
app.command("run", context_settings={"allow_interspersed_args": False})(twin_run.command)
app.command("trust")(twin_trust.command)
