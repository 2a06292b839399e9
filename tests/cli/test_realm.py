"""``innkeeper realm``, ``resource show`` and ``keys show``: what the console shows, at the machine."""

from __future__ import annotations

import json

from tests.cli.conftest import Run


def test_realms_their_keys_and_resources_are_shown_as_the_console_shows_them(run: Run) -> None:
    found = {one["name"]: one for one in json.loads(run("realm", "list", "--json").stdout)}
    assert {one["dialect"] for one in found.values()} == {"native", "cognito", "entra"}
    assert json.loads(run("realm", "show", "native").stdout) == found["native"]
    kid = run("keys", "list").stdout.split()[0]
    assert json.loads(run("keys", "show", "--", kid).stdout)["does"] in {"signs", "decrypts"}
    hotel = json.loads(run("resource", "show", "http://127.0.0.1:8400/hotel").stdout)
    assert "room:enter" in hotel["scopes"]
    unknown = run("realm", "show", "nowhere")
    assert (unknown.returncode, "no realm 'nowhere'; `innkeeper realm list` shows them" in unknown.stderr) == (2, True)
