"""Passkeys: who gets in by one, and every way in which an answer is not good enough."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.desk.registry import disable_person, reset_factors
from innkeeper.protocol import base64url
from tests.issuer.house import SETTINGS, Answer, Clock, House, posted
from tests.issuer.http.authenticator import BE, BS, ORIGIN, UP, UV, Device
from tests.issuer.http.people import ADA, BOB, at_account, half_way, hidden, is_signed_in, set_up, words
from tests.issuer.visitor import Visitor, redeem

SESSION = "innkeeper-native"
PASSKEY = "urn:innkeeper:acr:passkey"


class LocalVisitor(Visitor):
    """A browser that knows the house as ``localhost``."""

    def post(self, path: str, form: Any, **headers: str) -> Answer:
        return super().post(path, form, **{"origin": ORIGIN, **headers})


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("localhost")
    LocalHouse(folder).close()
    return folder


class LocalHouse(House):
    def __init__(self, folder: Path) -> None:
        server = replace(SETTINGS.server, public_url=ORIGIN)
        super().__init__(folder, replace(SETTINGS, server=server), clock=Clock())


@pytest.fixture
def house(template: Path, tmp_path: Path) -> Iterator[House]:
    made = LocalHouse(Path(shutil.copytree(template, tmp_path / "house")))
    yield made
    made.close()


@pytest.fixture
def visitor(house: House) -> Visitor:
    return LocalVisitor(house)


def options_on(page: Answer) -> dict[str, Any]:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found, words(page)
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def register(visitor: Visitor, username: str = ADA, device: Device | None = None, **changes: Any) -> Device:
    """A new passkey of a person."""
    device = device or Device()
    page = at_account(visitor, "/account/passkeys", username)
    answer = visitor.submit(page, passkey=device.create(options_on(page), **changes), name="My  key ")
    assert "The passkey is registered" in words(answer), words(answer)
    return device


def at_door(visitor: Visitor, **changes: str) -> Answer:
    return visitor.authorize(prompt="login", **changes)


def present(visitor: Visitor, device: Device, **changes: Any) -> Answer:
    """Answer a fresh sign-in page."""
    page = at_door(visitor)
    return visitor.submit(page, passkey=device.get(options_on(page), **changes))


@pytest.fixture
def device(house: House) -> Device:
    """Ada's passkey, registered in a browser that is not used here."""
    return register(LocalVisitor(house))


def claims(house: House, page: Answer, visitor: Visitor) -> dict[str, Any]:
    token = redeem(house, visitor.through(page).sent_back["code"]).json["id_token"]
    said: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return said


def test_a_passkey_signs_in_without_a_name_or_a_password(house: House, visitor: Visitor, device: Device) -> None:
    said = claims(house, present(visitor, device), visitor)
    assert (said["sub"], said["acr"], said["amr"]) == ("ada-1", PASSKEY, ["hwk", "user", "mfa"])
    page = words(visitor.get("/account/passkeys"))
    assert "My key Since 15 Jan 2027, 08:00 UTC. Last used 15 Jan 2027, 08:00 UTC." in page


def test_a_passkey_that_devices_share_is_not_called_hardware(house: House, visitor: Visitor) -> None:
    shared = register(LocalVisitor(house), device=Device(flags=UP | UV | BE | BS))
    assert claims(house, present(visitor, shared), visitor)["amr"] == ["swk", "user", "mfa"]


def test_the_page_asks_for_what_the_specification_wants(visitor: Visitor) -> None:
    options = options_on(at_door(visitor))
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    assert len(base64url.decode(options["challenge"])) >= 16
    made = options_on(at_account(visitor, "/account/passkeys"))
    assert made["rp"] == {"id": "localhost", "name": "The test inn"}
    assert made["attestation"] == "none"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert -7 in [one["alg"] for one in made["pubKeyCredParams"]]
    assert b"ada-1" not in base64url.decode(made["user"]["id"])


def test_a_registered_passkey_is_not_registered_twice(visitor: Visitor) -> None:
    device = register(visitor)
    page = visitor.get("/account/passkeys")
    assert options_on(page)["excludeCredentials"] == [{"type": "public-key", "id": base64url.encode_text(device.id)}]
    again = visitor.submit(page, passkey=device.create(options_on(page)), name="again")
    assert (again.status, "could not be registered" in words(again)) == (400, True)


