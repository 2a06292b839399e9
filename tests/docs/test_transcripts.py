"""The reader of terminal sessions reads what is there, and notices a document that does not say the truth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.transcripts import Command, Ran, commands, quarrel, run

DOCUMENT = """Text.

```console
$ name=guest
$ echo "hello $name"
hello guest
$ echo one \\
>     two
one two
```

```sh
make up
```
"""


def test_commands_and_what_is_shown_below_them_are_found() -> None:
    assert commands(DOCUMENT) == [
        Command(4, "name=guest", ""),
        Command(5, 'echo "hello $name"', "hello guest\n"),
        Command(7, "echo one \\\n    two", "one two\n"),
    ]


def test_a_session_that_begins_with_output_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="line 2"):
        commands("```console\nhello\n```\n")


def test_one_shell_runs_them_all_and_prints_what_is_shown(tmp_path: Path) -> None:
    found = commands(DOCUMENT)
    ran = run([command.text for command in found], tmp_path, os.environ)
    assert [quarrel(*pair) for pair in zip(found, ran, strict=True)] == ["", "", ""]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a\n", "a"),
        ("a ... c\n", "a b c\n"),
        ("...\n", ""),
        ("a\n...\nz\n", "a\nb\nc\nz\n"),
        ("token: eyJ...\n...\n", "token: eyJhbGciOi\nand more\n"),
    ],
)
def test_three_dots_stand_for_anything(shown: str, printed: str) -> None:
    assert quarrel(Command(1, "", shown), Ran(printed, 0)) == ""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("a\n", "b\n"), ("a\n", "a\nb\n"), ("a ... c\n", "a\nc\n"), ("a\n...\nz\n", "a\nb\n"), ("a.c\n", "abc\n")],
)
def test_other_output_than_shown_is_noticed(shown: str, printed: str) -> None:
    assert quarrel(Command(1, "", shown), Ran(printed, 0)).startswith("--- shown")


def test_a_silent_command_must_succeed_and_a_shown_refusal_may_fail(tmp_path: Path) -> None:
    silent, refused = run(["false", "echo no >&2; false"], tmp_path, os.environ)
    assert quarrel(Command(1, "false", ""), silent).startswith("exit code 1")
    assert quarrel(Command(1, "", "no\n"), refused) == ""
