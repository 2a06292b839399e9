"""ID tokens signed with the client's secret (HS256), in the one profile that has them, and ID tokens that come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwe, jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet, OctKey

from innkeeper.guard.unverified import read_unverified
from innkeeper.issuer.settings import SeedClient
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import ASKED, ORIGIN, Answer, House, posted
from tests.issuer.signing import LONG_SECRET, SCOPES, settings_for, with_mac
from tests.issuer.visitor import Visitor

BACK = "https://post.example/back"
BYE = "https://post.example/bye"
POST = SeedClient(
    id="post",
    name="The post",
    secret=LONG_SECRET,
    redirect_uris=[BACK],
    post_logout_redirect_uris=[BYE],
    scopes=SCOPES,
    metadata={"id_token_signed_response_alg": "HS256"},
)
MINE = {"client_id": "post", "client_secret": LONG_SECRET}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("secret"), settings_for("oidc-certification", POST))
    yield made
    made.close()


def query(**changes: str) -> str:
    plain = {name: value for name, value in ASKED.items() if not name.startswith("code_")}
    return f"/authorize?{urlencode({**plain, 'client_id': 'post', 'redirect_uri': BACK, **changes})}"


def signed_in(house: House, visitor: Visitor, **changes: str) -> Answer:
    code = visitor.through(visitor.get(query(**changes))).sent_back["code"]
    return house.token({"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **MINE})


def test_an_id_token_is_signed_with_the_secret(house: House) -> None:
    token = signed_in(house, Visitor(house)).json["id_token"]
    claims = jwt.decode(token, OctKey.import_key(LONG_SECRET), algorithms=["HS256"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ORIGIN, "post", "ada-1")
    assert "kid" not in read_unverified(token).header
    with pytest.raises(BadSignatureError):
        jwt.decode(token, OctKey.import_key("another-secret-of-at-least-32-bytes"), algorithms=["HS256"])


def test_it_comes_back_as_a_hint(house: House) -> None:
    visitor = Visitor(house)
    hint = signed_in(house, visitor).json["id_token"]
    assert "code" in visitor.get(query(prompt="none", id_token_hint=hint)).sent_back
    assert Visitor(house).get(query(prompt="none", id_token_hint=hint)).sent_back["error"] == "login_required"
    left = visitor.get(f"/logout?{urlencode({'id_token_hint': hint, 'post_logout_redirect_uri': BYE})}")
    assert left.location == BYE


@pytest.mark.parametrize("secret", [b"another-secret-of-at-least-32-bytes", b"", b"short"])
def test_a_hint_with_another_secret_is_none_of_ours(house: House, secret: bytes) -> None:
    claims = {"iss": ORIGIN, "aud": "post", "sub": "ada-1", "sid": "x", "exp": house.clock() + 60}
    forged = with_mac(claims, secret)
    visitor = Visitor(house)
    signed_in(house, visitor)
    assert visitor.get(query(prompt="none", id_token_hint=forged)).sent_back["error"] == "login_required"
    assert visitor.get(f"/logout?{urlencode({'id_token_hint': forged})}").status == 400


def test_a_published_key_is_no_secret(house: House) -> None:
    """Algorithm confusion: the bytes of a key that everybody can read sign nothing."""
    keys = house.get("/jwks").json["keys"]
    visitor = Visitor(house)
    signed_in(house, visitor)
    for key in keys:
        for secret in (json.dumps(key).encode(), key.get("n", key.get("x", "")).encode()):
            forged = with_mac({"iss": ORIGIN, "aud": "post", "sub": "ada-1"}, secret)
            assert visitor.get(query(prompt="none", id_token_hint=forged)).sent_back["error"] == "login_required"


def test_a_hint_may_be_encrypted_to_us(house: House) -> None:
    """A client that got its ID token encrypted may encrypt it again, to a key of ours (OpenID Connect Core §3.1.2.1)."""
    visitor = Visitor(house)
    hint = signed_in(house, visitor).json["id_token"]
    key = next(one for one in house.get("/jwks").json["keys"] if one.get("use") == "enc")
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "cty": "JWT", "kid": key["kid"]}
    packed = jwe.encrypt_compact(header, hint.encode(), ECKey.import_key(key), algorithms=["ECDH-ES", "A128GCM"])
    assert "code" in visitor.get(query(prompt="none", id_token_hint=packed)).sent_back
    broken = packed[:-4] + "AAAA"
    assert visitor.get(query(prompt="none", id_token_hint=broken)).sent_back["error"] == "login_required"


def registering(house: House, **metadata: Any) -> Answer:
    wish = {"redirect_uris": [BACK], "id_token_signed_response_alg": "HS256", **metadata}
    asking = posted("/register", {}, content_type="application/json")
    return house.ask(asking._replace(chunks=(json.dumps(wish).encode(),)))


def test_a_client_registers_for_it_and_needs_a_secret(tmp_path: Path) -> None:
    from msgspec.structs import replace

    settings = settings_for("oidc-certification")
    house = House(tmp_path, replace(settings, registration=replace(settings.registration, mode="open")))
    try:
        assert "HS256" in house.get("/.well-known/openid-configuration").json["id_token_signing_alg_values_supported"]
        made = registering(house).json
        form = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
        visitor = Visitor(house)
        code = visitor.through(visitor.get(query(client_id=made["client_id"], scope="openid"))).sent_back["code"]
        form.update(grant_type="authorization_code", code=code, redirect_uri=BACK)
        basic = {"authorization": basic_of(made["client_id"], made["client_secret"])}
        tokens = house.token({name: value for name, value in form.items() if name != "client_secret"}, **basic).json
        jwt.decode(tokens["id_token"], OctKey.import_key(made["client_secret"]), algorithms=["HS256"])
        refused = registering(house, token_endpoint_auth_method="none")
        assert (refused.status, refused.json["error"]) == (400, "invalid_client_metadata")
    finally:
        house.close()


def basic_of(client_id: str, secret: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_a_client_that_changes_to_it_gets_a_secret_that_signs(tmp_path: Path) -> None:
    from msgspec.structs import replace

    settings = settings_for("oidc-certification")
    house = House(tmp_path, replace(settings, registration=replace(settings.registration, mode="open")))
    try:
        before = registering(house, id_token_signed_response_alg="RS256").json
        path = before["registration_client_uri"].removeprefix(ORIGIN)
        wish = {"client_id": before["client_id"], "redirect_uris": [BACK], "id_token_signed_response_alg": "HS256"}
        head = {"content_type": "application/json", "authorization": f"Bearer {before['registration_access_token']}"}
        changing = posted(path, {}, **head)._replace(method="PUT", chunks=(json.dumps(wish).encode(),))
        after = house.ask(changing).json
        assert after["client_secret"] != before["client_secret"]
        kept = house.run(house.issuer.realm.store.client(before["client_id"]))
        assert kept is not None
        assert kept.secrets[0].sealed
    finally:
        house.close()


def test_no_other_profile_has_it(tmp_path: Path) -> None:
    house = House(tmp_path, settings_for("oauth21", POST))
    try:
        assert (
            "HS256" not in house.get("/.well-known/openid-configuration").json["id_token_signing_alg_values_supported"]
        )
        visitor = Visitor(house)
        token = signed_in(house, visitor).json["id_token"]
        keys = KeySet.import_key_set(house.get("/jwks").json)
        assert jwt.decode(token, keys, algorithms=["ES256", "RS256"]).claims["aud"] == "post"
        forged = with_mac({"iss": ORIGIN, "aud": "post", "sub": "ada-1"}, LONG_SECRET.encode())
        assert visitor.get(query(prompt="none", id_token_hint=forged)).sent_back["error"] == "login_required"
    finally:
        house.close()


def test_a_secret_that_is_too_short_or_missing_is_told_of_at_once(tmp_path: Path) -> None:
    for seed in (
        SeedClient(id="p", name="P", secret="short", metadata=POST.metadata),
        SeedClient(id="p", name="P", metadata=POST.metadata),
    ):
        with pytest.raises(UsageError, match="secret"):
            House(tmp_path / seed.secret, settings_for("oidc-certification", seed))