def test_only_the_pages_with_passkeys_run_a_script_and_only_ours(visitor: Visitor) -> None:
    for page in (at_door(visitor), at_account(visitor, "/account/passkeys")):
        assert "script-src 'self'" in (page.header("content-security-policy") or "")
        assert len(re.findall(r"<script[^>]*src=\"/static/passkey\.js", page.text)) == 1
    for path in ("/account", "/account/password", "/account/codes"):
        assert "script-src" not in (visitor.get(path).header("content-security-policy") or "")


def test_discovery_lists_the_class(house: House) -> None:
    listed = house.get("/.well-known/openid-configuration").json["acr_values_supported"]
    assert listed == ["urn:innkeeper:acr:password", "urn:innkeeper:acr:mfa", PASSKEY]


def test_a_client_that_wants_a_passkey_gets_one_and_mfa_is_met_by_it(house: House, visitor: Visitor) -> None:
    device = register(visitor)
    page = visitor.authorize(acr_values=PASSKEY)
    assert 'id="sign-in"' in page.text, "signed in by password, which is not enough"
    page = visitor.submit(page, passkey=device.get(options_on(page)))
    assert claims(house, page, visitor)["acr"] == PASSKEY
    assert claims(house, visitor.authorize(acr_values="urn:innkeeper:acr:mfa"), visitor)["acr"].endswith(":mfa")


# Sign-in: attacks

CHANGED: dict[str, dict[str, Any]] = {
    "another origin": {"said": {"origin": "https://evil.example"}},
    "another port": {"said": {"origin": "http://localhost:8401"}},
    "another scheme": {"said": {"origin": "https://localhost:8400"}},
    "an origin that begins like ours": {"said": {"origin": f"{ORIGIN}.evil.example"}},
    "a frame of another site": {"said": {"crossOrigin": True}},
    "a registration's answer": {"said": {"type": "webauthn.create"}},
    "a challenge of its own": {"said": {"challenge": base64url.encode_text(b"x" * 38)}},
    "an empty challenge": {"said": {"challenge": ""}},
    "a challenge that is none": {"said": {"challenge": 7}},
    "another site": {"rp_id": "evil.example"},
    "nobody present": {"flags": UV},
    "nobody verified": {"flags": UP},
    "a signature over something else": {"signed": b"something else"},
    "an unknown passkey": {"id": b"unknown"},
    "another person's handle": {"handle": base64url.encode_text(b"somebody else")},
    "no handle": {"handle": ""},
}


@pytest.mark.parametrize("changes", CHANGED.values(), ids=CHANGED.keys())
def test_nobody_gets_in_with(visitor: Visitor, device: Device, changes: dict[str, Any]) -> None:
    assert present(visitor, device, **changes).status == 401
    assert SESSION not in visitor.cookies
    present(visitor, device)
    assert is_signed_in(visitor)


def test_an_answer_is_good_for_once(house: House, visitor: Visitor, device: Device) -> None:
    page = at_door(visitor)
    answer = device.get(options_on(page))
    visitor.submit(page, passkey=answer)
    assert is_signed_in(visitor)
    visitor.cookies.pop(SESSION)
    again = visitor.submit(page, passkey=answer)
    assert (again.status, "open for too long" in words(again)) == (401, True)
    assert SESSION not in visitor.cookies


def test_an_answer_sent_many_times_at_once_opens_one_session(house: House, visitor: Visitor, device: Device) -> None:
    page = at_door(visitor)
    fields = {**hidden(page), "passkey": device.get(options_on(page))}
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    answers = house.ask_all(posted("/sign-in", fields, origin=ORIGIN, cookie=cookie) for _ in range(4))
    assert sorted(one.status for one in answers) == [303, 401, 401, 401]


def test_an_answer_is_good_in_the_browser_that_asked_alone(house: House, visitor: Visitor, device: Device) -> None:
    thief = LocalVisitor(house)
    answer = device.get(options_on(at_door(visitor)))
    assert thief.submit(at_door(thief), passkey=answer).status == 401
    assert SESSION not in thief.cookies


def test_an_answer_is_good_for_ten_minutes(house: House, visitor: Visitor, device: Device) -> None:
    page = at_door(visitor)
    answer = device.get(options_on(page))
    house.clock.move(600)
    assert visitor.submit(page, passkey=answer).status == 401


