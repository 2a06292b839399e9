"""A place of one's own for profiles and records, and the inputs that most of these tests set a cloud up by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.inn import Inn


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNKEEPER_PROFILES", str(tmp_path / "profiles"))


@pytest.fixture
def at_the_house(house: Inn, monkeypatch: pytest.MonkeyPatch) -> Inn:
    """Commands with ``--twin`` mean this house."""
    monkeypatch.setenv("INNKEEPER_PORT", str(house.port))
    monkeypatch.setenv("INNKEEPER_TLS_PORT", str(house.tls_port))
    monkeypatch.setenv("INNKEEPER_STATE", str(house.folder / ".innkeeper"))
    return house


@pytest.fixture
def hotel() -> dict[str, Any]:
    """A hotel's API, a program, an app without a secret and a site with one, a group."""
    return {
        "scopes": {"room:enter": "Open the door of your room", "gym:enter": "Use the gym"},
        "machine_clients": {"concierge": {"scopes": ["room:enter", "gym:enter"]}},
        "web_clients": {
            "app": {"redirect_uris": ["http://localhost:8765/callback"], "scopes": ["room:enter"], "public": True},
            "site": {"redirect_uris": ["https://site.example/back"], "logout_uris": ["https://site.example/"]},
        },
        "groups": {"guests": "People who stay here"},
    }
