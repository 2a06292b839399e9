"""oauth4webapi, unmodified, signs its requests, pushes them, and binds what it gets to a key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.inn import Inn
from tests.interop.houses import Registered, register_signer
from tests.interop.test_node_clients import ROOT

pytestmark = pytest.mark.interop

Case = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def signer(house: Inn) -> Registered:
    return register_signer(house)


@pytest.fixture(scope="module")
def strict(house: Inn) -> Registered:
    """A client that lives by FAPI 2.0 with message signing, on the person's own computer."""
    return register_signer(house, "strict", profile="fapi2-message-signing", application_type="native")


@pytest.fixture
def case(house: Inn, signer: Registered, run_node: Callable[..., subprocess.CompletedProcess[str]]) -> Case:
    def played(name: str, client: Registered = signer) -> dict[str, Any]:
        ran = run_node("guarded.js", name, client.told(house), sys.executable, str(ROOT))
        assert ran.returncode == 0, ran.stderr
        seen: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        assert "failed" not in seen, seen
        return seen

    return played


def test_a_signed_request_is_read_in_place_of_plain_parameters(case: Case) -> None:
    assert case("signed") == {"sub": "guest-204"}


@pytest.mark.parametrize("name", ["pushed", "pushedAndSigned"])
def test_a_pushed_request_gives_tokens_that_are_of_no_use_without_the_key(name: str, case: Case) -> None:
    assert case(name) == {"type": "dpop", "bound": True, "sub": "guest-204", "stolen": 401}


def test_the_whole_of_fapi_with_message_signing(case: Case, strict: Registered) -> None:
    assert case("fapi", strict) == {"answered": ["response"], "sub": "guest-204", "type": "dpop", "rotated": False}
