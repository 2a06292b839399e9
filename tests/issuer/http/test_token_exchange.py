"""Tokens are exchanged for lesser ones: nothing widens, no binding is lost, nobody acts who may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from innkeeper.issuer.core.grants.token_exchange import ACCESS_TOKEN, ID_TOKEN, JWT
from innkeeper.issuer.core.token import TOKEN_EXCHANGE
from innkeeper.issuer.settings import SeedClient
from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, SPA, Answer, House
from tests.issuer.visitor import SHOP, Visitor, redeem, refresh

EXCHANGE = "token_exchange"
SHOP_GRANTS = ("authorization_code", "refresh_token", "client_credentials", EXCHANGE)


def agent(name: str, *scopes: str) -> SeedClient:
    return SeedClient(
        id=name, name=name, secret=f"{name}-secret", grants=("client_credentials", EXCHANGE), scopes=list(scopes)
    )


AGENTS = [
    agent("concierge", "openid", "room:enter", "gym:enter"),
    agent("gardener", "sauna:heat"),
    *(agent(f"agent-{number}", "room:enter", "gym:enter") for number in range(6)),
    SeedClient(id="kiosk", name="Kiosk", grants=(EXCHANGE, "authorization_code"), scopes=["room:enter"], native=True),
    SeedClient(id="idle", name="Idle", secret="idle-secret", grants=("client_credentials",), scopes=["room:enter"]),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    shop, *others = SETTINGS.client
    settings = replace(SETTINGS, client=[replace(shop, grants=SHOP_GRANTS), *others, *AGENTS])
    made = House(tmp_path_factory.mktemp("house"), settings)
    yield made
    made.close()


def person_tokens(house: House, **asked: str | None) -> dict[str, Any]:
    """Ada signs in at the shop and allows it her room, the gym and the spa."""
    code = Visitor(house).code(scope="openid room:enter gym:enter sauna:heat offline_access", **asked)
    return redeem(house, code).json


@pytest.fixture
def adas(house: House) -> str:
    return str(person_tokens(house)["access_token"])


def as_client(name: str) -> dict[str, str]:
    return SHOP if name == "shop" else {"client_id": name, "client_secret": f"{name}-secret"}


def own_token(house: House, name: str) -> str:
    return str(house.token({"grant_type": "client_credentials", **as_client(name)}).json["access_token"])


def swap(house: House, token: str, by: str = "concierge", headers: dict[str, str] | None = None, **more: Any) -> Answer:
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        **as_client(by),
        **more,
    }
    return house.token({name: value for name, value in form.items() if value}, **(headers or {}))


def said(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = msgspec.json.decode(base64url.decode(token.split(".")[1]))
    return claims


def given(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    return said(answer.json["access_token"])


def refused(answer: Answer) -> str:
    assert answer.status == 400, answer.body
    return str(answer.json["error"])


def why(house: House) -> str:
    refusal = house.last.refusal
    assert refusal is not None
    return refusal.page.number


def test_an_agent_is_given_what_it_and_the_person_may_both_do(house: House, adas: str) -> None:
    answer = swap(house, adas)
    claims = given(answer)
    assert claims["sub"] == "ada-1"
    assert claims["client_id"] == "concierge"
    assert claims["act"] == {"sub": "concierge"}
    assert claims["scope"] == "gym:enter openid room:enter"
    assert claims["aud"] == [HOTEL, ORIGIN]
    assert answer.json["issued_token_type"] == ACCESS_TOKEN
    assert answer.json["token_type"] == "Bearer"
    assert "refresh_token" not in answer.json


def test_scopes_and_resources_narrow_further(house: House, adas: str) -> None:
    claims = given(swap(house, adas, scope="gym:enter", resource=HOTEL))
    assert (claims["scope"], claims["aud"]) == ("gym:enter", HOTEL)
    assert given(swap(house, adas, audience=HOTEL))["aud"] == HOTEL


def test_audience_may_be_named_several_times(house: House, adas: str) -> None:
    form = [
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", adas),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", HOTEL),
        ("audience", SPA),
        *as_client("shop").items(),
    ]
    assert given(house.token(form))["aud"] == [HOTEL, SPA]


def test_an_exchange_never_widens_scopes(house: House) -> None:
    narrow = str(given_token(house, scope="openid room:enter"))
    assert refused(swap(house, narrow, scope="room:enter gym:enter")) == "invalid_scope"
    assert why(house) == "IK277"
    assert given(swap(house, narrow))["scope"] == "openid room:enter"


def given_token(house: House, **asked: str) -> str:
    return str(redeem(house, Visitor(house).code(**asked)).json["access_token"])


def test_an_exchange_never_reaches_another_audience(house: House, adas: str) -> None:
    hotel_only = str(swap(house, adas, by="shop", resource=HOTEL).json["access_token"])
    assert refused(swap(house, hotel_only, by="shop", resource=SPA)) == "invalid_target"
    assert refused(swap(house, hotel_only, by="shop", audience=SPA)) == "invalid_target"
    assert refused(swap(house, adas, by="shop", resource="https://elsewhere.example")) == "invalid_target"


def test_an_exchange_gives_no_client_more_than_its_registration(house: House, adas: str) -> None:
    assert refused(swap(house, adas, scope="sauna:heat")) == "invalid_scope"
    assert refused(swap(house, adas, resource=SPA)) == "invalid_target"
    assert given(swap(house, adas, by="gardener"))["scope"] == "sauna:heat"


def test_narrowing_step_by_step_never_comes_back(house: House, adas: str) -> None:
    first = str(swap(house, adas, scope="room:enter").json["access_token"])
    assert refused(swap(house, first, by="agent-1", scope="gym:enter")) == "invalid_scope"
    assert given(swap(house, first, by="agent-1"))["scope"] == "room:enter"


def test_the_new_token_ends_with_the_old_one(house: House) -> None:
    old = given_token(house)
    house.clock.move(400)
    answer = swap(house, old)
    assert given(answer)["exp"] == said(old)["exp"]
    assert answer.json["expires_in"] == 200
    house.clock.move(200)
    assert refused(swap(house, old)) == "invalid_request"


def test_the_chain_of_actors_is_kept_and_grows_outwards(house: House) -> None:
    token = given_token(house)
    for name in ("concierge", "agent-1"):
        token = swap(house, token, by=name).json["access_token"]
    assert said(token)["act"] == {"sub": "agent-1", "act": {"sub": "concierge"}}
    assert given(swap(house, token, by="agent-1", scope="room:enter"))["act"] == said(token)["act"]


def test_the_chain_of_actors_has_an_end(house: House) -> None:
    token = given_token(house)
    for number in range(5):
        token = swap(house, token, by=f"agent-{number}").json["access_token"]
    assert refused(swap(house, token, by="agent-5")) == "invalid_request"
    assert why(house) == "IK276"


def test_a_client_that_narrows_its_own_token_is_no_actor(house: House, adas: str) -> None:
    claims = given(swap(house, adas, by="shop", scope="room:enter"))
    assert "act" not in claims
    assert "offline_access" not in given(swap(house, adas, by="shop"))["scope"]


def test_an_actor_token_says_who_acts(house: House, adas: str) -> None:
    actor = own_token(house, "concierge")
    claims = given(swap(house, adas, actor_token=actor, actor_token_type=ACCESS_TOKEN))
    assert claims["act"] == {"sub": "concierge"}
    own = own_token(house, "shop")
    assert given(swap(house, adas, by="shop", actor_token=own, actor_token_type=JWT))["act"] == {"sub": "shop"}


def test_an_actor_token_of_another_client_is_no_use(house: House, adas: str) -> None:
    stolen = own_token(house, "agent-1")
    assert refused(swap(house, adas, actor_token=stolen, actor_token_type=ACCESS_TOKEN)) == "invalid_request"
    assert why(house) == "IK274"


def test_an_actor_behind_whom_somebody_acts_is_refused(house: House, adas: str) -> None:
    delegated = swap(house, adas).json["access_token"]
    assert refused(swap(house, adas, actor_token=delegated, actor_token_type=ACCESS_TOKEN)) == "invalid_request"
    assert why(house) == "IK274"


@pytest.mark.parametrize(
    "sent",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": ID_TOKEN},
        {"actor_token": "a.b.c"},
        {"actor_token_type": ACCESS_TOKEN},
        {"actor_token": "a.b.c", "actor_token_type": ACCESS_TOKEN},
        {"subject_token": "a.b.c"},
        {"subject_token": ""},
        {"subject_token_type": ""},
    ],
    ids=str,
)
def test_what_is_no_token_of_a_kind_we_exchange_is_refused(house: House, adas: str, sent: dict[str, str]) -> None:
    assert refused(swap(house, adas, **sent)) == "invalid_request"


def test_a_refresh_token_is_not_exchanged(house: House) -> None:
    assert refused(swap(house, person_tokens(house)["refresh_token"], by="shop")) == "invalid_request"


def test_a_token_of_somebody_elses_making_is_refused(house: House, adas: str) -> None:
    head, body, _ = adas.split(".")
    forged = jws.compact(head.encode(), base64url.decode(body), ec.generate_private_key(ec.SECP256R1()), "ES256")
    assert refused(swap(house, forged)) == "invalid_request"
    assert why(house) == "IK271"


def test_a_revoked_token_is_not_exchanged(house: House) -> None:
    token = given_token(house)
    house.post("/revoke", {"token": token, **SHOP})
    assert refused(swap(house, token)) == "invalid_request"


def test_revoking_the_grant_reaches_the_token_that_was_exchanged(house: House) -> None:
    tokens = person_tokens(house)
    exchanged = swap(house, tokens["access_token"]).json["access_token"]
    house.post("/revoke", {"token": tokens["refresh_token"], **SHOP})
    assert house.post("/introspect", {"token": exchanged, **as_client("concierge")}).json == {"active": False}
    assert refused(swap(house, tokens["access_token"])) == "invalid_request"


def test_a_token_for_an_api_the_client_may_not_use_is_not_exchanged(house: House, adas: str) -> None:
    spa = swap(house, adas, by="shop", resource=SPA).json["access_token"]
    assert refused(swap(house, spa)) == "invalid_request"
    assert why(house) == "IK272"


def test_a_public_client_exchanges_no_token_but_its_own(house: House, adas: str) -> None:
    kiosk = {"client_id": "kiosk", "client_secret": ""}
    assert refused(swap(house, adas, **kiosk)) == "invalid_request"
    assert why(house) == "IK272"


def test_a_client_without_the_grant_exchanges_nothing(house: House, adas: str) -> None:
    assert refused(swap(house, adas, by="idle")) == "unauthorized_client"
    unproved = swap(house, adas, client_secret="wrong")
    assert (unproved.status, unproved.json["error"]) == (401, "invalid_client")


def test_an_id_token_opens_for_its_client_what_the_person_allowed(house: House) -> None:
    tokens = person_tokens(house)
    mine = swap(house, tokens["id_token"], by="shop", subject_token_type=ID_TOKEN, scope="room:enter")
    assert (given(mine)["sub"], given(mine)["scope"]) == ("ada-1", "room:enter")
    assert refused(swap(house, tokens["id_token"], subject_token_type=ID_TOKEN)) == "invalid_request"
    assert refused(swap(house, tokens["id_token"], by="shop")) == "invalid_request", "an ID token is no access token"
    assert refused(swap(house, tokens["access_token"], by="shop", subject_token_type=ID_TOKEN)) == "invalid_request"


def test_who_may_act_is_who_the_token_names(house: House, adas: str) -> None:
    register_actor(house, "agent-1")
    try:
        token = given_token(house)
    finally:
        register_actor(house, "")
    assert said(token)["may_act"] == {"sub": "agent-1"}
    assert refused(swap(house, token)) == "invalid_request"
    assert why(house) == "IK275"
    actor = own_token(house, "concierge")
    assert refused(swap(house, token, actor_token=actor, actor_token_type=ACCESS_TOKEN)) == "invalid_request"
    delegated = swap(house, token, by="agent-1").json["access_token"]
    assert said(delegated)["may_act"] == {"sub": "agent-1"}, "the gate stays shut behind the actor"
    assert refused(swap(house, delegated)) == "invalid_request"


def test_a_realm_can_ask_every_token_to_name_its_actor(house: House, adas: str) -> None:
    policy = house.issuer.realm.policy
    for realm in house.realms:
        realm.policy = replace(policy, require_may_act=True)
    try:
        assert refused(swap(house, adas)) == "invalid_request"
        assert given(swap(house, adas, by="shop"))["sub"] == "ada-1"
    finally:
        for realm in house.realms:
            realm.policy = policy


def register_actor(house: House, actor: str) -> None:
    realm = house.issuer.realm

    async def change() -> None:
        client = await realm.store.client("shop")
        assert client is not None
        await realm.store.put_client(replace(client, may_act=actor))
        await realm.reload()

    house.run(change())


class Holder:
    """Somebody with a key of their own, who makes a new proof each time."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._made = 0
        document = jwk.public_document(self._key.public_key(), "", "ES256")
        self._shown = {name: document[name] for name in ("kty", "crv", "x", "y")}
        self.thumbprint = jwk.thumbprint(self._shown)

    def proof(self, house: House) -> dict[str, str]:
        self._made += 1
        said = {"jti": f"{self.thumbprint} {self._made}", "htm": "POST", "htu": f"{ORIGIN}/token", "iat": house.clock()}
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._shown}
        return {"dpop": jws.compact(jws.encode_header(header).encode(), msgspec.json.encode(said), self._key, "ES256")}


