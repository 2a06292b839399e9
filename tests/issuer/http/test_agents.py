"""Agents act for people: with an owner, a purpose and an end; never beyond what the person, the agent and the request allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from innkeeper.guard import Guard
from innkeeper.guard.decision import Refused
from innkeeper.issuer.core.grants.token_exchange import ACCESS_TOKEN, JWT
from innkeeper.issuer.core.records import DetailField, DetailType, TrustedIssuer
from innkeeper.issuer.core.token import CIBA, JWT_BEARER, TOKEN_EXCHANGE
from innkeeper.issuer.desk import agents
from innkeeper.issuer.desk.outside import Answer as Told
from innkeeper.issuer.settings import SeedAgent
from innkeeper.issuer.witness.audit import chains, lines, open_chain, verify
from innkeeper.issuer.witness.witness import Witness
from innkeeper.keys import jwk
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import HOTEL, ORIGIN, SETTINGS, SPA, Answer, Clock, House
from tests.issuer.signing import KEYS, assertion_claims, proves
from tests.issuer.signing import said as signed
from tests.issuer.visitor import SHOP, Visitor, redeem
from tests.keys.keyring import private_key

ADA, BOB = "ada@example.org", "bob@example.org"
GRANTS = ("client_credentials", "token_exchange", "jwt_bearer", "ciba", "refresh_token", "authorization_code")
AWS = "https://sts.aws.example"


def agent(name: str, *scopes: str, **more: Any) -> SeedAgent:
    return SeedAgent(
        id=name,
        name=f"The {name}",
        owner=BOB,
        purpose=f"Does what a {name} does",
        secret=f"{name}-secret",
        grants=GRANTS,
        scopes=list(scopes),
        **more,
    )


KEYED = SeedAgent(
    id="keyed", name="Keyed", owner=BOB, purpose="Proves a key", jwks=list(KEYS["keys"]), scopes=["gym:enter"]
)
DOOR = DetailType("Open one door", {"room": DetailField("number", "room {}", required=True)}, approval=True)
ONE_DOOR = '[{"type":"door","room":204}]'
INN = replace(
    SETTINGS,
    resource=[
        replace(SETTINGS.resource[0], approval=["room:enter"], details={"door": DOOR}),
        *SETTINGS.resource[1:],
    ],
    agent=[
        agent("concierge", "openid", "gym:enter", "room:enter", "sauna:heat"),
        agent("spa", "gym:enter", "sauna:heat"),
        agent("porter", "openid", "room:enter", "gym:enter", resources=["{origin}/hotel"]),
        agent("idler", "gym:enter", status="paused"),
        KEYED,
    ],
    trusted_issuer=[
        TrustedIssuer(
            issuer=AWS,
            jwks=(jwk.public_document(private_key("ES256").public_key(), "ES256", "ES256"),),
            subjects={"role/concierge": "concierge"},
        )
    ],
)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str, books: Path) -> Iterator[House]:
    def watching(clock: Clock) -> Witness:
        return Witness(clock, chain=open_chain(books, "serve", clock(), 1 << 20), logs=False)

    made = House(tmp_path_factory.mktemp("house"), INN, witness=watching)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def everybody_is_at_work(house: House) -> Iterator[None]:
    yield
    realm = house.issuer.realm
    for name in ("concierge", "spa", "porter"):
        house.run(agents.set_status(realm, name, "active"))
        house.run(agents.let_act(realm, "ada-1", name))
    house.clock.move(1_000)
    house.run(realm.reload())


@pytest.fixture
def adas(house: House) -> str:
    return adas_token(house)


def adas_token(house: House) -> str:
    """Ada's own token, cut for the shop: all that she allowed it."""
    code = Visitor(house).code(scope="openid room:enter gym:enter sauna:heat")
    return str(redeem(house, code).json["access_token"])


def as_agent(name: str) -> dict[str, str]:
    return {"client_id": name, "client_secret": f"{name}-secret"}


def swap(house: House, token: str, by: str = "concierge", **more: Any) -> Answer:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, **as_agent(by)}
    return house.token({name: value for name, value in {**form, **more}.items() if value})


