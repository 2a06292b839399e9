"""The pytest plugin: fixtures that open an issuer once a session and set it back before each test that uses it.

Nothing of the server is loaded before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from innkeeper.issuer.settings import Settings
    from innkeeper.testing.issuer import IssuerForTests


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
