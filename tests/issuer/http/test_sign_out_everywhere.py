"""Who signs out is signed out at the clients too: their servers are told behind the browser's back, or by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe as peer_jwe
from joserfc import jws as peer_jws
from joserfc.jwk import ECKey, KeySet
from msgspec.structs import replace

from innkeeper.issuer.core.backchannel_logout import EVENT, NOT_TOLD
from innkeeper.issuer.core.records import PAIRWISE, Client
from innkeeper.issuer.core.wrapping import NO_KEY
from innkeeper.issuer.desk import errands
from tests.issuer.house import ORIGIN, PASSWORD, Answer, House
from tests.issuer.stranger import Stranger, house_and_stranger
from tests.issuer.visitor import SHOP, Visitor, redeem, refresh

Change = Callable[..., Client]
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLISHED = (dict(ECKey(KEY, KEY).as_dict(private=False, kid="e", use="enc")),)
BYE = "https://shop.example/bye"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stranger]]:
    with house_and_stranger(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def house(pair: tuple[House, Stranger]) -> Iterator[House]:
    """Moved on, so that what one test sends does not slow the next; everybody who was sent off is back at the end."""
    house = pair[0]
    house.clock.move(120)
    yield house
    pair[1].stalled.set()
    come_back(house)


@pytest.fixture
def there(pair: tuple[House, Stranger]) -> Stranger:
    pair[1].requests.clear()
    pair[1].stalled.clear()
    pair[1].says("/logout", b"")
    return pair[1]


@pytest.fixture
def change(house: House) -> Iterator[Callable[..., None]]:
    """Changes what a client registered, and puts it back afterwards."""
    realm = house.issuer.realm
    before: dict[str, Client] = {}

    def put(client: Client) -> None:
        house.run(realm.store.put_client(client))
        house.run(realm.reload())

    def change(client_id: str, **changes: Any) -> None:
        client = house.run(realm.client(client_id))
        assert client is not None
        put(replace(before.setdefault(client_id, client), **changes))

    yield change
    for client in before.values():
        put(client)


@pytest.fixture
def pauses(house: House, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that errands would wait, for which nobody waits here."""
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(house.issuer.realm.errands, "pause", pause)
    return waited


def come_back(house: House) -> None:
    house.run(house.issuer.realm.errands.finished())


def sign_in(visitor: Visitor, **changes: str | None) -> dict[str, Any]:
    answer = redeem(visitor.house, visitor.code(**changes))
    assert answer.status == 200, answer.text
    return answer.json


def sign_out(visitor: Visitor, id_token: str, **more: str) -> Answer:
    return visitor.get(f"/logout?{urlencode({'id_token_hint': id_token, **more})}")


def verified(house: House, token: str, alg: str = "RS256") -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, as another library reads them with the published keys."""
    keys = KeySet.import_key_set(house.get("/jwks").json)
    read = peer_jws.deserialize_compact(token, keys, algorithms=[alg])
    return dict(read.protected), json.loads(read.payload)


def logout_tokens(there: Stranger) -> list[str]:
    """What the client's server was sent."""
    found = []
    for request in there.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /")
        assert b"content-type: application/x-www-form-urlencoded" in head.lower()
        form = parse_qs(body.decode("ascii"), strict_parsing=True)
        assert set(form) == {"logout_token"}
        found += form["logout_token"]
    return found


# Behind the browser's back


def test_a_clients_server_is_told_in_a_logout_token(house: House, there: Stranger, change: Change) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout?for=shop"))
    visitor = Visitor(house)
    id_token = sign_in(visitor)["id_token"]
    assert sign_out(visitor, id_token, post_logout_redirect_uri=BYE, state="s").location == f"{BYE}?state=s"
    come_back(house)
    (token,) = logout_tokens(there)
    assert there.requests[0].startswith(b"POST /logout?for=shop ")
    header, claims = verified(house, token)
    _, identity = verified(house, id_token)
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}
    assert claims["events"] == {EVENT: {}} == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert {name: claims[name] for name in ("iss", "sub", "aud", "sid")} == {
        name: identity[name] for name in ("iss", "sub", "aud", "sid")
    }
    assert (claims["iat"], claims["exp"]) == (house.clock(), house.clock() + 120)
    assert house.last.about == "back-channel logout"
    assert house.last.refusal is None