def test_a_registration_challenge_does_not_sign_in(visitor: Visitor) -> None:
    device = register(visitor)
    made = options_on(visitor.get("/account/passkeys"))
    assert visitor.submit(at_door(visitor), passkey=device.get(made)).status == 401


def test_a_challenge_of_another_issuer_is_none_of_ours(tmp_path: Path, visitor: Visitor, device: Device) -> None:
    other = LocalHouse(tmp_path / "other")
    try:
        foreign = options_on(at_door(LocalVisitor(other)))
        assert visitor.submit(at_door(visitor), passkey=device.get(foreign)).status == 401
    finally:
        other.close()


def test_a_device_whose_count_goes_back_was_copied(house: House, visitor: Visitor) -> None:
    device = register(LocalVisitor(house), device=Device(count=5))
    present(visitor, device)
    assert is_signed_in(visitor)
    for count in (6, 5, 0):
        copy = LocalVisitor(house)
        answer = present(copy, device, count=count)
        assert "cannot be used any more" in words(answer)
        assert SESSION not in copy.cookies
    present(visitor, device, count=100)
    assert is_signed_in(visitor)


def test_bobs_passkey_is_bobs_whatever_name_is_typed(house: House, visitor: Visitor, device: Device) -> None:
    bobs = register(LocalVisitor(house), BOB)
    page = at_door(visitor)
    visitor.submit(page, passkey=bobs.get(options_on(page)), username=ADA)
    assert BOB in words(visitor.get("/account"))
    other = LocalVisitor(house)
    assert present(other, bobs, handle=device.handle).status == 401
    assert present(other, bobs, id=device.id).status == 401


def test_a_removed_passkey_opens_nothing(house: House, visitor: Visitor) -> None:
    device = register(visitor)
    page = visitor.get("/account/passkeys")
    assert "The passkey is removed" in words(visitor.submit(page, remove=base64url.encode_text(device.id)))
    assert present(LocalVisitor(house), device).status == 401


def test_nobody_removes_anothers_passkey(house: House, visitor: Visitor, device: Device) -> None:
    bob = LocalVisitor(house)
    page = at_account(bob, "/account/passkeys", BOB)
    bob.submit(page, remove=base64url.encode_text(device.id))
    present(visitor, device)
    assert is_signed_in(visitor)


def test_a_shut_account_and_reset_factors_shut_passkeys_out(house: House, device: Device) -> None:
    house.run(disable_person(house.issuer.realm, ADA))
    assert present(LocalVisitor(house), device).status == 401
    bobs = register(LocalVisitor(house), BOB)
    house.run(reset_factors(house.issuer.realm, BOB))
    assert present(LocalVisitor(house), bobs).status == 401


def test_a_passkey_is_not_held_up_by_those_who_guess_the_password(
    house: House, visitor: Visitor, device: Device
) -> None:
    guesser = LocalVisitor(house)
    assert [guesser.sign_in(at_door(guesser), ADA, "x").status for _ in range(6)][-1] == 429
    present(visitor, device)
    assert is_signed_in(visitor)


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}], ids=["origin", "site"]
)
def test_a_foreign_form_counts_for_nothing(visitor: Visitor, device: Device, headers: dict[str, str]) -> None:
    page = at_door(visitor)
    fields = {**hidden(page), "passkey": device.get(options_on(page))}
    assert visitor.post("/sign-in", fields, **headers).status == 403
    assert SESSION not in visitor.cookies


def test_a_passkey_does_instead_of_a_code(house: House, visitor: Visitor, device: Device) -> None:
    set_up(LocalVisitor(house))
    page = half_way(visitor)
    found = re.search(r'id="use-passkey" href="([^"]*)"', page.text)
    assert found
    page = visitor.get(html.unescape(found[1]))
    visitor.submit(page, passkey=device.get(options_on(page)))
    assert is_signed_in(visitor)


# What a registration is refused for

UNFIT = {
    name: changes
    for name, changes in CHANGED.items()
    if name not in ("a signature over something else", "an unknown passkey", "another person's handle", "no handle")
} | {"a registration's answer": {"said": {"type": "webauthn.get"}}}


@pytest.mark.parametrize("changes", UNFIT.values(), ids=UNFIT.keys())
def test_no_passkey_is_registered_by(house: House, visitor: Visitor, changes: dict[str, Any]) -> None:
    page = at_account(visitor, "/account/passkeys")
    answer = visitor.submit(page, passkey=Device().create(options_on(page), **changes), name="x")
    assert answer.status in (400, 401)
    assert house.run(house.issuer.realm.store.credentials("ada-1", "passkey")) == []


