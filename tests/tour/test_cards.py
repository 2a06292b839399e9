"""The bad cards are bad in the one way they are meant to be."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from innkeeper.keys.jws import parse, verify
from innkeeper.protocol import base64url
from innkeeper.tour.cards import claims_of, confused, header_of, homemade, tampered, unsigned
from innkeeper.tour.reading import differences
from tests.tour.world import KEY, NOW, token

OWN = ec.derive_private_key(7, ec.SECP256R1())


def test_the_real_card_is_real() -> None:
    assert verify(parse(token()), KEY.public_key(), "ES256")


def test_a_tampered_card_says_more_under_the_old_signature() -> None:
    real, bad = token(), tampered(token())
    assert claims_of(bad)["scope"] == "gym:enter room:enter vip:enter"
    assert header_of(bad) == header_of(real)
    assert not verify(parse(bad), KEY.public_key(), "ES256")


def test_a_card_that_has_every_right_is_tampered_with_in_its_name() -> None:
    assert claims_of(tampered(token(scope="vip:enter")))["sub"] == "somebody-else"


def test_an_unsigned_card_says_so_and_ends_in_nothing() -> None:
    bad = unsigned(token())
    assert bad.endswith(".")
    assert header_of(bad)["alg"] == "none"


def test_a_homemade_card_is_well_signed_by_the_wrong_key() -> None:
    bad = parse(homemade(token(), OWN))
    assert bad.header["kid"] == "k1"
    assert verify(bad, OWN.public_key(), "ES256")
    assert not verify(bad, KEY.public_key(), "ES256")


def test_a_confused_card_would_fool_a_reader_that_lets_the_card_choose() -> None:
    bad = confused(token(), KEY.public_key())
    signing_input, _, signature = bad.rpartition(".")
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    naive = hmac.digest(pem, signing_input.encode(), hashlib.sha256)
    assert header_of(bad)["alg"] == "HS256"
    assert base64url.decode(signature) == naive


@pytest.mark.parametrize("bad", [tampered(token()), unsigned(token()), homemade(token(), OWN)])
def test_what_a_bad_card_says_that_the_real_one_does_not_is_found(bad: str) -> None:
    scope = next(one for one in differences(token(), bad) if one["name"] == "scope")
    assert [word["text"] for word in scope["now"] if word["new"]] == ["vip:enter"]


def test_a_time_long_past_is_told_as_a_date_and_the_numbers_of_cards_are_not_compared() -> None:
    (changed,) = differences(token(), token(exp=NOW - 3600, iat=NOW - 4200, jti="j2"))
    assert changed["name"] == "exp"
    assert [word["text"] for word in changed["now"]] == ["15 Jan 2027, 07:00:00 UTC"]


def test_a_second_more_or_less_is_no_difference() -> None:
    assert differences(token(), token(exp=NOW + 601)) == []


def test_differences_of_what_is_no_token_are_none() -> None:
    assert differences(token(), "not a token") == []