def own(house: House, name: str) -> str:
    return str(house.token({"grant_type": "client_credentials", **as_agent(name)}).json["access_token"])


def acting(house: House, token: str, by: str, **more: Any) -> Answer:
    """The exchange with the agent's own token as proof that it is the one who acts."""
    return swap(house, token, by, actor_token=own(house, by), actor_token_type=ACCESS_TOKEN, **more)


def claims(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = msgspec.json.decode(base64url.decode(answer.json["access_token"].split(".")[1]))
    return found


def refused(house: House, answer: Answer) -> tuple[str, str]:
    """The error on the wire, and the number at home."""
    assert answer.status == 400, answer.body
    refusal = next(one.refusal for one in reversed(house.trails) if one.refusal)
    return str(answer.json["error"]), refusal.page.number


def active(house: House, token: str) -> bool:
    return bool(house.post("/introspect", {"token": token, **SHOP}).json["active"])


def told(answer: Answer) -> str:
    assert (answer.status, answer.json["error"]) == (400, "authorization_pending"), answer.body
    assert answer.json["expires_in"] == 300
    assert answer.json["interval"] == 5
    return str(answer.json["auth_req_id"])


def question(house: House, who: str = ADA) -> tuple[Visitor, Answer]:
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.get("/approvals"), who)
    (url,) = re.findall(r'href="([^"]*/approvals\?request=[^"]+)"', page.text)
    return visitor, visitor.get(url)


def answered(house: House, decision: str) -> None:
    visitor, page = question(house)
    assert visitor.submit(page, decision=decision).status == 200


# Who an agent is, and whether it is at work


