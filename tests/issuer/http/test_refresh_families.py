"""A family of refresh tokens lies together in the store, and its mark gives nobody anything."""

from __future__ import annotations

import os
from hashlib import sha256

import pytest

from innkeeper.issuer.desk.realm import digest, following, random_value, refresh_digest
from innkeeper.protocol import base64url
from tests.issuer.house import House
from tests.issuer.visitor import Visitor, redeem, refresh


def test_the_first_token_of_a_family_is_kept_as_any_value_is() -> None:
    first = random_value()
    assert refresh_digest(first) == digest(first) == sha256(first.encode()).digest()


def test_all_generations_begin_as_the_first_does_and_share_no_more() -> None:
    token, digests = random_value(), []
    for _ in range(5):
        digests.append(refresh_digest(token))
        token = following(token, os.urandom(32))
    assert {one[:6] for one in digests} == {digests[0][:6]}
    assert {len(one) for one in digests} == {32}
    assert len({one[6:] for one in digests}) == 5


def test_a_mark_is_beside_256_bits_and_not_of_them() -> None:
    secret = os.urandom(32)
    token = following(random_value(), secret)
    assert base64url.decode(token)[6:] == secret


@pytest.mark.parametrize("token", ["é" * 51, "." * 51, "=" * 51, "\x00" * 51, " " * 51, "€" * 51])
def test_what_only_has_the_length_of_a_successor_is_nobodys(house: House, token: str) -> None:
    assert refresh_digest(token) == digest(token)
    assert refresh(house, token).status == 400


def test_a_real_family_lies_together(house: House, visitor: Visitor) -> None:
    first = redeem(house, visitor.code()).json["refresh_token"]
    second = refresh(house, first).json["refresh_token"]
    third = refresh(house, second).json["refresh_token"]
    held = [house.run(house.realms[0].store.refresh_token(refresh_digest(one))) for one in (first, second, third)]
    assert {one.token.digest[:6] for one in held if one} == {digest(first)[:6]}
    assert len({one.grant.id for one in held if one}) == 1
    assert all(held)


def test_another_familys_mark_before_a_real_secret_is_nobodys_token_and_ends_nothing(
    house: House, visitor: Visitor
) -> None:
    mine, theirs = (refresh(house, redeem(house, visitor.code()).json["refresh_token"]).json for _ in range(2))
    forged = theirs["refresh_token"][:8] + mine["refresh_token"][8:]
    answer = refresh(house, forged)
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    for unharmed in (mine, theirs):
        assert refresh(house, unharmed["refresh_token"]).status == 200