def test_the_session_is_named_even_where_the_client_may_go_on_offline(
    house: House, there: Stranger, change: Change
) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"))
    visitor = Visitor(house)
    got = sign_in(visitor, scope="openid offline_access")
    sign_out(visitor, got["id_token"])
    come_back(house)
    (token,) = logout_tokens(there)
    assert verified(house, token)[1]["sid"] == verified(house, got["id_token"])[1]["sid"]
    assert refresh(house, got["refresh_token"]).status == 200


def test_what_is_not_offline_ends_with_the_session(house: House) -> None:
    visitor = Visitor(house)
    got = sign_in(visitor)
    sign_out(visitor, got["id_token"])
    assert refresh(house, got["refresh_token"]).json["error"] == "invalid_grant"


def test_a_client_is_told_its_own_name_for_the_person(house: House, there: Stranger, change: Change) -> None:
    change(
        "shop",
        backchannel_logout_uri=there.url("/logout"),
        subject_type=PAIRWISE,
        sector_identifier="shop.example",
        id_token_alg="ES256",
    )
    visitor = Visitor(house)
    id_token = sign_in(visitor)["id_token"]
    sign_out(visitor, id_token)
    come_back(house)
    (token,) = logout_tokens(there)
    told = verified(house, token, "ES256")[1]["sub"]
    assert told == verified(house, id_token, "ES256")[1]["sub"] != "ada-1"


def test_a_logout_token_is_encrypted_as_id_tokens_are(house: House, there: Stranger, change: Change) -> None:
    change(
        "shop",
        backchannel_logout_uri=there.url("/logout"),
        jwks=PUBLISHED,
        id_token_encrypted_response_alg="ECDH-ES",
        id_token_encrypted_response_enc="A256GCM",
    )
    visitor = Visitor(house)
    visitor.code()
    visitor.submit(visitor.get("/logout"), decision="logout")
    come_back(house)
    (token,) = logout_tokens(there)
    opened = peer_jwe.decrypt_compact(token, ECKey(KEY, KEY), algorithms=["ECDH-ES", "A256GCM"])
    assert opened.plaintext is not None
    assert verified(house, opened.plaintext.decode())[1]["events"] == {EVENT: {}}


def test_a_client_that_cannot_be_encrypted_to_is_sent_nothing_open(
    house: House, there: Stranger, change: Change
) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"), id_token_encrypted_response_alg="ECDH-ES")
    visitor = Visitor(house)
    visitor.code()
    visitor.submit(visitor.get("/logout"), decision="logout")
    come_back(house)
    assert there.requests == []
    assert house.last.refusal is not None
    assert house.last.refusal.page is NO_KEY


def test_every_client_of_the_session_is_told_once_and_no_other(house: House, there: Stranger, change: Change) -> None:
    for client in ("shop", "app", "robot"):
        change(client, backchannel_logout_uri=there.url(f"/{client}"))
        there.says(f"/{client}", b"")
    other = Visitor(house)
    other.code()
    visitor = Visitor(house)
    id_token = sign_in(visitor)["id_token"]
    visitor.code()
    visitor.code(client_id="app", redirect_uri="http://127.0.0.1/callback", scope="openid")
    sign_out(visitor, id_token)
    come_back(house)
    told = [verified(house, one)[1] for one in logout_tokens(there)]
    assert sorted(one["aud"] for one in told) == ["app", "shop"]
    assert {one["sid"] for one in told} == {verified(house, id_token)[1]["sid"]}
    assert len({one["jti"] for one in told}) == 2


def test_a_client_that_only_got_access_is_not_told(house: House, there: Stranger, change: Change) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"))
    visitor = Visitor(house)
    visitor.code(scope="room:enter")
    visitor.submit(visitor.get("/logout"), decision="logout")
    come_back(house)
    assert there.requests == []


