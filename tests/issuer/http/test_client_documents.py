"""A client's id is the address of its own document: what is there makes it a client, and nothing else can pass for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec.structs import replace

from innkeeper.issuer.core.client_authentication import JWT_BEARER
from innkeeper.issuer.desk.fetching import CLIENT_DOCUMENT, EVERY
from innkeeper.issuer.settings import Registration
from innkeeper.keys.jwk import public_document
from innkeeper.protocol import base64url
from tests.issuer.house import ORIGIN, SETTINGS, VERIFIER, Answer, House
from tests.issuer.stranger import HOST, Stranger, house_and_stranger
from tests.issuer.visitor import Visitor

CALLBACK = "http://127.0.0.1:49152/callback"
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Stranger]]:
    with house_and_stranger(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def house(pair: tuple[House, Stranger]) -> House:
    """Moved on, so that the limit on fetching is not felt from one test to the next."""
    pair[0].clock.move(EVERY * 40)
    return pair[0]


@pytest.fixture
def there(pair: tuple[House, Stranger]) -> Stranger:
    return pair[1]


def publish(there: Stranger, path: str, /, **changes: Any) -> str:
    """A client as it publishes itself at ``path``; None leaves a member out. Its id."""
    client_id = there.url(path)
    document = {
        "client_id": client_id,
        "client_name": "An agent",
        "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        **changes,
    }
    said = {name: value for name, value in document.items() if value is not None}
    there.says(path, json.dumps(said).encode(), cache_control="max-age=300")
    return client_id


def asks(house: House, client_id: str, redirect_uri: str = CALLBACK, **changes: str) -> Answer:
    return Visitor(house).authorize(client_id=client_id, redirect_uri=redirect_uri, scope="openid", **changes)


def is_welcome(answer: Answer) -> bool:
    return answer.status == 200 and 'id="sign-in"' in answer.text


def is_turned_away(house: House, answer: Answer, because: str) -> bool:
    """An error page, no redirect; and the reason is known at home, though not shown."""
    refusal = house.last.refusal
    assert refusal is not None
    assert (refusal.page.number, answer.header("location")) == ("IK102", None)
    assert because in refusal.reason, refusal.reason
    return answer.status == 400 and 'id="error-page"' in answer.text and because not in answer.text


def redeem(house: House, code: str, client_id: str, redirect_uri: str = CALLBACK, **more: str) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": VERIFIER,
        **more,
    }
    return house.token(form)


def test_discovery_says_that_documents_are_read(house: House) -> None:
    assert house.get("/.well-known/oauth-authorization-server").json["client_id_metadata_document_supported"] is True


@pytest.mark.parametrize("redirect", [CALLBACK, "http://localhost:5151/callback", "http://localhost/callback"])
def test_a_published_agent_signs_a_person_in_on_whatever_loopback_port(
    house: House, there: Stranger, redirect: str
) -> None:
    client_id = publish(there, "/agent.json")
    code = Visitor(house).code(client_id=client_id, redirect_uri=redirect, scope="openid room:enter offline_access")
    given = redeem(house, code, client_id, redirect)
    assert given.status == 200, given.text
    again = house.token(
        {"grant_type": "refresh_token", "refresh_token": given.json["refresh_token"], "client_id": client_id}
    )
    assert again.status == 200, again.text


def test_people_are_asked_and_see_who_publishes_the_client_and_where_the_answer_goes(
    house: House, there: Stranger
) -> None:
    client_id = publish(there, "/shown.json", client_name="The bank <b>")
    visitor = Visitor(house)
    page = visitor.sign_in(visitor.authorize(client_id=client_id, redirect_uri=CALLBACK, scope="openid"))
    assert 'id="allow"' in page.text
    assert "The bank &lt;b&gt;" in page.text
    assert f"at <bdi>{there.authority}</bdi>" in page.text
    assert "127.0.0.1:49152" in page.text
    assert "a program on this computer" in page.text


def test_a_client_that_tells_no_name_is_shown_by_its_host(house: House, there: Stranger) -> None:
    assert there.authority in asks(house, publish(there, "/nameless.json", client_name=None)).text


def test_grants_and_members_that_nobody_knows_here_are_cut(house: House, there: Stranger) -> None:
    grants = ["authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_credentials", "telepathy"]
    client_id = publish(there, "/claude.json", grant_types=grants, software_statement="ey", scope="openid claudeai")
    assert is_welcome(asks(house, client_id))
    client = house.run(house.issuer.realm.client(client_id))
    assert client is not None
    assert client.grants == {"authorization_code"}
    assert client.scopes == {"openid"}


def test_a_redirect_that_is_not_in_the_document_is_never_redirected_to(house: House, there: Stranger) -> None:
    client_id = publish(there, "/strict.json", redirect_uris=["https://client.example/cb", "http://127.0.0.1/callback"])
    for uri in ("https://client.example:8443/cb", "https://evil.example/cb", "http://127.0.0.1:1/other"):
        answer = asks(house, client_id, uri)
        assert (answer.status, answer.header("location")) == (400, None)


@pytest.mark.parametrize(
    "spoof", ["https://bank.example/client.json", f"https://{HOST}/spoof.json", "{id}/", "{id}?x", "{ID}", 7, None]
)
def test_a_document_that_is_another_clients_passes_for_nobody(house: House, there: Stranger, spoof: object) -> None:
    url = there.url("/spoof.json")
    said = spoof.format(id=url, ID=url.upper()) if isinstance(spoof, str) else spoof
    because = "Expected `str`" if spoof == 7 else "another client's"
    assert is_turned_away(house, asks(house, publish(there, "/spoof.json", client_id=said)), because)


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, "cannot hold a secret"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "cannot hold a secret"),
        ({"client_secret": "hush"}, "cannot hold a secret"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "keys are needed"),
        ({"redirect_uris": []}, "no redirect URI"),
        ({"redirect_uris": ["http://evil.example/cb"]}, "a redirect URI cannot be registered"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "a redirect URI cannot be registered"),
        ({"redirect_uris": "https://client.example/cb"}, "Expected `array`"),
        ({"jwks_uri": "http://169.254.169.254/keys"}, "jwks_uri"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"grant_types": ["client_credentials"]}, "none of the grants"),
    ],
    ids=str,
)
def test_what_no_published_client_may_say_is_refused(
    house: House, there: Stranger, changes: dict[str, Any], because: str
) -> None:
    client_id = publish(there, "/wrong.json", **changes)
    assert is_turned_away(house, asks(house, client_id), because)
    assert house.token({"grant_type": "authorization_code", "client_id": client_id, "code": "x"}).status == 401


@pytest.mark.parametrize(
    "url",
    [
        "https://client.example",
        "https://client.example/",
        "https://client.example/a/../b.json",
        "https://client.example/a/./b.json",
        "https://client.example/a/%2e%2E/b.json",
        "https://client.example/b.json#x",
        "https://user@client.example/b.json",
        "https://client.example\\@evil.example/b.json",
        "https:///b.json",
        "https://[::1/b.json",
    ],
)
def test_an_improper_address_is_not_even_looked_at(house: House, there: Stranger, url: str) -> None:
    before = len(there.requests)
    assert asks(house, url).status == 400
    assert len(there.requests) == before


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("https://169.254.169.254/latest/meta-data/client.json", "127.0.0.1"),
        ("https://localhost/client.json", "this very computer"),
        ("https://inside.example/client.json", "this very computer"),
        ("https://127.0.0.1:8400/client.json", "this very computer"),
    ],
)
def test_an_id_leads_nowhere_inside(house: House, url: str, because: str) -> None:
    """Every name in this house leads to 127.0.0.1; only the stranger's own is let."""
    assert is_turned_away(house, asks(house, url), because)