def test_a_registration_is_good_for_once_and_in_its_session(house: House, visitor: Visitor) -> None:
    page, device = at_account(visitor, "/account/passkeys"), Device()
    answer = device.create(options_on(page))
    bob = LocalVisitor(house)
    assert bob.submit(at_account(bob, "/account/passkeys", BOB), passkey=answer, name="x").status == 401
    visitor.submit(page, passkey=answer, name="x")
    visitor.submit(page, remove=base64url.encode_text(device.id))
    assert visitor.submit(page, passkey=answer, name="x").status == 401


def test_nobody_takes_over_the_id_of_anothers_passkey(house: House, visitor: Visitor, device: Device) -> None:
    bob, same = LocalVisitor(house), Device()
    same.id = device.id
    page = at_account(bob, "/account/passkeys", BOB)
    assert bob.submit(page, passkey=same.create(options_on(page)), name="x").status == 400
    present(visitor, device)
    assert is_signed_in(visitor)


def test_nobody_has_more_than_twenty(visitor: Visitor) -> None:
    for _ in range(20):
        register(visitor)
    page = visitor.get("/account/passkeys")
    assert visitor.submit(page, passkey=Device().create(options_on(page)), name="x").status == 400


def test_a_name_is_shown_as_text_and_cut_short(visitor: Visitor) -> None:
    page = at_account(visitor, "/account/passkeys")
    shown = visitor.submit(page, passkey=Device().create(options_on(page)), name="<script>" + "x" * 500)
    assert "&lt;script&gt;" + "x" * 56 + "<" in shown.text


# Answers that no device gives

NONSENSE = [
    "x",
    "{}",
    "[]",
    "null",
    '{"response": {}}',
    '{"response": {"clientDataJSON": 7}}',
    '{"id": [], "response": {"clientDataJSON": "e30"}}',
    '{"id": "eA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiAiIn0"}}',
    '{"response": {"clientDataJSON": "bnVsbA"}}',
    "[" * 8000,
    "9" * 20_000,
    '{"id": "a", "id": "b"}',
]


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_refused_and_no_server_error(visitor: Visitor, text: str) -> None:
    assert visitor.submit(at_door(visitor), passkey=text).status == 401
    page = at_account(visitor, "/account/passkeys")
    assert visitor.submit(page, passkey=text, name="x").status == 401


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    part=st.sampled_from(["authenticatorData", "signature", "clientDataJSON", "userHandle"]),
    how=st.sampled_from(["flip", "cut", "grow"]),
    where=st.integers(0, 1000),
    bit=st.integers(0, 7),
)
def test_answers_with_a_few_bytes_changed_are_refused_and_no_server_error(
    visitor: Visitor, device: Device, part: str, how: str, where: int, bit: int
) -> None:
    page = at_door(visitor)
    answer = json.loads(device.get(options_on(page)))
    raw = bytearray(base64url.decode(answer["response"][part]))
    at = where % len(raw)
    if how == "flip":
        raw[at] ^= 1 << bit
    raw = raw[:at] if how == "cut" else raw + bytes(at + 1) if how == "grow" else raw
    answer["response"][part] = base64url.encode_text(bytes(raw))
    assert visitor.submit(page, passkey=json.dumps(answer)).status == 401
    assert SESSION not in visitor.cookies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300))
def test_attestations_that_are_junk_are_refused_and_no_server_error(visitor: Visitor, junk: bytes) -> None:
    page = at_account(visitor, "/account/passkeys")
    answer = json.loads(Device().create(options_on(page)))
    answer["response"]["attestationObject"] = base64url.encode_text(junk)
    assert visitor.submit(page, passkey=json.dumps(answer), name="x").status == 400


def test_showing_a_page_writes_nothing(house: House, tmp_path: Path) -> None:
    sizes = {path: path.stat().st_size for path in tmp_path.rglob("innkeeper.db*")}
    for _ in range(5):
        LocalVisitor(house).authorize()
    assert {path: path.stat().st_size for path in tmp_path.rglob("innkeeper.db*")} == sizes


def test_the_library_is_not_loaded_until_a_passkey_comes() -> None:
    """It takes 25 MB and a quarter of a second."""
    program = "import innkeeper.issuer.app, sys; print('webauthn' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