def test_settings_plant_agents_with_owner_purpose_and_ceiling(house: House) -> None:
    found = house.run(agents.owned(house.issuer.realm, "bob-2"))
    assert {one.id for one in found} == {"concierge", "spa", "porter", "idler", "keyed"}
    porter = next(one for one in found if one.id == "porter")
    assert porter.agent is not None
    assert (porter.agent.owner, porter.agent.purpose) == ("bob-2", "Does what a porter does")
    assert porter.resources == (HOTEL,)
    assert house.run(agents.owned(house.issuer.realm, "ada-1")) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"owner": "ghost"}, "nobody here"), ({"secret": ""}, "one of the two"), ({"jwks": [{}]}, "one of the two")],
    ids=str,
)
def test_an_agent_without_owner_or_with_no_one_proof_is_not_planted(
    tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        House(tmp_path, replace(SETTINGS, agent=[replace(agent("x", "gym:enter"), **changes)]))


def test_approval_names_scopes_that_are_there(tmp_path: Path) -> None:
    hotel = replace(SETTINGS.resource[0], approval=["moon:enter"])
    with pytest.raises(UsageError, match="moon:enter"):
        House(tmp_path, replace(SETTINGS, resource=[hotel]))


def test_an_agent_proves_itself_by_its_key(house: House) -> None:
    proof = proves(signed(assertion_claims(house, "keyed")))
    answer = house.token({"grant_type": "client_credentials", "client_id": "keyed", **proof})
    assert claims(answer)["sub"] == "keyed"


def test_a_paused_agent_gets_nothing_anywhere(house: House) -> None:
    answer = house.token({"grant_type": "client_credentials", **as_agent("idler")})
    assert refused(house, answer) == ("unauthorized_client", "IK1500")
    asked = house.post("/bc-authorize", {"scope": "openid", "login_hint": ADA, **as_agent("idler")})
    assert asked.json["error"] == "unauthorized_client"


def test_what_a_paused_agent_was_given_counts_for_nothing_until_it_is_resumed(house: House, adas: str) -> None:
    realm = house.issuer.realm
    first = swap(house, adas, scope="gym:enter").json["access_token"]
    second = acting(house, first, "spa", scope="gym:enter").json["access_token"]
    assert active(house, first)
    assert active(house, second)
    house.run(agents.set_status(realm, "concierge", "paused"))
    house.run(realm.reload())
    assert not active(house, first)
    assert not active(house, second), "the concierge stands in its chain"
    assert refused(house, acting(house, first, "spa", scope="gym:enter")) == ("unauthorized_client", "IK1500")
    house.run(agents.set_status(realm, "concierge", "active"))
    house.run(realm.reload())
    assert active(house, first)
    assert active(house, second)


def test_a_revoked_agent_never_comes_back(house: House) -> None:
    realm = house.issuer.realm
    house.run(agents.set_status(realm, "keyed", "revoked"))
    house.run(realm.reload())
    proof = proves(signed(assertion_claims(house, "keyed")))
    answer = house.token({"grant_type": "client_credentials", "client_id": "keyed", **proof})
    assert refused(house, answer) == ("unauthorized_client", "IK1501")
    with pytest.raises(UsageError, match="for good"):
        house.run(agents.set_status(realm, "keyed", "active"))


def test_an_agent_whose_owner_is_gone_rests(house: House, adas: str) -> None:
    realm = house.issuer.realm
    bob = house.run(realm.store.person("bob-2"))
    assert bob is not None
    given = swap(house, adas, scope="gym:enter").json["access_token"]
    house.run(realm.store.put_person(replace(bob, disabled=True)))
    try:
        assert refused(house, swap(house, adas)) == ("unauthorized_client", "IK1502")
        assert not active(house, given)
    finally:
        house.run(realm.store.put_person(bob))


def test_a_refresh_token_of_a_paused_agent_is_refused_and_inactive(house: House) -> None:
    realm = house.issuer.realm
    asked = {"scope": "openid gym:enter", "login_hint": ADA, **as_agent("concierge")}
    auth_req_id = house.post("/bc-authorize", asked).json["auth_req_id"]
    answered(house, "allow")
    redeemed = house.token({"grant_type": CIBA, "auth_req_id": auth_req_id, **as_agent("concierge")}).json
    house.run(agents.set_status(realm, "concierge", "paused"))
    house.run(realm.reload())
    form = {"grant_type": "refresh_token", "refresh_token": redeemed["refresh_token"], **as_agent("concierge")}
    assert refused(house, house.token(form)) == ("unauthorized_client", "IK1500")
    looked_up = house.post("/introspect", {"token": redeemed["refresh_token"], **as_agent("concierge")})
    assert looked_up.json == {"active": False}
    assert house.get("/userinfo", authorization=f"Bearer {redeemed['access_token']}").status == 401


# Whom it acts for has a word in it


def test_a_person_takes_an_agent_back_and_lets_it_act_again(house: House, adas: str) -> None:
    realm = house.issuer.realm
    given = acting(house, swap(house, adas, scope="gym:enter").json["access_token"], "spa").json["access_token"]
    house.run(agents.take_back(realm, "ada-1", "concierge"))
    assert refused(house, swap(house, adas)) == ("access_denied", "IK1503")
    assert not active(house, given), "what it passed on ends, too"
    house.run(agents.let_act(realm, "ada-1", "concierge"))
    assert claims(swap(house, adas))["act"] == {"sub": "concierge"}
    assert active(house, given)


def test_what_an_agent_did_is_kept_once_an_hour(house: House) -> None:
    house.clock.move(3_600)
    realm, adas = house.issuer.realm, adas_token(house)
    for _ in range(3):
        given = swap(house, adas, scope="gym:enter", resource=HOTEL).json["access_token"]
    acting(house, given, "spa")
    found = {one.id: one for one in house.run(agents.acting(realm, "ada-1"))}
    mine = [one for one in found["concierge"].acts if one.at == house.clock()]
    assert [(one.scopes, one.audience) for one in mine] == [(frozenset({"gym:enter"}), (HOTEL,))]
    assert found["spa"].acts[0].through == ("concierge",)


# The guest, her concierge, and the spa's agent


def test_every_hop_is_told_in_the_books_which_verify(house: House, adas: str, books: Path) -> None:
    first = acting(house, adas, "concierge", scope="gym:enter sauna:heat")
    second = acting(house, first.json["access_token"], "spa", scope="sauna:heat", resource=SPA)
    assert claims(second)["act"] == {"sub": "spa", "act": {"sub": "concierge"}}
    assert (claims(second)["sub"], claims(second)["scope"], claims(second)["aud"]) == ("ada-1", "sauna:heat", SPA)
    written = [one for files in chains(books).values() for one in lines(files) if one.get("actor")][-2:]
    assert [one["actor"] for one in written] == ["concierge", "spa for concierge"]
    assert [one["parent"] for one in written] == [_jti(adas), _jti(first.json["access_token"])]
    assert [one["token"] for one in written] == [claims(first)["jti"], claims(second)["jti"]]
    assert written[1]["parent"] == written[0]["token"], "one hop leads to the next"
    assert [one["subject"] for one in written] == ["ada-1", "ada-1"]
    assert [one.problem for one in (verify(name, files) for name, files in chains(books).items())] == [""]


def _jti(token: str) -> str:
    return str(msgspec.json.decode(base64url.decode(token.split(".")[1]))["jti"])


def test_a_refused_hop_is_in_the_books_as_well(house: House, adas: str, books: Path) -> None:
    acting(house, adas, "spa", scope="room:enter")
    line = [one for files in chains(books).values() for one in lines(files)][-1]
    assert (line["outcome"], line["actor"], line["parent"]) == ("refused", "spa", _jti(adas))


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"scope": "room:enter"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"scope": "gym:enter sauna:heat room:enter"}, "invalid_scope"),
    ],
    ids=str,
)
def test_the_second_agent_gets_no_more_than_the_first_passed_on(
    house: House, adas: str, more: dict[str, str], error: str
) -> None:
    first = acting(house, adas, "concierge", scope="gym:enter sauna:heat").json["access_token"]
    assert refused(house, acting(house, first, "spa", **more))[0] == error


