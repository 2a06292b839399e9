"""Another issuer vouches for somebody: whose word is taken, for whom, for how much, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from innkeeper.issuer.core.records import TrustedIssuer
from innkeeper.issuer.core.token import JWT_BEARER
from innkeeper.issuer.desk.fetching import Document, Kind
from innkeeper.issuer.desk.outside import NotFetched
from innkeeper.issuer.settings import SeedClient
from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, SPA, Answer, House, posted
from tests.issuer.visitor import SHOP

IDP = "https://idp.example"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
GRANTS = ("authorization_code", "jwt_bearer")

TRUSTED = TrustedIssuer(
    issuer=IDP,
    jwks=(jwk.public_document(KEY.public_key(), "k-1", "ES256"),),
    subjects={"ada@idp": "ada-1", "job:deploy": "deployer", "the-robot": "robot", "ghost": "nobody-9"},
    clients=frozenset({"shop", "deployer"}),
    scopes=frozenset({"openid", "room:enter", "gym:enter"}),
)
BY_MAIL = TrustedIssuer(
    issuer="https://mail.example", jwks=TRUSTED.jwks, subject_claim="email", usernames=True, lifetime=60
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    shop, *others = SETTINGS.client
    deployer = SeedClient(
        id="deployer", name="Deployer", secret="deployer-secret", grants=("jwt_bearer",), scopes=["room:enter"]
    )
    other = replace(deployer, id="other", secret="other-secret")
    settings = replace(
        SETTINGS,
        client=[replace(shop, grants=GRANTS), *others, deployer, other],
        trusted_issuer=[TRUSTED, BY_MAIL],
    )
    made = House(tmp_path_factory.mktemp("house"), settings)
    yield made
    made.close()


_made = iter(range(1_000_000))


def assertion(house: House, signed_by: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """The issuer's good word for Ada, with some claims changed; None leaves one out."""
    now = house.clock()
    said = {"iss": IDP, "sub": "ada@idp", "aud": ORIGIN, "exp": now + 300, "iat": now, "jti": f"j-{next(_made)}"}
    body = {name: value for name, value in {**said, **changes}.items() if value is not None}
    head = {"alg": "ES256", "kid": "k-1", **(header or {})}
    return jws.compact(jws.encode_header(head).encode(), msgspec.json.encode(body), signed_by, "ES256")


def redeem(house: House, token: str, client: dict[str, str] | None = None, **more: str) -> Answer:
    return house.token({"grant_type": JWT_BEARER, "assertion": token, **(client or SHOP), **more})


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    claims: dict[str, Any] = msgspec.json.decode(base64url.decode(answer.json["access_token"].split(".")[1]))
    return claims


def refused(answer: Answer) -> str:
    assert answer.status == 400, answer.body
    return str(answer.json["error"])


def test_the_issuers_word_opens_what_issuer_and_client_may_both(house: House) -> None:
    answer = redeem(house, assertion(house))
    claims = said(answer)
    assert (claims["sub"], claims["client_id"], claims["aud"]) == ("ada-1", "shop", HOTEL)
    assert claims["scope"] == "gym:enter room:enter"
    assert {"refresh_token", "id_token"}.isdisjoint(answer.json)


def test_scopes_and_resource_narrow(house: House) -> None:
    assert said(redeem(house, assertion(house), scope="room:enter"))["scope"] == "room:enter"
    assert refused(redeem(house, assertion(house), scope="sauna:heat")) == "invalid_scope"
    assert refused(redeem(house, assertion(house), scope="room:enter offline_access")) == "invalid_scope"
    assert refused(redeem(house, assertion(house), scope="tea:pour")) == "invalid_scope"
    assert refused(redeem(house, assertion(house), resource="https://elsewhere.example")) == "invalid_target"
    assert SPA not in said(redeem(house, assertion(house)))["aud"]


@pytest.mark.parametrize("aud", [ORIGIN, f"{ORIGIN}/token", ["https://x.example", ORIGIN]], ids=str)
def test_it_is_addressed_to_the_issuer_or_its_token_endpoint(house: House, aud: Any) -> None:
    assert said(redeem(house, assertion(house, aud=aud)))["sub"] == "ada-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://idp.example/"},
        {"iss": "https://evil.example"},
        {"iss": ORIGIN},
        {"iss": None},
        {"iss": ["https://idp.example"]},
        {"aud": "https://elsewhere.example"},
        {"aud": f"{ORIGIN}/authorize"},
        {"aud": None},
        {"aud": {"a": 1}},
        {"aud": [1, None]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": -1e300},
        {"sub": None},
        {"sub": "bob@idp"},
        {"sub": "ada-1"},
        {"sub": "ghost"},
        {"sub": "the-robot"},
        {"sub": ["ada@idp"]},
    ],
    ids=str,
)
def test_a_word_that_is_not_good_is_invalid_grant(house: House, changes: dict[str, Any]) -> None:
    assert refused(redeem(house, assertion(house, **changes))) == "invalid_grant"


