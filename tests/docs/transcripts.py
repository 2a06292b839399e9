"""Terminal sessions in documents: found, run, and compared with what the document says they print.

A session is a fenced block marked ``console``. A line that begins with ``$ `` is a command, ``> `` continues it,
and what follows is its output, where ``...`` stands for anything within a line and, alone on a line, for any
lines. All sessions of a document are run by one shell, in order, so a variable set early can be used later. A
command with no output shown must succeed; where output is shown, a refusal may be what is to be seen.
"""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^```console *\n(.*?)^``` *$", re.MULTILINE | re.DOTALL)
_END = "\x1e"


class Command(NamedTuple):
    """A command of a document: the line it stands on, its text, the output shown below it."""

    line: int
    text: str
    shown: str


class Ran(NamedTuple):
    """What came of a command."""

    output: str
    status: int


def commands(markdown: str) -> list[Command]:
    """Every command in a document's sessions, in order. Raises ``ValueError`` for a session that begins with output."""
    return [
        command
        for block in _BLOCK.finditer(markdown)
        for command in _read(block[1].splitlines(), markdown.count("\n", 0, block.start(1)) + 1)
    ]


def run(texts: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float = 120) -> list[Ran]:
    """Run commands one after the other in one bash; standard error is part of the output, as in a terminal."""
    script = "exec 2>&1\n" + "".join(f"{text}\nprintf '{_END}%d{_END}' $?\n" for text in texts)
    shell = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=timeout,
        check=False,
    )
    parts = shell.stdout.split(_END)
    return [Ran(output, int(status)) for output, status in zip(parts[:-1:2], parts[1::2], strict=True)]


def quarrel(command: Command, ran: Ran) -> str:
    """How what was printed differs from what is shown; empty where it does not."""
    if not command.shown:
        return "" if ran.status == 0 else f"exit code {ran.status}:\n{ran.output}"
    printed = _tidy(ran.output)
    if re.fullmatch(_pattern(command.shown), printed):
        return ""
    return "\n".join(
        difflib.unified_diff(command.shown.splitlines(), printed.splitlines(), "shown", "printed", lineterm="")
    )


def _read(lines: Sequence[str], first: int) -> Iterator[Command]:
    command: Command | None = None
    for number, line in enumerate(lines, start=first):
        if line.startswith("$ "):
            if command:
                yield command
            command = Command(number, line[2:], "")
        elif command is None:
            raise ValueError(f"line {number}: a session begins with a command, after '$ '")
        elif line.startswith("> ") and not command.shown:
            command = command._replace(text=f"{command.text}\n{line[2:]}")
        else:
            command = command._replace(shown=f"{command.shown}{line.rstrip()}\n")
    if command:
        yield command._replace(shown=command.shown.rstrip("\n") + "\n" if command.shown.strip() else "")


def _pattern(shown: str) -> str:
    return "".join(_line_pattern(line) for line in shown.splitlines())


def _line_pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return r".*?".join(re.escape(part) for part in line.split("...")) + r"\n"


def _tidy(output: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in output.rstrip().splitlines())
