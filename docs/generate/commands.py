"""Every command with its arguments and options, from the functions that take them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from innkeeper.cli import BUG, COMMANDS, INTERRUPTED, REFUSED, UNREACHABLE, USAGE, loaded


def page() -> str:
    return "\n".join(["# Commands\n", _INTRODUCTION, *_chapters()])


def _chapters() -> Iterator[str]:
    for heading, group in COMMANDS.items():
        yield f"## {heading}\n"
        for name, command in group.items():
            yield from _entry(f"innkeeper {name}", loaded(name, command), command.help)


def _entry(name: str, command: click.Command, summary: str) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield f"{_sentences(command.help) or f'{summary}.'}\n"
    rows = [f"| `{words}` | {says} |" for words, says in _parameters(name, command)]
    if rows:
        yield "\n".join(["| argument, option | meaning |", "|---|---|", *rows, ""])
    for below, inner in getattr(command, "commands", {}).items():
        yield from _entry(f"{name} {below}", inner, "")


def _parameters(name: str, command: click.Command) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=name)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record:
            words, says = (" ".join(text.split()).replace("|", "\\|") for text in record)
            yield words, says


def _sentences(text: str | None) -> str:
    return " ".join((text or "").split())


_INTRODUCTION = f"""`innkeeper` alone lists the commands; `innkeeper COMMAND --help` says what is written here.

| exit code | meaning |
|---|---|
| 0 | done |
| {REFUSED} | the other side said no |
| {USAGE} | asked wrongly: an option, a setting |
| {UNREACHABLE} | the world failed: a network, a file; trying again may help |
| {BUG} | a mistake in innkeeper |
| {INTERRUPTED} | interrupted |
"""
