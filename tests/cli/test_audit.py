"""``innkeeper audit``: tail, verify and export, over what servers and commands wrote."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_command_that_changes_something_is_in_the_books_by_name(run: Run, tmp_path: Path) -> None:
    added = run("client", "add", "Night porter", "--json")
    client = json.loads(added.stdout)
    tail = run("audit", "tail", "-n", "1")
    assert (tail.returncode, "at client add" in tail.stdout, client["client_id"] in tail.stdout) == (0, True, True)
    kept = b"".join(one.read_bytes() for one in (tmp_path / ".innkeeper" / "audit").iterdir()).decode()
    assert client["client_secret"] not in kept
    (line,) = [
        one for one in map(json.loads, run("audit", "export").stdout.splitlines()) if one["what"] == "client add"
    ]
    assert any(client["client_id"] in one for one in line["changes"])
    assert run("audit", "export", "--since", "2999-01-01").stdout == ""


def test_verify_tells_a_whole_chain_from_a_broken_one(run: Run, tmp_path: Path) -> None:
    run("client", "add", "Night porter")
    whole = run("audit", "verify")
    assert (whole.returncode, "BROKEN" in whole.stdout) == (0, False)
    head = whole.stdout.split()[-1]
    run("client", "add", "Day porter")
    assert run("audit", "verify", "--head", head).returncode == 0
    assert run("audit", "verify", "--head", "0" * 64).returncode == 1
    path = tmp_path / ".innkeeper" / "audit" / "command-1.jsonl"
    path.write_text(path.read_text("utf-8").replace("client add", "client lie"), "utf-8")
    broken = run("audit", "verify")
    assert broken.returncode == 1
    assert "command-1.jsonl line 2 does not follow the line before it" in broken.stdout


def test_what_is_not_there_or_makes_no_sense_is_told(run: Run) -> None:
    assert "there is no audit log" in run("audit", "tail").stderr
    run("client", "list")
    assert "write a date" in run("audit", "export", "--since", "yesterday").stderr


def test_lines_are_found_by_the_filters_of_the_console_and_one_is_shown_whole(run: Run) -> None:
    run("client", "add", "Night porter", "--id", "porter")
    run("client", "change", "porter", "--name", "Day porter")
    found = run("audit", "find", "--about", "administration", "porter")
    assert "lines fit" in found.stderr
    newest = found.stdout.splitlines()[0]
    assert "change client porter" in newest
    line = json.loads(run("audit", "show", newest.split()[0]).stdout)
    assert [one["path"] for one in line["edits"]] == ["name"]
    assert run("audit", "find", "--refusal", "IK213").stdout == ""
    asked = json.loads(run("audit", "find", "--what", "client add", "--until", "2999-01-01", "--json").stdout)
    assert [one["what"] for one in asked] == ["client add"]
    assert "--until 'soon': write a date" in run("audit", "find", "--until", "soon").stderr
    assert "no line 'command-1.9999'" in run("audit", "show", "command-1.9999").stderr