def bound_token(house: House, holder: Holder) -> str:
    tokens = person_tokens(house)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **SHOP}
    return str(house.token(form, **holder.proof(house)).json["access_token"])


def test_an_exchange_drops_no_binding(house: House) -> None:
    holder, thief = Holder(), Holder()
    token = bound_token(house, holder)
    assert said(token)["cnf"] == {"jkt": holder.thumbprint}
    for by in ("shop", "concierge"):
        assert refused(swap(house, token, by)) == "invalid_request"
        assert why(house) == "IK273"
        assert refused(swap(house, token, by, thief.proof(house))) == "invalid_request"
    kept = swap(house, token, "concierge", holder.proof(house))
    assert given(kept)["cnf"] == {"jkt": holder.thumbprint}
    assert kept.json["token_type"] == "DPoP"


def test_a_bound_actor_token_is_proved_as_well(house: House, adas: str) -> None:
    holder = Holder()
    form = {"grant_type": "client_credentials", **as_client("concierge")}
    actor = house.token(form, **holder.proof(house)).json["access_token"]
    sent = {"actor_token": actor, "actor_token_type": ACCESS_TOKEN}
    assert refused(swap(house, adas, **sent)) == "invalid_request"
    assert given(swap(house, adas, "concierge", holder.proof(house), **sent))["act"] == {"sub": "concierge"}


def test_an_exchange_can_add_a_binding(house: House, adas: str) -> None:
    holder = Holder()
    assert given(swap(house, adas, "concierge", holder.proof(house)))["cnf"] == {"jkt": holder.thumbprint}


def test_a_disabled_person_is_acted_for_no_more(house: House) -> None:
    token, realm = given_token(house), house.issuer.realm

    async def set_disabled(disabled: bool) -> None:
        person = await realm.store.person("ada-1")
        assert person is not None
        await realm.store.put_person(replace(person, disabled=disabled))

    house.run(set_disabled(True))
    try:
        assert refused(swap(house, token)) == "invalid_request"
    finally:
        house.run(set_disabled(False))


def test_exchanged_tokens_are_not_refreshed(house: House, adas: str) -> None:
    exchanged = swap(house, adas).json["access_token"]
    assert refresh(house, exchanged).status == 400


def test_a_machines_token_is_exchanged_too(house: House) -> None:
    claims = given(swap(house, own_token(house, "agent-1"), by="agent-2", scope="room:enter"))
    assert (claims["sub"], claims["act"]) == ("agent-1", {"sub": "agent-2"})
