"""The master key from a file, the environment or a command; and every way in which there is none."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest

from innkeeper.keys import unwrapping
from innkeeper.keys.unwrapping import unwrapped
from innkeeper.protocol.refusals import UsageError

KEY = bytes(range(224, 256))
URL, USUAL = base64.urlsafe_b64encode(KEY).decode().rstrip("="), base64.b64encode(KEY).decode()
HERE = {"PATH": "/usr/bin:/bin"}


def python(code: str) -> str:
    return f"command:{sys.executable} -c '{code}'"


@pytest.mark.parametrize("text", [URL, USUAL, f"{USUAL}\n"])
def test_it_is_read_in_either_alphabet_from_all_three(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    assert unwrapped(f"file:{tmp_path}/key", {}) == KEY
    assert unwrapped("env:KEY", {"KEY": text}) == KEY
    assert unwrapped(python(f'print("{text.strip()}")'), HERE) == KEY


def test_a_command_gets_the_environment_and_no_shell() -> None:
    assert unwrapped(python('import os; print(os.environ["K"])'), {"K": USUAL}) == KEY
    with pytest.raises(UsageError, match="no base64 of 32 bytes"):
        unwrapped("command:echo $(echo a)", HERE)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("master.key", "write file:PATH"),
        ("file:", "write file:PATH"),
        ("kms:key", "write file:PATH"),
        ("file:/nowhere/key", "cannot read /nowhere/key: No such file"),
        ("env:NOT_THERE", "the environment has no NOT_THERE"),
        ("env:SHORT", "no base64 of 32 bytes"),
        ("env:ODD", "no base64 of 32 bytes"),
        ("command:/nowhere/kms decrypt", "cannot run /nowhere/kms"),
        ("command:kms 'decrypt", "cannot be read"),
        (python('import sys; print(1); sys.exit("denied by policy")'), "ended with code 1: denied by policy"),
        (python('print("not a key")'), "no base64 of 32 bytes"),
    ],
)
def test_what_leads_to_no_key_is_told(source: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        unwrapped(source, {**HERE, "SHORT": URL[:-3], "ODD": "ü" * 43})


def test_what_a_command_printed_is_never_told() -> None:
    with pytest.raises(UsageError) as refused:
        unwrapped(python('print("almost-a-secret")'), HERE)
    assert "almost-a-secret" not in str(refused.value).replace(python('print("almost-a-secret")')[8:], "")


def test_a_command_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwrapping, "PATIENCE", 0.2)
    with pytest.raises(UsageError, match="did not answer"):
        unwrapped(python("import threading; threading.Event().wait()"), HERE)
