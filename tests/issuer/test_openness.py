"""How open a house is to strangers: on this computer alone it lets clients register; in earnest it has to be told so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from innkeeper.cli.serve import _judge
from innkeeper.issuer.app import open_issuer, outside_of, policy_of
from innkeeper.issuer.settings import Fetching, Registration, SeedTwin, Server, Settings, load
from innkeeper.protocol.refusals import UsageError

OURS = Settings()
SEEN = Settings(server=Server(public_url="https://id.example"))
EVERYWHERE = Settings(server=Server(host="0.0.0.0"))


@pytest.mark.parametrize(
    ("settings", "development", "mode"),
    [
        (OURS, True, "open"),
        (OURS, False, "off"),
        (SEEN, True, "off"),
        (EVERYWHERE, True, "off"),
        (replace(SEEN, registration=Registration(mode="invited")), False, "invited"),
        (replace(SEEN, registration=Registration(mode="open")), False, "open"),
        (replace(OURS, registration=Registration(mode="off")), True, "off"),
    ],
)
def test_registration_is_open_by_itself_only_where_nobody_else_can_come(
    settings: Settings, development: bool, mode: str
) -> None:
    assert policy_of(settings, development=development).registration == mode


@pytest.mark.parametrize("listed", ["127.0.0.1:8765", "localhost:1", "[::1]:8765", "127.9.9.9:80"])
def test_places_on_this_computer_may_be_listed_for_tests(listed: str) -> None:
    assert outside_of(Settings(fetching=Fetching(allow_loopback_hosts=[listed])))


@pytest.mark.parametrize(
    "listed", ["client.example:443", "10.0.0.1:80", "127.0.0.1", "localhost:", "", "::ffff:7f00:1:80"]
)
def test_other_places_may_not(listed: str) -> None:
    with pytest.raises(UsageError, match="allow_loopback_hosts"):
        outside_of(Settings(fetching=Fetching(allow_loopback_hosts=[listed])))


async def judged(folder: Path, settings: Settings) -> None:
    kept = replace(settings, server=replace(settings.server, state=str(folder)))
    issuer = await open_issuer(kept, development=False)
    try:
        await _judge(issuer, kept)
    finally:
        issuer.close()


def test_serve_refuses_that_list_where_others_can_come(tmp_path: Path) -> None:
    listing = Fetching(allow_loopback_hosts=["127.0.0.1:8765"])
    asyncio.run(judged(tmp_path, replace(OURS, fetching=listing)))
    with pytest.raises(UsageError, match="tests on loopback only"):
        asyncio.run(judged(tmp_path, replace(SEEN, fetching=listing)))


@pytest.mark.parametrize("reached", [SEEN, EVERYWHERE], ids=["behind a proxy", "from everywhere"])
def test_serve_refuses_a_twin_where_others_can_come(tmp_path: Path, reached: Settings) -> None:
    """A twin takes every administrator's word, for its cloud's signatures cannot be checked here."""
    twins = [SeedTwin(dialect="cognito", id="us-east-1_innkeepr1")]
    asyncio.run(judged(tmp_path, replace(OURS, twin=twins)))
    with pytest.raises(UsageError, match="twins are served on loopback only"):
        asyncio.run(judged(tmp_path, replace(reached, twin=twins)))


def test_a_mode_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "innkeeper.toml"
    file.write_text('[registration]\nmode = "ajar"\n')
    with pytest.raises(UsageError, match="ajar"):
        load(file, {})