def test_an_http_address_is_an_id_like_any_other_and_known_to_nobody(house: House, there: Stranger) -> None:
    before = len(there.requests)
    assert asks(house, f"http://{there.authority}/agent.json").status == 400
    assert len(there.requests) == before


def test_a_document_is_small_plain_and_where_it_says(house: House, there: Stranger) -> None:
    client_id = publish(there, "/form.json", software_id="x" * CLIENT_DOCUMENT.most_bytes)
    assert is_turned_away(house, asks(house, client_id), "more than 5120 bytes")
    there.says("/form.json", b"", "302 Found", location=publish(there, "/agent.json"))
    assert is_turned_away(house, asks(house, client_id), "answered 302")
    there.says("/form.json", b"{}", content_type="text/html")
    assert is_turned_away(house, asks(house, client_id), "text/html")
    there.says("/form.json", f'{{"client_id":"{client_id}","client_id":"x"}}'.encode())
    assert is_turned_away(house, asks(house, client_id), "stands twice")
    there.says("/form.json", b"[" * 4000)
    assert is_turned_away(house, asks(house, client_id), "no client document")


def test_a_wrong_document_is_not_remembered_and_a_good_one_is(house: House, there: Stranger) -> None:
    client_id = publish(there, "/mended.json", redirect_uris=[])
    assert asks(house, client_id).status == 400
    publish(there, "/mended.json")
    before = len(there.requests)
    assert all(is_welcome(asks(house, client_id)) for _ in range(3))
    assert len(there.requests) == before + 1


