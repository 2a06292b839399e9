"""Access tokens built and read (RFC 9068)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.access import REQUIRED, NotWhole, build, read
from innkeeper.tokens.trail import Check
from innkeeper.tokens.verification import PRESENTED_CHECKS, SIGNED_CHECKS, TOKEN_CHECKS, USE_CHECKS, Expected, Presented


def built(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "issuer": "https://i.example",
        "subject": "s",
        "audience": ["https://a.example"],
        "client_id": "c",
        "now": 1000,
        "lifetime": 300,
        "jti": "j",
    }
    return build(**(given | changes))


def test_claims_stand_in_the_order_of_the_specification() -> None:
    claims = built(scope={"b", "a"}, extra={"acr": "pwd"})
    assert list(claims) == ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "acr"]
    assert tuple(claims)[: len(REQUIRED)] == REQUIRED
    assert (claims["exp"], claims["iat"], claims["scope"]) == (1300, 1000, "a b")


def test_one_audience_is_a_text_and_several_are_a_list() -> None:
    assert built()["aud"] == "https://a.example"
    assert built(audience=("x", "y"))["aud"] == ["x", "y"]


def test_no_scope_is_no_claim() -> None:
    assert "scope" not in built(scope=[])


def test_a_token_for_nobody_is_not_built() -> None:
    with pytest.raises(UsageError, match="audience"):
        built(audience=[])


@pytest.mark.parametrize("name", REQUIRED)
def test_extra_claims_replace_none_of_the_standard_ones(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        built(extra={name: "x"})


def test_what_is_built_is_read_back_the_same_after_a_journey_as_json() -> None:
    claims = msgspec.json.decode(msgspec.json.encode(built(audience=["x", "y"], scope=["a", "b"], extra={"gid": "g"})))
    token = read(claims)
    assert (token.iss, token.sub, token.aud, token.client_id) == ("https://i.example", "s", ("x", "y"), "c")
    assert (token.exp, token.iat, token.nbf, token.jti, token.scope) == (1300, 1000, 0, "j", {"a", "b"})
    assert token.claims == claims


def test_claims_behind_a_read_only_view_are_read_too() -> None:
    assert read(MappingProxyType(built())).sub == "s"


def test_times_may_have_fractions_and_count_in_whole_seconds() -> None:
    assert read(built() | {"exp": 1300.9, "iat": 999.5}).exp == 1300


@pytest.mark.parametrize("value", [True, "1300", [1300], {"at": 1300}])
def test_an_expiry_of_another_kind_is_not_whole(value: Any) -> None:
    with pytest.raises(NotWhole, match="exp"):
        read(built() | {"exp": value})


def test_extra_spaces_make_no_scopes() -> None:
    assert read(built() | {"scope": " a  b "}).scope == {"a", "b"}


def test_the_table_of_checks_is_the_whole_of_its_parts_in_order() -> None:
    assert (*PRESENTED_CHECKS, *SIGNED_CHECKS, *USE_CHECKS) == TOKEN_CHECKS
    assert len({one.name for one in TOKEN_CHECKS}) == len(TOKEN_CHECKS) == 12


@pytest.mark.parametrize("one", SIGNED_CHECKS, ids=lambda one: str(one.name))
def test_a_case_that_nobody_verified_passes_no_check_that_needs_a_key(one: Check[Presented]) -> None:
    case = Presented({"alg": "ES256", "typ": "at+jwt"}, built(), ("https://i.example",), Expected("https://i.example"))
    outcome = one.judge(case)
    assert getattr(outcome, "page", None) is not None