# On behalf of, as hosted agents ask for it


def test_a_hosted_agent_sends_the_callers_token_as_an_assertion(house: House, adas: str) -> None:
    """RFC 7523 with the user's token, as AgentCore's JWT_AUTHORIZATION_GRANT sends it."""
    form = {"grant_type": JWT_BEARER, "assertion": adas, "scope": "gym:enter", **as_agent("concierge")}
    answer = house.token(form)
    assert (claims(answer)["sub"], claims(answer)["act"]) == ("ada-1", {"sub": "concierge"})
    assert "issued_token_type" not in answer.json
    wider = house.token({**form, "assertion": answer.json["access_token"], "scope": "sauna:heat"})
    assert refused(house, wider) == ("invalid_scope", "IK277")
    assert house.token({**form, **as_agent("keyed")}).status == 401


def test_a_hosted_agent_is_vouched_for_by_its_cloud(house: House, adas: str) -> None:
    """RFC 8693 with an actor token of the host, as AgentCore's TOKEN_EXCHANGE with AWS_IAM_ID_TOKEN_JWT sends it."""
    now = house.clock()
    word = {"iss": AWS, "sub": "role/concierge", "aud": ORIGIN, "iat": now, "exp": now + 300, "jti": f"a-{now}"}
    sent = {"actor_token": signed(word), "actor_token_type": JWT, "scope": "gym:enter"}
    assert claims(swap(house, adas, **sent))["act"] == {"sub": "concierge"}
    assert refused(house, swap(house, adas, by="porter", **sent)) == ("invalid_request", "IK271")
    for changed in ({"aud": "https://else.example"}, {"exp": now - 100}, {"iss": "https://evil.example"}, {"sub": "x"}):
        sent["actor_token"] = signed({**word, **changed})
        assert refused(house, swap(house, adas, **sent)) == ("invalid_request", "IK271"), changed


# Attacks on delegation


def test_a_token_of_another_realm_is_no_actor_and_no_subject(house: House, adas: str, tmp_path: Path) -> None:
    """The same settings, the same names, the same address even: but other keys."""
    other = House(tmp_path, INN, clock=house.clock)
    try:
        foreign = own(other, "concierge")
        sent = {"actor_token": foreign, "actor_token_type": ACCESS_TOKEN, "scope": "gym:enter"}
        assert refused(house, swap(house, adas, **sent)) == ("invalid_request", "IK271")
        assert refused(house, swap(house, adas_token(other))) == ("invalid_request", "IK271")
    finally:
        other.close()