def test_a_changed_document_is_noticed_in_time_and_people_are_asked_again(house: House, there: Stranger) -> None:
    web = "https://agent.example/callback"
    client_id = publish(there, "/growing.json", redirect_uris=[web])
    visitor = Visitor(house)
    assert visitor.code(client_id=client_id, redirect_uri=web, scope="openid")
    again = visitor.authorize(client_id=client_id, redirect_uri=web, scope="openid")
    assert "code" in again.sent_back
    publish(there, "/growing.json", redirect_uris=[web, "https://new.example/cb"])
    house.clock.move(301)
    assert 'id="allow"' in visitor.authorize(client_id=client_id, redirect_uri=web, scope="openid").text


def test_while_its_server_is_down_a_client_is_who_it_was_and_when_it_withdraws_it_is_nobody(
    house: House, there: Stranger
) -> None:
    client_id = publish(there, "/outage.json")
    assert is_welcome(asks(house, client_id))
    there.says("/outage.json", b"", "503 Service Unavailable")
    house.clock.move(301)
    assert is_welcome(asks(house, client_id))
    there.says("/outage.json", b"", "410 Gone")
    house.clock.move(301)
    assert is_turned_away(house, asks(house, client_id), "answered 410")
    there.says("/outage.json", b"", "503 Service Unavailable")
    assert is_turned_away(house, asks(house, client_id), "answered 503")
    publish(there, "/outage.json")
    assert is_welcome(asks(house, client_id))
    there.says("/outage.json", b"", "503 Service Unavailable")
    house.clock.move(86_401)
    assert is_turned_away(house, asks(house, client_id), "answered 503")


def assertion(client_id: str, key: ec.EllipticCurvePrivateKey, house: House, **header: Any) -> dict[str, str]:
    now = house.clock()
    claims = {"iss": client_id, "sub": client_id, "aud": ORIGIN, "iat": now, "exp": now + 60, "jti": str(len(JTIS))}
    JTIS.append(claims["jti"])
    parts = (json.dumps(one).encode() for one in ({"alg": "ES256", **header}, claims))
    signing = b".".join(base64url.encode(one) for one in parts)
    r, s = decode_dss_signature(key.sign(signing, ec.ECDSA(SHA256())))
    signed = signing + b"." + base64url.encode(r.to_bytes(32) + s.to_bytes(32))
    return {"client_assertion_type": JWT_BEARER, "client_assertion": signed.decode()}


JTIS: list[object] = []


def keys(there: Stranger, path: str, *keys: ec.EllipticCurvePrivateKey) -> str:
    """A key set at ``path``; its address."""
    documents = [public_document(one.public_key(), f"k-{number}", "ES256") for number, one in enumerate(keys)]
    there.says(path, json.dumps({"keys": documents}).encode(), cache_control="max-age=3600")
    return there.url(path)


