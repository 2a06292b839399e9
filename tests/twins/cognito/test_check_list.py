"""The check list that emulators of Cognito are compared by, held by the one of them that is ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.twins.checks import CHECKS, Check
from bench.twins.ground import Ground
from tests.inn import Inn, open_inn

pytestmark = pytest.mark.filterwarnings(  # boto3 leaves its connections to the garbage collector
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inn]:
    with open_inn(tmp_path_factory.mktemp("inn")) as opened:
        yield opened


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_twin_passes(check: Check, inn: Inn) -> None:
    ground = Ground(inn.url)
    try:
        check(ground)
    finally:
        ground.close()


def test_every_check_says_what_it_asks() -> None:
    assert all((one.__doc__ or "").strip() for one in CHECKS)
    assert len({one.__name__ for one in CHECKS}) == len(CHECKS) > 50