def test_whoever_stays_signed_in_tells_nobody(house: House, there: Stranger, change: Change) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"))
    visitor = Visitor(house)
    visitor.code()
    visitor.submit(visitor.get("/logout"), decision="cancel")
    come_back(house)
    assert there.requests == []


@pytest.mark.parametrize("end", ["others", "one"])
def test_a_session_that_is_ended_from_elsewhere_is_told_too(
    house: House, there: Stranger, change: Change, end: str
) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"))
    here, away = Visitor(house), Visitor(house)
    here.code()
    sid = verified(house, sign_in(away)["id_token"])[1]["sid"]
    page = here.get("/account")
    assert sid in page.text
    here.post("/account", {**form_proof(page), "end": sid if end == "one" else "others"})
    come_back(house)
    assert sid in {verified(house, one)[1]["sid"] for one in logout_tokens(there)}


def form_proof(page: Answer) -> dict[str, str]:
    proof = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    assert proof
    return {"csrf": unescape(proof)}


# Failures


def refusals(house: House) -> list[Any]:
    return [one.refusal for one in house.trails if one.about == "back-channel logout" and one.refusal]


@pytest.mark.parametrize(
    ("status", "tries"),
    [
        ("204 No Content", 1),
        ("400 Bad Request", 1),
        ("403 Forbidden", 1),
        ("302 Found", 1),
        ("501 Not Implemented", 3),
        ("503 Service Unavailable", 3),
        ("429 Too Many Requests", 3),
    ],
)
def test_a_server_that_fails_is_tried_three_times_and_one_that_answers_once(
    house: House, there: Stranger, change: Change, pauses: list[float], status: str, tries: int
) -> None:
    there.says("/logout", b"", status, location="https://internal.example/")
    change("shop", backchannel_logout_uri=there.url("/logout"))
    visitor = Visitor(house)
    sign_out(visitor, sign_in(visitor)["id_token"])
    come_back(house)
    assert pauses == [2, 15][: tries - 1]
    tokens = logout_tokens(there)
    assert len(tokens) == tries
    assert len(set(tokens)) == 1
    if not status.startswith("204"):
        assert house.last.refusal is not None
        assert house.last.refusal.page is NOT_TOLD


@pytest.mark.parametrize(
    "uri",
    ["https://nobody.example/logout", "https://169.254.169.254/latest", "http://client.example/logout", "ftp://x/y"],
)
def test_a_server_that_may_not_be_called_is_given_up(
    house: House, there: Stranger, change: Change, pauses: list[float], uri: str
) -> None:
    house.trails.clear()
    change("shop", backchannel_logout_uri=uri)
    visitor = Visitor(house)
    assert sign_out(visitor, sign_in(visitor)["id_token"], post_logout_redirect_uri=BYE).location == BYE
    come_back(house)
    assert pauses == [2, 15]
    assert there.requests == []
    assert [one.page for one in refusals(house)] == [NOT_TOLD] * 3


def test_a_server_that_is_slow_keeps_nobody_waiting(house: House, there: Stranger, change: Change) -> None:
    change("shop", backchannel_logout_uri=there.url("/stall"))
    visitor = Visitor(house)
    id_token = sign_in(visitor)["id_token"]
    assert sign_out(visitor, id_token, post_logout_redirect_uri=BYE).location == BYE
    assert house.issuer.realm.errands.under_way == 1
    assert 'id="sign-in"' in visitor.authorize().text
    there.stalled.set()
    come_back(house)
    assert house.issuer.realm.errands.under_way == 0


def test_only_so_many_are_sent_off_at_a_time(
    house: House, there: Stranger, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "MOST", 0)
    change("shop", backchannel_logout_uri=there.url("/logout"))
    visitor = Visitor(house)
    assert sign_out(visitor, sign_in(visitor)["id_token"], post_logout_redirect_uri=BYE).location == BYE
    come_back(house)
    assert there.requests == []


def test_errands_are_called_off_when_the_house_closes() -> None:
    async def close() -> list[str]:
        seen: list[str] = []

        async def errand() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("called off")

        out = errands.Errands()
        assert out.start(errand())
        await out.finished(0)
        return seen

    assert asyncio.run(close()) == ["called off"]