def test_a_published_client_with_keys_proves_itself_with_them_and_with_nothing_less(
    house: House, there: Stranger
) -> None:
    where = keys(there, "/jwks", KEY)
    client_id = publish(there, "/keys.json", token_endpoint_auth_method="private_key_jwt", jwks_uri=where)
    code = Visitor(house).code(client_id=client_id, redirect_uri=CALLBACK, scope="openid")
    assert redeem(house, code, client_id).status == 401
    assert redeem(house, code, client_id, **assertion(client_id, OTHER_KEY, house)).status == 401
    given = redeem(house, code, client_id, **assertion(client_id, KEY, house))
    assert given.status == 200, given.text


def test_the_header_of_an_assertion_cannot_bring_its_own_keys(house: House, there: Stranger) -> None:
    where, evil = keys(there, "/jwks", KEY), keys(there, "/evil-jwks", OTHER_KEY)
    client_id = publish(there, "/injected.json", token_endpoint_auth_method="private_key_jwt", jwks_uri=where)
    own = public_document(OTHER_KEY.public_key(), "k-0", "ES256")
    before = len([one for one in there.requests if b"/evil-jwks" in one])
    for header in ({"jku": evil}, {"jwk": own}, {"jku": evil, "kid": "k-0"}, {"x5u": evil}, {"kid": evil}):
        more = assertion(client_id, OTHER_KEY, house, **header)
        assert house.token({"grant_type": "refresh_token", "refresh_token": "x", **more}).status == 401
    assert len([one for one in there.requests if b"/evil-jwks" in one]) == before


def test_a_rotated_key_is_found_before_the_old_set_is_stale_but_not_asked_for_all_the_time(
    house: House, there: Stranger
) -> None:
    where = keys(there, "/turning-jwks", KEY)
    client_id = publish(there, "/turning.json", token_endpoint_auth_method="private_key_jwt", jwks_uri=where)

    def status(key: ec.EllipticCurvePrivateKey) -> int:
        return house.token(
            {"grant_type": "refresh_token", "refresh_token": "x", **assertion(client_id, key, house)}
        ).status

    assert status(KEY) == 400
    keys(there, "/turning-jwks", OTHER_KEY)
    assert status(OTHER_KEY) == 401
    asked = len(there.requests)
    assert status(OTHER_KEY) == 401
    assert len(there.requests) == asked
    house.clock.move(31)
    assert status(OTHER_KEY) == 400


@pytest.mark.parametrize("body", [b"[]", b'{"keys":{}}', b"nothing", b'{"keys":[1,null]}'])
def test_a_key_set_that_is_none_proves_nobody(house: House, there: Stranger, body: bytes) -> None:
    there.says("/odd-jwks", body, cache_control="max-age=60")
    house.clock.move(3600)
    where = there.url("/odd-jwks")
    client_id = publish(there, "/odd.json", token_endpoint_auth_method="private_key_jwt", jwks_uri=where)
    form = {"grant_type": "refresh_token", "refresh_token": "x", **assertion(client_id, KEY, house)}
    answer = house.token(form)
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("registration", "welcome"),
    [
        (Registration(documents="listed", document_hosts=["Client.Example"]), True),
        (Registration(documents="listed", document_hosts=["other.example"]), False),
        (Registration(documents="listed"), False),
        (Registration(documents="off"), False),
    ],
)
def test_the_operator_says_whose_documents_are_read(tmp_path: Path, registration: Registration, welcome: bool) -> None:
    with house_and_stranger(tmp_path, replace(SETTINGS, registration=registration)) as (house, there):
        assert is_welcome(asks(house, publish(there, "/agent.json"))) is welcome
        assert bool(there.requests) is welcome
        found = house.get("/.well-known/openid-configuration").json
        assert found["client_id_metadata_document_supported"] is (registration.documents != "off")


def test_ids_made_here_never_look_like_addresses(house: House) -> None:
    clients = house.run(house.issuer.realm.store.clients())
    assert clients
    assert not any(one.id.startswith("https:") for one in clients)