def test_an_actor_is_nobody_but_the_caller(house: House, adas: str) -> None:
    """Actor forgery: another agent's token, the person's own, one on which somebody else acts already."""
    delegated = swap(house, adas, scope="gym:enter").json["access_token"]
    for actor, number in ((own(house, "spa"), "IK274"), (adas, "IK274"), (delegated, "IK274"), ("a.b.c", "IK271")):
        sent = {"actor_token": actor, "actor_token_type": ACCESS_TOKEN, "scope": "gym:enter"}
        assert refused(house, swap(house, adas, **sent)) == ("invalid_request", number)


def test_an_agent_reaches_no_audience_beyond_its_ceiling(house: House, adas: str) -> None:
    assert refused(house, swap(house, adas, by="porter", resource=SPA)) == ("invalid_target", "IK211")
    assert refused(house, swap(house, adas, by="porter", scope="sauna:heat"))[0] == "invalid_scope"
    assert claims(swap(house, adas, by="porter", scope="gym:enter"))["aud"] == HOTEL


def test_an_assertion_that_vouched_once_for_a_person_is_spent(house: House) -> None:
    now = house.clock()
    word = {"iss": AWS, "sub": "role/concierge", "aud": ORIGIN, "iat": now, "exp": now + 300, "jti": f"once-{now}"}
    form = {"grant_type": JWT_BEARER, "assertion": signed(word), "scope": "gym:enter", **as_agent("concierge")}
    assert house.token(form).status == 200
    assert refused(house, house.token(form)) == ("invalid_grant", "IK281")


def test_agents_one_behind_the_other_come_to_an_end(house: House, adas: str) -> None:
    token, names = adas, ["concierge", "porter", "spa"]
    for turn in range(5):
        token = swap(house, token, by=names[turn % 3], scope="gym:enter").json["access_token"]
    assert refused(
        house, swap(house, token, by="spa", actor_token=own(house, "spa"), actor_token_type=ACCESS_TOKEN)
    ) == (
        "invalid_request",
        "IK276",
    )


# What is risky waits for the person


def test_a_risky_scope_is_left_out_unless_it_is_named(house: House, adas: str) -> None:
    assert claims(swap(house, adas))["scope"] == "gym:enter openid sauna:heat"


def test_a_risky_scope_waits_for_the_persons_yes(house: House, adas: str) -> None:
    more = {"scope": "room:enter", "binding_message": "Bag 7"}
    name = told(swap(house, adas, **more))
    again = {**more, "auth_req_id": name}
    assert swap(house, adas, **again).json["error"] == "authorization_pending"
    assert swap(house, adas, **again).json["error"] == "slow_down"
    visitor, page = question(house)
    for word in ("The concierge", "Open your room", "Bag 7", "Does what a concierge does"):
        assert word in page.text
    visitor.submit(page, decision="allow")
    got = swap(house, adas, **again)
    assert (claims(got)["scope"], claims(got)["act"]) == ("room:enter", {"sub": "concierge"})
    assert refused(house, swap(house, adas, **again)) == ("invalid_grant", "IK260"), "a yes is good once"


def test_a_no_is_a_no(house: House, adas: str) -> None:
    name = told(swap(house, adas, scope="room:enter"))
    answered(house, "deny")
    answer = swap(house, adas, scope="room:enter", auth_req_id=name)
    assert refused(house, answer) == ("access_denied", "IK262")


def test_a_yes_is_for_that_exchange_alone(house: House, adas: str) -> None:
    name = told(swap(house, adas, scope="room:enter", resource=HOTEL))
    answered(house, "allow")
    wider = swap(house, adas, scope="room:enter gym:enter", resource=HOTEL, auth_req_id=name)
    assert refused(house, wider) == ("access_denied", "IK1511")
    bobs = Visitor(house)
    page = bobs.sign_in(bobs.authorize(scope="openid room:enter"), BOB)
    code = bobs.allow(page).sent_back["code"]
    other = swap(house, redeem(house, code).json["access_token"], scope="room:enter", auth_req_id=name)
    assert refused(house, other) == ("access_denied", "IK1511")
    stranger = swap(house, adas, by="porter", scope="room:enter", auth_req_id=name)
    assert refused(house, stranger) == ("invalid_grant", "IK260")
    assert claims(swap(house, adas, scope="room:enter", resource=HOTEL, auth_req_id=name))["scope"] == "room:enter"