@pytest.mark.parametrize("moved", [{"exp": -6}, {"exp": 3606}, {"nbf": 6}, {"iat": 6}, {"iat": -3606}], ids=str)
def test_a_word_out_of_its_time_is_invalid_grant(house: House, moved: dict[str, int]) -> None:
    at = {name: house.clock() + seconds for name, seconds in moved.items()}
    assert refused(redeem(house, assertion(house, **at))) == "invalid_grant"


def test_an_issuer_may_be_held_to_shorter_lives(house: House) -> None:
    mail = {"iss": "https://mail.example", "sub": "7", "email": "bob@example.org"}
    assert said(redeem(house, assertion(house, **mail, exp=house.clock() + 60)))["sub"] == "bob-2"
    assert refused(redeem(house, assertion(house, **mail, exp=house.clock() + 300))) == "invalid_grant"


def test_a_user_name_is_looked_up_only_where_the_issuer_is_trusted_for_all(house: House) -> None:
    assert refused(redeem(house, assertion(house, sub="bob@example.org"))) == "invalid_grant"
    unknown = {"iss": "https://mail.example", "email": "nobody@example.org", "exp": house.clock() + 60}
    assert refused(redeem(house, assertion(house, **unknown))) == "invalid_grant"


def test_each_word_is_taken_once(house: House) -> None:
    token = assertion(house)
    assert redeem(house, token).status == 200
    assert refused(redeem(house, token)) == "invalid_grant"


def test_a_word_without_a_number_is_taken_once_too(house: House) -> None:
    token = assertion(house, jti=None, nonce="a")
    assert redeem(house, token).status == 200
    assert refused(redeem(house, token)) == "invalid_grant"
    assert redeem(house, assertion(house, jti=None, nonce="b")).status == 200


def test_of_many_that_bring_one_word_at_once_one_is_given_a_token(house: House) -> None:
    form = {"grant_type": JWT_BEARER, "assertion": assertion(house), **SHOP}
    statuses = sorted(answer.status for answer in house.ask_all([posted("/token", form)] * 8))
    assert statuses == [200, *[400] * 7]


def test_a_refused_word_is_not_used_up(house: House) -> None:
    token = assertion(house)
    assert refused(redeem(house, token, scope="sauna:heat")) == "invalid_scope"
    assert redeem(house, token).status == 200


def test_a_client_is_vouched_for_only_towards_itself(house: House) -> None:
    deployer = {"client_id": "deployer", "client_secret": "deployer-secret"}
    token = assertion(house, sub="job:deploy")
    assert refused(redeem(house, token)) == "invalid_grant"
    claims = said(redeem(house, token, deployer))
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("deployer", "deployer", "room:enter")


def test_the_word_is_for_the_clients_that_the_operator_named(house: House) -> None:
    other = {"client_id": "other", "client_secret": "other-secret"}
    assert refused(redeem(house, assertion(house), other)) == "invalid_grant"
    assert refused(redeem(house, assertion(house), {"client_id": "app"})) == "unauthorized_client"


@pytest.mark.parametrize(
    "forged",
    [
        {"signed_by": OTHER_KEY},
        {"signed_by": OTHER_KEY, "header": {"jwk": jwk.public_document(OTHER_KEY.public_key(), "k-1", "ES256")}},
        {"signed_by": OTHER_KEY, "header": {"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"}},
        {"header": {"alg": "none"}},
        {"header": {"alg": "HS256"}},
        {"header": {"kid": "another"}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "oauth-id-jag+jwt"}},
        {"header": {"typ": "logout+jwt"}},
    ],
    ids=[f"forgery {number}" for number in range(9)],
)
def test_no_forgery_and_no_token_of_another_type_passes(house: House, forged: dict[str, Any]) -> None:
    assert refused(redeem(house, assertion(house, **forged))) == "invalid_grant"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 9, "é"])
def test_nonsense_is_refused(house: House, token: str) -> None:
    assert refused(redeem(house, token)) == ("invalid_grant" if token else "invalid_request")


def test_our_own_tokens_are_no_word_of_another_issuer(house: House) -> None:
    own = redeem(house, assertion(house)).json["access_token"]
    assert refused(redeem(house, own)) == "invalid_grant"


def test_keys_are_fetched_where_the_issuer_has_them(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Fetched:
        async def fetch(self, url: str, kind: Kind, *, newest: int | None = None) -> Document:
            asked.append(url)
            if "away" in url:
                raise NotFetched("it is away")
            return Document(url, msgspec.json.encode({"keys": TRUSTED.jwks}), 0, 0)

    def trust(issuer: TrustedIssuer) -> None:
        for realm in house.realms:
            monkeypatch.setattr(realm, "fetcher", Fetched())
            monkeypatch.setattr(realm, "policy", replace(realm.policy, trusted_issuers={IDP: issuer}))

    remote = replace(TRUSTED, jwks=(), jwks_uri=f"{IDP}/jwks")
    trust(remote)
    assert said(redeem(house, assertion(house)))["sub"] == "ada-1"
    assert asked == [f"{IDP}/jwks"]
    trust(replace(remote, jwks_uri=f"{IDP}/away"))
    assert refused(redeem(house, assertion(house))) == "invalid_grant"
