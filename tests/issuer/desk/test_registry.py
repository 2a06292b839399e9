"""Who is known here: what an operator may register, and what each mistake is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from argon2 import PasswordHasher, extract_parameters
from msgspec.structs import replace

from innkeeper.issuer.core.admin.plan import Plan
from innkeeper.issuer.core.records import Client
from innkeeper.issuer.desk import passwords, registry
from innkeeper.issuer.desk.admin.acting import carry_out
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.desk.admin.entering import operator
from innkeeper.issuer.desk.admin.house import House as Premises
from innkeeper.issuer.desk.admin.taking import values_of
from innkeeper.issuer.desk.registry import NewClient
from innkeeper.issuer.store.port import Store
from innkeeper.protocol.refusals import Refusal, UsageError
from tests.issuer.house import HOTEL, PASSWORD, SETTINGS, SPA, House

GOOD = {"name": "The app", "redirect_uris": ("https://app.example/cb",)}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        made = House(tmp_path_factory.mktemp("house"))
        yield made
        made.close()


def added(house: House, **new: Any) -> tuple[Client, str | None]:
    return house.run(registry.add_client(house.issuer.realm, NewClient(**{**GOOD, **new})))


def test_a_client_gets_a_secret_that_is_told_once_and_kept_as_a_hash(house: House) -> None:
    client, secret = added(house)
    assert secret is not None
    assert len(secret) >= 43
    stored = house.run(house.issuer.realm.store.client(client.id))
    assert stored == client
    assert secret not in str(stored)
    assert (client.public, client.native) == (False, False)
    assert client.grants == {"authorization_code", "refresh_token"}
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": client.id, "client_secret": secret}
    assert house.token(form).json["error"] == "invalid_grant", "its secret opens"


def test_a_public_client_gets_none_and_may_use_any_loopback_port(house: House) -> None:
    client, secret = added(house, public=True, redirect_uris=("http://127.0.0.1/cb",))
    assert secret is None
    assert client.public
    assert client.native
    assert client.auth_methods == {"none"}


def test_a_client_without_a_redirect_speaks_for_itself(house: House) -> None:
    client, _ = added(house, redirect_uris=())
    assert client.grants == {"client_credentials"}


def test_a_client_has_the_scopes_and_resources_it_was_given(house: House) -> None:
    client, _ = added(house, scopes=("gym:enter",), resources=(HOTEL,))
    assert client.scopes == {"gym:enter"}
    assert client.resources == (HOTEL,)


NOT_REGISTERED: dict[str, tuple[dict[str, Any], str]] = {
    "a redirect far away without TLS": ({"redirect_uris": ("http://app.example/cb",)}, "cannot be registered"),
    "a redirect that is a script": ({"redirect_uris": ("javascript:alert(1)",)}, "cannot be registered"),
    "a way back with a fragment": ({"post_logout_redirect_uris": ("https://app.example/#x",)}, "cannot be registered"),
    "a grant nobody knows": ({"grants": ("password",)}, "no grant 'password'"),
    "codes without a redirect": ({"grants": ("authorization_code",), "redirect_uris": ()}, "--redirect-uri"),
    "a public client without a redirect": ({"public": True, "redirect_uris": ()}, "--redirect-uri"),
    "credentials of a public client": ({"public": True, "grants": ("client_credentials",)}, "no secret"),
    "a scope nobody knows": ({"scopes": ("room:paint",)}, "no scope 'room:paint'"),
    "a resource nobody knows": ({"resources": ("https://evil.example/",)}, "no resource 'https://evil.example/'"),
    "an id that is taken": ({"id": "shop"}, "'shop' is registered already"),
}


@pytest.mark.parametrize(("new", "complaint"), NOT_REGISTERED.values(), ids=NOT_REGISTERED.keys())
def test_a_client_is_not_registered_with(house: House, new: dict[str, Any], complaint: str) -> None:
    before = house.run(house.issuer.realm.store.clients())
    with pytest.raises(UsageError) as refused:
        added(house, **new)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)
    assert house.run(house.issuer.realm.store.clients()) == before


def test_a_secret_is_changed_with_an_overlap_and_old_ones_are_dropped(house: House) -> None:
    realm = house.issuer.realm
    client, first = added(house, redirect_uris=())
    second = house.run(registry.rotate_secret(realm, client.id, 60))
    third = house.run(registry.rotate_secret(realm, client.id, 10))
    realm.forget_client(client.id)

    def opens(secret: str | None) -> bool:
        form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": str(secret)}
        return house.token(form).status == 200

    assert [opens(one) for one in (first, second, third)] == [True, True, True]
    house.clock.move(10)
    assert [opens(one) for one in (first, second, third)] == [False, False, True], "an overlap is never lengthened"
    house.run(registry.rotate_secret(realm, client.id, 0))
    stored = house.run(realm.store.client(client.id))
    assert stored is not None
    assert len(stored.secrets) <= 2


def test_only_a_client_with_a_secret_gets_another(house: House) -> None:
    with pytest.raises(UsageError, match="'nobody'"):
        house.run(registry.rotate_secret(house.issuer.realm, "nobody", 60))
    with pytest.raises(UsageError, match="public"):
        house.run(registry.rotate_secret(house.issuer.realm, "app", 60))


def administer(house: House, action: str, key: str = "", **values: object) -> Plan:
    """What the operator of the machine changes. Raises ``UsageError`` for what cannot be."""
    realm, one = house.issuer.realm, ACTIONS[action]
    at = Premises(realm, cast("Store", None), lambda: (realm,))
    said = house.run(carry_out(at, operator("the test"), one, key, values_of(one.takes, values), "*"))
    if isinstance(said, Refusal):
        raise UsageError(said.reason)
    return said


def test_a_person_is_added_once_under_a_name_in_any_case(house: House) -> None:
    made = administer(house, "person.add", username="Eve@Example.org", password=PASSWORD, claims={"name": "Eve"})
    assert made.key != "Eve@Example.org"
    assert PASSWORD not in str(made)
    with pytest.raises(UsageError, match="here already"):
        administer(house, "person.add", username="eve@example.ORG", password=PASSWORD)


@pytest.mark.parametrize("password", ["", "1234567"])
def test_a_short_password_is_refused(house: House, password: str) -> None:
    with pytest.raises(UsageError, match="8 characters"):
        administer(house, "person.add", username="short", password=password)
    with pytest.raises(UsageError, match="8 characters"):
        administer(house, "person.password", "bob-2", password=password)


def test_a_new_password_opens_and_the_old_one_does_not(house: House) -> None:
    realm = house.issuer.realm
    administer(house, "person.password", "bob-2", password="a new password")
    bob = house.run(realm.store.person_named("bob@example.org"))
    assert bob is not None
    assert house.run(passwords.matches(bob.password, "a new password")) is True
    assert house.run(passwords.matches(bob.password, PASSWORD)) is False
    assert bob.development is False
    with pytest.raises(UsageError, match="nobody has the id"):
        administer(house, "person.password", "nobody", password=PASSWORD)


def test_what_the_settings_plant_is_known_as_such(house: House) -> None:
    known = house.run(registry.development_records(house.issuer.realm.store))
    assert {"client shop", "client robot", "person ada@example.org"} <= set(known)
    assert not {"client app", "person bob@example.org"} & set(known), "no secret, or one of their own"


def test_settings_are_planted_once_and_again_when_they_change(tmp_path: Path) -> None:
    first = House(tmp_path)
    store = first.issuer.realm.store
    shop = first.run(store.client("shop"))
    assert shop is not None
    first.run(store.put_client(replace(shop, name="Renamed by hand")))
    first.close()
    same = House(tmp_path)
    kept = same.run(same.issuer.realm.store.client("shop"))
    assert kept is not None
    assert kept.name == "Renamed by hand"
    same.close()
    changed = House(tmp_path, replace(SETTINGS, resource=SETTINGS.resource[:1]))
    replanted = changed.run(changed.issuer.realm.store.client("shop"))
    assert replanted is not None
    assert replanted.name == "The shop"
    assert SPA not in changed.issuer.realm.policy.resources, "what is planted no more is gone"
    changed.close()


@pytest.mark.parametrize(
    ("client", "complaint"),
    [
        ({"redirect_uris": ["http://shop.example/cb"]}, "cannot be registered"),
        ({"redirect_uris": ["https://shöp.example/cb"]}, "ASCII"),
        ({"grants": ("password",)}, "no grant 'password'"),
    ],
)
def test_settings_plant_nothing_that_could_not_be_registered(
    tmp_path: Path, client: dict[str, Any], complaint: str
) -> None:
    wrong = replace(SETTINGS, client=[replace(SETTINGS.client[0], **client)])
    with pytest.raises(UsageError, match=complaint):
        House(tmp_path, wrong)


# Passwords


def test_passwords_are_hashed_as_rfc_9106_advises() -> None:
    stored = PasswordHasher().hash(PASSWORD)
    assert stored.startswith("$argon2id$")
    parameters = extract_parameters(stored)
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (65_536, 3, 4)
    assert isinstance(passwords._hasher, PasswordHasher)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"])
def test_an_account_without_a_password_is_opened_by_none(
    house: House, stored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_of_nobody", lambda: passwords.hash_password("known to a reader of the source"))
    for password in ("", "known to a reader of the source", "a password that is nobody's", PASSWORD):
        assert house.run(passwords.matches(stored, password)) is False


def test_nobody_takes_as_much_work_as_somebody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str] = []
    whole = passwords._hasher.verify

    class Counting:
        def hash(self, password: str) -> str:
            return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)

        def verify(self, stored: str, password: str) -> bool:
            worked.append(stored)
            return whole(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    house.run(passwords.matches(None, "x"))
    assert len(worked) == 1
    assert worked[0].startswith("$argon2id$")


def test_people_of_the_settings_who_share_a_password_share_its_hash_and_others_do_not() -> None:
    """Whoever opens an empty house waits for each hash; these passwords are known to everybody who has the settings."""
    assert passwords.hash_seed("the same") == passwords.hash_seed("the same") != passwords.hash_seed("another")
    assert passwords.hash_password("the same") != passwords.hash_password("the same")