def test_a_yes_to_an_exchange_gives_no_tokens_by_itself_and_none_of_a_sign_in_is_one(house: House, adas: str) -> None:
    name = told(swap(house, adas, scope="room:enter"))
    answered(house, "allow")
    form = {"grant_type": CIBA, "auth_req_id": name, **as_agent("concierge")}
    assert refused(house, house.token(form)) == ("invalid_grant", "IK260")
    asked = {"scope": "openid room:enter", "login_hint": ADA, **as_agent("concierge")}
    ciba = house.post("/bc-authorize", asked).json["auth_req_id"]
    answered(house, "allow")
    assert refused(house, swap(house, adas, scope="room:enter", auth_req_id=ciba)) == ("invalid_grant", "IK260")


def test_the_next_agent_needs_a_yes_of_its_own(house: House, adas: str) -> None:
    name = told(swap(house, adas, scope="room:enter"))
    answered(house, "allow")
    first = swap(house, adas, scope="room:enter", auth_req_id=name).json["access_token"]
    second = told(acting(house, first, "porter", scope="room:enter"))
    page = question(house)[1]
    assert "for <bdi>The concierge</bdi>, which acts for you" in page.text
    assert second != name


def test_nobody_is_asked_too_often_or_with_words_that_cannot_be_seen(house: House, adas: str) -> None:
    assert refused(house, swap(house, adas, scope="room:enter", binding_message="\u202e")) == (
        "invalid_binding_message",
        "IK292",
    )
    for _ in range(3):
        told(swap(house, adas, scope="room:enter"))
    answer = swap(house, adas, scope="room:enter")
    assert (answer.status, answer.json["error"]) == (403, "access_denied")


def test_a_risky_detail_waits_in_plain_words_and_is_left_out_unless_it_is_named(house: House) -> None:
    code = Visitor(house).code(scope="openid gym:enter", resource=HOTEL, authorization_details=ONE_DOOR)
    hers = str(redeem(house, code).json["access_token"])
    assert "authorization_details" not in claims(swap(house, hers))
    more = {"scope": "gym:enter", "authorization_details": ONE_DOOR}
    name = told(swap(house, hers, **more))
    visitor, page = question(house)
    for word in ("Open one door", "Room 204"):
        assert word in page.text
    visitor.submit(page, decision="allow")
    wider = swap(house, hers, **more, auth_req_id=name)
    assert claims(wider)["authorization_details"] == [{"type": "door", "room": 204}]


def test_an_agent_in_ping_mode_is_told_that_there_is_an_answer(house: House, adas: str) -> None:
    realm, rung = house.issuer.realm, list[tuple[str, bytes]]()
    client = house.run(agents.known_agent(realm, "porter"))
    bell = {
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": "https://p.example/b",
    }
    house.run(realm.store.put_client(replace(client, **bell)))
    house.run(realm.reload())

    async def post(url: str, body: bytes, *_: Any, **__: Any) -> Told:
        rung.append((url, body))
        return Told(204, {}, b"")

    with pytest.MonkeyPatch.context() as patch:
        for one in house.realms:
            patch.setattr(one.fetcher, "post", post)
        sent = {"scope": "room:enter", "client_notification_token": "a-token-of-the-porter-for-us"}
        name = told(swap(house, adas, by="porter", **sent))
        answered(house, "allow")
    assert rung == [("https://p.example/b", msgspec.json.encode({"auth_req_id": name}))]
    assert claims(swap(house, adas, by="porter", **sent, auth_req_id=name))["scope"] == "room:enter"


# At the door


def test_the_doors_open_to_what_was_passed_on_and_to_nothing_else(house: House, adas: str) -> None:
    """Guest, concierge, spa agent, guarded door: each over-reach is refused by the issuer or by the guard."""

    def fetch(url: str) -> Reply:
        answer = house.get(url)
        return Reply(answer.status, tuple(answer.headers), answer.body)

    def at(api: str, token: str, scope: str) -> str:
        outcome = Guard(ORIGIN, api, clock=house.clock, fetch_blocking=fetch).verify_blocking(token, [scope])
        return outcome.refusal.page.number if isinstance(outcome, Refused) else str(outcome.token.act)

    first = acting(house, adas, "concierge", scope="gym:enter sauna:heat").json["access_token"]
    second = acting(house, first, "spa", scope="sauna:heat", resource=SPA).json["access_token"]
    assert at(SPA, second, "sauna:heat") == "{'sub': 'spa', 'act': {'sub': 'concierge'}}"
    assert at(HOTEL, first, "gym:enter") == "{'sub': 'concierge'}"
    assert at(HOTEL, second, "gym:enter") == "IK508", "cut for the spa alone"
    assert at(SPA, second, "gym:enter") == "IK523", "the scope was not passed on"
    assert at(HOTEL, first, "room:enter") == "IK523"


