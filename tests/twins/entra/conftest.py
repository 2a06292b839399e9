"""A tenant for each module of tests; what one test changes there, the next ones see."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.inn import Inn
from tests.twins.entra.sdks import Twin
from tests.twins.entra.tenant import TENANT, Tenant, open_tenant


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with open_tenant(tmp_path_factory.mktemp("tenant")) as opened:
        yield opened


@pytest.fixture(scope="session")
def twin(house: Inn) -> Twin:
    """The tenant of a running inn that answers."""
    document = f"{house.url}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert httpx2.get(document, trust_env=False, timeout=60).status_code == 200
    return Twin(house)
