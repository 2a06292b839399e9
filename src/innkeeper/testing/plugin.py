"""The pytest plugin: fixtures that open an issuer once a session and set it back before each test that uses it.

Nothing of the server is loaded before a test asks for it.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from innkeeper.issuer.settings import Settings
    from innkeeper.testing.issuer import IssuerForTests
    from innkeeper.testing.routed import RoutedClouds


@pytest.fixture(scope="session")
def innkeeper_settings() -> Settings:
    """What the issuer for tests starts with. Override it in your conftest.py, in session scope."""
    from innkeeper.testing.issuer import usual

    return usual()


@pytest.fixture(scope="session")
def innkeeper_server(innkeeper_settings: Settings) -> Iterator[IssuerForTests]:
    """The issuer that runs for the whole session. Use ``innkeeper_issuer`` unless you know why not."""
    from innkeeper.testing.issuer import serving

    with serving(innkeeper_settings) as issuer:
        yield issuer


@pytest.fixture
def innkeeper_issuer(innkeeper_server: IssuerForTests) -> IssuerForTests:
    """An issuer as it was when it was opened: ``url``, ``forge``, ``clock``, ``faults``, ``token``, ``rotate_keys``."""
    innkeeper_server.reset()
    return innkeeper_server


@pytest.fixture(scope="session")
def innkeeper_twins(innkeeper_settings: Settings) -> Iterator[RoutedClouds]:
    """Twins of both clouds for the whole session. Use ``innkeeper_clouds`` unless you start programs of your own."""
    from innkeeper.testing.routed import routed_clouds

    with routed_clouds(innkeeper_settings) as clouds:
        yield clouds


@pytest.fixture
def innkeeper_clouds(innkeeper_twins: RoutedClouds, monkeypatch: pytest.MonkeyPatch) -> RoutedClouds:
    """For this test, Cognito and Entra ID under their real addresses are twins on this computer, and other hosts are out
    of reach over https. ``cognito`` and ``entra`` are their ids and secrets."""
    for name, value in innkeeper_twins.environment.items():
        monkeypatch.setenv(name, value)
    # urllib reads the proxies once and keeps them: what an earlier test made of them must not count here
    monkeypatch.setattr(urllib.request, "_opener", None)
    return innkeeper_twins