# What people see of it


def home(house: House, who: str = ADA, path: str = "/account") -> tuple[Visitor, Answer]:
    visitor = Visitor(house)
    return visitor, visitor.sign_in(visitor.get(path), who)


def test_people_see_what_acts_for_them_what_it_did_and_take_it_back(house: House, adas: str) -> None:
    given = swap(house, adas, scope="gym:enter", resource=HOTEL).json["access_token"]
    acting(house, given, "spa")
    visitor, page = home(house)
    for said in ("Does what a spa does", "bob@example.org</bdi> answers for it", "Use the gym, at The hotel, for"):
        assert said in page.text
    after = visitor.submit(page, take_back="spa")
    assert "taken back" in after.text
    assert refused(house, acting(house, given, "spa"))[1] == "IK1503"
    again = visitor.submit(visitor.get("/account"), let_act="spa")
    assert "It may act for you again." in again.text
    assert acting(house, given, "spa").status == 200
    data = visitor.get("/account/data").json
    spas = next(one for one in data["acts"] if one["agent"] == "spa")
    assert (spas["for"], spas["scopes"]) == (["concierge"], ["gym:enter"])


def test_allowing_an_agent_once_more_lets_it_act_again(house: House, adas: str) -> None:
    house.run(agents.take_back(house.issuer.realm, "ada-1", "shop"))
    assert refused(house, swap(house, adas, by="concierge"))[0] == "invalid_request", "its grant ended"
    fresh = adas_token(house)
    assert swap(house, fresh).status == 200


def test_what_waits_is_told_on_the_account_page(house: House, adas: str) -> None:
    told(swap(house, adas, scope="room:enter"))
    page = home(house)[1]
    assert 'id="waiting"' in page.text
    assert "Something waits for your answer" in page.text


def test_owners_pause_resume_and_revoke_their_agents_and_nobody_elses(house: House, adas: str) -> None:
    visitor, page = home(house, BOB, "/account/agents")
    assert "Does what a porter does" in page.text
    assert "Paused: it does nothing" in visitor.submit(page, pause="porter").text
    assert refused(house, swap(house, adas, by="porter")) == ("unauthorized_client", "IK1500")
    assert "Resumed" in visitor.submit(page, resume="porter").text
    assert swap(house, adas, by="porter").status == 200
    assert "Revoked" in visitor.submit(page, revoke="idler").text
    assert visitor.submit(page, resume="idler").status == 400
    stranger, other = home(house, ADA, "/account/agents")
    assert "You answer for none." in other.text
    assert stranger.submit(other, pause="porter").status == 400
    assert visitor.post("/account/agents", {"pause": "porter"}).status == 403
    assert swap(house, adas, by="porter").status == 200


def test_the_consent_page_says_what_an_agent_is_and_whose(house: House) -> None:
    realm = house.issuer.realm
    client = house.run(agents.known_agent(realm, "concierge"))
    house.run(realm.store.put_client(replace(client, redirect_uris=("https://agent.example/back",))))
    house.run(realm.reload())
    visitor = Visitor(house)
    asked = {"client_id": "concierge", "redirect_uri": "https://agent.example/back", "scope": "openid gym:enter"}
    page = visitor.sign_in(visitor.authorize(**asked))
    for said in ("An agent: a program that decides by itself", "Does what a concierge does", "bob@example.org"):
        assert said in page.text
    house.run(agents.set_status(realm, "concierge", "paused"))
    house.run(realm.reload())
    assert Visitor(house).authorize(**asked).sent_back["error"] == "unauthorized_client"