# A logout token is nothing else


def test_a_logout_token_opens_nothing_and_vouches_for_nobody(house: House, there: Stranger, change: Change) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"))
    visitor = Visitor(house)
    sign_out(visitor, sign_in(visitor)["id_token"])
    come_back(house)
    (token,) = logout_tokens(there)
    assert house.get("/userinfo", authorization=f"Bearer {token}").status == 401
    assert house.post("/introspect", {"token": token, **SHOP}).json == {"active": False}
    assert sign_out(visitor, token).status == 400
    visitor.code()
    assert visitor.authorize(prompt="none", id_token_hint=token).sent_back["error"] == "login_required"


# By the browser


def test_the_browser_loads_the_clients_addresses_and_then_goes_back(house: House, change: Change) -> None:
    change("shop", frontchannel_logout_uri="https://shop.example/signed-out?a=b&c")
    change("app", frontchannel_logout_uri="http://127.0.0.1:9/out")
    visitor = Visitor(house)
    id_token = sign_in(visitor)["id_token"]
    visitor.code(client_id="app", redirect_uri="http://127.0.0.1/callback", scope="openid")
    page = sign_out(visitor, id_token, post_logout_redirect_uri=BYE, state='";x')
    sid = verified(house, id_token)[1]["sid"]
    named = urlencode({"iss": ORIGIN, "sid": sid})
    assert page.status == 200
    assert frames(page) == {f"https://shop.example/signed-out?a=b&c&{named}", f"http://127.0.0.1:9/out?{named}"}
    policy = str(page.header("content-security-policy")).split("; ")
    assert [one for one in policy if one.startswith("frame-src")] == [
        one for one in policy if set(one.split()) == {"frame-src", "https://shop.example", "http://127.0.0.1:9"}
    ]
    assert "frame-ancestors 'none'" in policy
    assert 'http-equiv="refresh" content="3; url=https://shop.example/bye?state=%22%3Bx"' in page.text
    assert "innkeeper-native" not in visitor.cookies


def test_the_browser_stays_where_it_has_nowhere_to_go(house: House, change: Change) -> None:
    change("shop", frontchannel_logout_uri="https://shop.example/signed-out")
    visitor = Visitor(house)
    page = sign_out(visitor, sign_in(visitor)["id_token"])
    assert len(frames(page)) == 1
    assert "http-equiv" not in page.text


def test_a_page_without_frames_may_load_none(house: House) -> None:
    visitor = Visitor(house)
    page = sign_out(visitor, sign_in(visitor)["id_token"])
    assert 'id="logged-out"' in page.text
    assert frames(page) == set()
    assert "frame-src" not in str(page.header("content-security-policy"))


def frames(page: Answer) -> set[str]:
    found = page.text.split("<iframe")[1:]
    assert all('sandbox="allow-same-origin allow-scripts"' in one.partition(">")[0] for one in found)
    return {unescape(one.partition('src="')[2].partition('"')[0]) for one in found}


def test_the_document_says_how_clients_are_told(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    for channel in ("backchannel", "frontchannel"):
        assert document[f"{channel}_logout_supported"] is True
        assert document[f"{channel}_logout_session_supported"] is True
    assert "check_session_iframe" not in document


def test_changing_the_password_tells_the_clients_of_the_other_sessions(
    house: House, there: Stranger, change: Change
) -> None:
    change("shop", backchannel_logout_uri=there.url("/logout"))
    here, away = Visitor(house), Visitor(house)
    here.through(here.authorize())
    sid = verified(house, sign_in(away)["id_token"])[1]["sid"]
    page = here.get("/account/password")
    here.submit(page, present=PASSWORD, new="Another-Horse-8", again="Another-Horse-8")
    come_back(house)
    assert sid in {verified(house, one)[1]["sid"] for one in logout_tokens(there)}
    here.submit(here.get("/account/password"), present="Another-Horse-8", new=PASSWORD, again=PASSWORD)
