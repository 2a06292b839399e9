"""The page about the admin API: every reading and change is on it, with a command that is there."""

from __future__ import annotations

from docs.generate.admin_api import COMMANDS, page
from innkeeper.cli import COMMANDS as NAMES
from innkeeper.cli import loaded
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.desk.admin.readings import READINGS
from innkeeper.issuer.dialects.native.admin_openapi import paths, schemas


def test_every_reading_and_every_change_is_a_command_too() -> None:
    assert COMMANDS.keys() == {*READINGS, *ACTIONS}
    groups = {name: one for group in NAMES.values() for name, one in group.items()}
    missing = []
    for words in COMMANDS.values():
        name, _, inner = words.partition(" ")
        if inner not in loaded(name, groups[name]).commands:
            missing.append(words)
    assert missing == []


def test_the_page_has_every_route_and_all_that_changes_take() -> None:
    text = page()
    routes = [f"`{method.upper()} {path}`" for path, methods in paths().items() for method in methods]
    assert [one for one in routes if one not in text] == []
    taken = {name for name in schemas() if any(one.takes.__name__ == name for one in ACTIONS.values())}
    members = [f"| `{member}` |" for name in taken for member in schemas()[name]["properties"]]
    assert [one for one in members if one not in text] == []


def test_every_filter_of_the_log_is_an_option_of_its_command() -> None:
    group = next(one["audit"] for one in NAMES.values() if "audit" in one)
    options = {one.name for one in loaded("audit", group).commands["find"].params}
    paged = {"q": "words", "limit": "count", "before": "count", "line": "words"}
    assert {paged.get(one, one) for one in READINGS["audit"].filters} <= options
