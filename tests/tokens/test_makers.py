"""Who made a token is told by its issuer or its claims, and each maker's claims have words of their own."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.tokens.makers import SPECIALS, Maker, claim_word, header_word, maker


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"}, Maker.COGNITO),
        ({"iss": "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"}, Maker.COGNITO),
        ({"iss": "http://127.0.0.1:8400/us-east-1_innkeepr1", "token_use": "access"}, Maker.COGNITO),
        ({"iss": "https://sts.windows.net/t/"}, Maker.ENTRA),
        ({"iss": "https://localhost:8443/t/v2.0", "tid": "t", "ver": "2.0"}, Maker.ENTRA),
        ({"iss": "accounts.google.com"}, Maker.GOOGLE),
        ({"iss": "https://accounts.google.com"}, Maker.GOOGLE),
        ({"iss": "https://inn.okta.com/oauth2/default"}, Maker.OKTA),
        ({"iss": "https://id.inn.example", "ver": 1, "cid": "0oa"}, Maker.OKTA),
        ({"iss": "https://inn.eu.auth0.com/"}, Maker.AUTH0),
        ({"iss": "https://id.example/realms/inn"}, Maker.KEYCLOAK),
        ({"iss": "https://token.actions.githubusercontent.com"}, Maker.GITHUB),
        ({"iss": "https://k8s.example", "kubernetes.io": {}}, Maker.KUBERNETES),
        ({"iss": "http://127.0.0.1:8400", "gid": "g"}, Maker.INNKEEPER),
        ({"iss": "https://issuer.example"}, Maker.STANDARD),
        ({"iss": 7}, Maker.STANDARD),
        ({"iss": "https://[broken"}, Maker.STANDARD),
        ({}, Maker.STANDARD),
    ],
)
def test_the_maker_is_known(claims: dict[str, Any], expected: Maker) -> None:
    assert maker(claims) is expected


def test_every_word_is_a_sentence_and_names_its_maker() -> None:
    for made_by, words in SPECIALS.items():
        assert len(words) >= 1
        assert all(word.says.endswith((".", "…")) and word.by == made_by for word in words.values())


def test_one_name_means_what_its_maker_says() -> None:
    meanings = {claim_word("sub", one) for one in (Maker.STANDARD, Maker.COGNITO, Maker.ENTRA, Maker.OKTA, Maker.AUTH0)}
    assert len(meanings) == 5


def test_attributes_that_a_pool_added_are_told_apart_from_unknown_names() -> None:
    assert claim_word("custom:room", Maker.COGNITO) is not None
    assert claim_word("custom:room", Maker.STANDARD) is None
    assert claim_word("https://x/y", Maker.AUTH0) is None
    assert header_word("alg") is not None
