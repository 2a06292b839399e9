"""What every engine must do, whichever it is: the shared suite behind ``issuer.store.port``.

A subclass gives ``open_store``: each call opens the same memory once more, as another process would.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core import effects as fx
from innkeeper.issuer.core.records import PAUSED, Agent, Code, Person, RefreshToken, Resource
from innkeeper.issuer.desk.agents import OWNED, note_owner
from innkeeper.issuer.store.port import CLIENT_KEPT, GRANT_SLACK, Credential, RealmStore, Standing, Store
from innkeeper.keys.stored import StoredKey
from innkeeper.protocol.refusals import UsageError
from tests.issuer.core.facts import ADA, APP, CODE, CONSENT, GRANT, NOW, REFRESH, SESSION, SHOP, digest

Result = TypeVar("Result")
Open = Callable[[], Store]

EACH_ENGINE_IN_TURN = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]

_names = itertools.count(1)


def run(work: Awaitable[Result]) -> Result:
    """Wait for something, in this thread's own event loop: connections belong to the loop that they were made in."""

    async def wait() -> Result:
        return await work

    runner: asyncio.Runner | None = getattr(_own, "runner", None)
    if runner is None:
        runner = _own.runner = asyncio.Runner()
    return runner.run(wait())


_own = threading.local()


def done_with_thread() -> None:
    """Close this thread's event loop."""
    runner = _own.__dict__.pop("runner", None)
    if runner is not None:
        runner.close()


async def outcomes(work: Iterable[Awaitable[object]]) -> list[type]:
    """What came of everything done at once: the type of the exception, or of None."""
    return [type(one) for one in await asyncio.gather(*work, return_exceptions=True)]


def code(name: str = "code") -> Code:
    """A code of a grant of its own."""
    return replace(CODE, digest=digest(name), grant=replace(GRANT, id=f"grant of {name}"))


def refresh(name: str, grant_id: str = GRANT.id, expires_at: int = REFRESH.expires_at) -> RefreshToken:
    return RefreshToken(digest=digest(name), grant_id=grant_id, expires_at=expires_at)


KEY = StoredKey(kid="k-1", alg="ES256", sealed=b"\x00\xff", created_at=NOW, active_from=NOW, expires_at=NOW + 9)


_FIRST_AND_SECOND: dict[str, tuple[fx.Effect, fx.Effect]] = {
    fx.CLIENT: (fx.PutClient(replace(SHOP, id="x")), fx.PutClient(replace(SHOP, id="x", name="new"), new=False)),
    fx.PERSON: (fx.PutPerson(replace(ADA, sub="x")), fx.PutPerson(replace(ADA, sub="x", disabled=True), new=False)),
    fx.RESOURCE: (fx.PutResource(Resource("x", "X")), fx.PutResource(Resource("x", "Y"), new=False)),
    fx.KEY: (fx.PutKey("x", b"1"), fx.PutKey("x", b"2")),
}


class StoreSuite:
    """Inherited by the tests of each engine."""

    @pytest.fixture
    def open_store(self) -> Open:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def own_loop(self) -> Iterator[None]:
        yield
        done_with_thread()

    @pytest.fixture
    def realm(self, open_store: Open) -> RealmStore:
        """A realm with nothing in it."""
        return open_store().realm(f"realm {next(_names)}")

    # Records in, records out

    def test_nothing_is_there_at_first(self, realm: RealmStore) -> None:
        assert run(realm.client("shop")) is None
        assert run(realm.person("ada-1")) is None
        assert run(realm.person_named("ada")) is None
        assert run(realm.session(b"x")) is None
        assert run(realm.consent("ada-1", "shop")) is None
        assert run(realm.code(b"x")) is None
        assert run(realm.grant("x")) is None
        assert run(realm.refresh_token(b"x")) is None
        assert run(realm.token_is_revoked("x")) is False
        assert run(realm.standing("x", "x", "x")) == Standing(False, None, None)
        assert run(realm.entry("kind", "x")) is None
        assert run(realm.credential("kind", "x")) is None
        assert run(realm.secret("x")) is None
        assert run(realm.note("x")) == ""
        assert [*run(realm.clients()), *run(realm.people()), *run(realm.resources()), *run(realm.keys())] == []

    def test_clients_are_kept_replaced_and_removed(self, realm: RealmStore) -> None:
        run(realm.put_client(SHOP))
        run(realm.put_client(APP))
        assert (run(realm.client("shop")), run(realm.clients())) == (SHOP, [APP, SHOP])
        renamed = replace(SHOP, name="Läden & Söhne 🗝\0")
        run(realm.put_client(renamed))
        assert run(realm.client("shop")) == renamed
        assert run(realm.remove_client("shop")) is True
        assert run(realm.remove_client("shop")) is False
        assert (run(realm.client("shop")), run(realm.clients())) == (None, [APP])

    def test_an_agent_is_kept_with_its_owner_its_status_and_what_it_did(self, realm: RealmStore) -> None:
        agent = replace(SHOP, id="agent", agent=Agent(owner=ADA.sub, purpose="Books the spa", status=PAUSED, since=NOW))
        run(realm.put_client(agent))
        assert run(realm.client("agent")) == agent
        run(note_owner(realm, "agent", ADA.sub))
        run(note_owner(realm, "agent", ADA.sub))
        assert [one.key.endswith("/agent") for one in run(realm.entries(OWNED, ""))] == [True]
        run(realm.purge(NOW + 10**10, 10))
        assert len(run(realm.entries(OWNED, ""))) == 1, "an owner is not forgotten in three hundred years"

    def test_resources_keep_the_order_they_came_in(self, realm: RealmStore) -> None:
        second, first = Resource("https://z.example", "Z", {"z": "Z"}), Resource("https://a.example", "A")
        run(realm.put_resource(second))
        run(realm.put_resource(first))
        changed = replace(second, name="Zed")
        run(realm.put_resource(changed))
        assert run(realm.resources()) == [changed, first]
        assert run(realm.remove_resource(first.uri)) is True
        assert run(realm.remove_resource(first.uri)) is False
        assert run(realm.resources()) == [changed]

    def test_people_are_found_by_name_in_any_case(self, realm: RealmStore) -> None:
        run(realm.put_person(ADA))
        assert run(realm.person(ADA.sub)) == run(realm.person_named("ADA")) == run(realm.person_named("ada")) == ADA
        assert run(realm.person_named("ad")) is None
        renamed = replace(ADA, username="ada.l", claims={"name": "Ada", "nested": {"a": [1, 2.5, None, True]}})
        run(realm.put_person(renamed))
        assert (run(realm.person_named("ada")), run(realm.person_named("ada.l"))) == (None, renamed)
        assert run(realm.people()) == [renamed]

    @pytest.mark.parametrize("taken", ["ada", "ADA"])
    def test_two_people_cannot_share_a_name(self, realm: RealmStore, taken: str) -> None:
        run(realm.put_person(ADA))
        with pytest.raises(UsageError, match="here already"):
            run(realm.put_person(Person(sub="other", username=taken)))
        assert run(realm.people()) == [ADA]

    def test_a_person_put_by_an_effect_is_new_or_known(self, realm: RealmStore) -> None:
        run(realm.commit((fx.PutPerson(ADA),)))
        for late in (fx.PutPerson(ADA), fx.PutPerson(replace(ADA, sub="other"))):
            with pytest.raises(fx.Lost):
                run(realm.commit((late,)))
        renamed = replace(ADA, username="ada.l")
        run(realm.commit((fx.PutPerson(renamed, new=False),)))
        assert run(realm.people()) == [renamed]
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutPerson(replace(ADA, sub="nobody"), new=False),)))

    def test_a_resource_put_by_an_effect_is_new_or_known(self, realm: RealmStore) -> None:
        first, second = Resource("https://a.example", "A"), Resource("https://b.example", "B")
        run(realm.commit((fx.PutResource(second), fx.PutResource(first))))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutResource(first),)))
        changed = replace(second, name="Bee")
        run(realm.commit((fx.PutResource(changed, new=False),)))
        assert run(realm.resources()) == [changed, first], "in the order they came in"
        run(realm.commit((fx.RemoveResource(first.uri), fx.RemoveResource(first.uri))))
        assert run(realm.resources()) == [changed]
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutResource(first, new=False),)))

    @pytest.mark.parametrize("shelf", fx.SHELVES)
    def test_what_was_changed_meanwhile_is_not_changed_again_unseen(self, realm: RealmStore, shelf: str) -> None:
        put, change = _FIRST_AND_SECOND[shelf]
        run(realm.commit((put,)))
        seen = run(realm.record(shelf, "x"))
        assert seen is not None
        run(realm.commit((fx.Unchanged(shelf, "x", seen), change)))
        now = run(realm.record(shelf, "x"))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.Unchanged(shelf, "x", seen), change)))
        assert run(realm.record(shelf, "x")) == now != seen
        assert run(realm.record(shelf, "y")) is None

    def test_of_two_changes_to_what_both_have_seen_one_is_made(self, open_store: Open, realm: RealmStore) -> None:
        run(realm.commit((fx.PutClient(replace(SHOP, id="x")),)))
        seen = run(realm.record(fx.CLIENT, "x"))
        assert seen is not None
        changes = [
            (fx.Unchanged(fx.CLIENT, "x", seen), fx.PutClient(replace(SHOP, id="x", name=name), new=False))
            for name in "abcdef"
        ]

        async def race() -> list[type]:
            return await outcomes(realm.commit(one) for one in changes)

        assert sorted(one.__name__ for one in run(race())) == ["Lost"] * 5 + ["NoneType"]

    def test_nodes_are_told_of_keys_resources_and_whatever_else_they_keep(
        self, open_store: Open, realm: RealmStore
    ) -> None:
        store = open_store()
        for effect in (fx.PutKey("k", b""), fx.PutResource(Resource("x", "X")), fx.RemoveResource("x"), fx.TellNodes()):
            before = run(store.version())
            run(realm.commit((effect,)))
            assert run(store.version()) > before, effect

    def test_nobody_is_renamed_to_the_name_of_another(self, realm: RealmStore) -> None:
        other = replace(ADA, sub="other", username="bob")
        run(realm.commit((fx.PutPerson(ADA), fx.PutPerson(other))))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutPerson(replace(other, username="ADA"), new=False),)))
        assert run(realm.person("other")) == other

    def test_a_person_removed_takes_sessions_grants_and_credentials_along(self, realm: RealmStore) -> None:
        own = fx.PutCredential(ADA.sub, "passkey", "c-1", b"1")
        session, grant = replace(SESSION, sub=ADA.sub), replace(GRANT, sub=ADA.sub)
        run(realm.commit((fx.PutPerson(ADA), own, fx.AddSession(session), fx.AddGrant(grant))))
        run(realm.commit((fx.RemovePerson(ADA.sub, NOW), fx.RemovePerson(ADA.sub, NOW + 1))))
        assert (run(realm.person(ADA.sub)), run(realm.credentials(ADA.sub, "passkey"))) == (None, [])
        ended, revoked = run(realm.session(session.digest)), run(realm.grant(grant.id))
        assert (ended and ended.ended_at, revoked and revoked.revoked_at) == (NOW, NOW)

    def test_a_session_is_kept_until_it_is_ended(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddSession(SESSION),)))
        assert run(realm.session(SESSION.digest)) == SESSION
        run(realm.commit((fx.EndSession(SESSION.id, NOW),)))
        assert run(realm.session(SESSION.digest)) == replace(SESSION, ended_at=NOW)
        run(realm.commit((fx.EndSession(SESSION.id, NOW + 5),)))
        assert run(realm.session(SESSION.digest)) == replace(SESSION, ended_at=NOW), "the first end stands"

    def test_ending_a_session_revokes_its_own_grants_only(self, realm: RealmStore) -> None:
        grants = {"mine": SESSION.id, "another's": "sid-2", "offline": ""}
        for name, session_id in grants.items():
            run(realm.commit((fx.AddGrant(replace(GRANT, id=name, session_id=session_id)),)))
        run(realm.commit((fx.EndSession(SESSION.id, NOW), fx.EndSession("", NOW))))
        revoked = {name: grant.revoked_at for name in grants if (grant := run(realm.grant(name)))}
        assert revoked == {"mine": NOW, "another's": None, "offline": None}

    def test_consent_is_replaced_by_the_newer(self, realm: RealmStore) -> None:
        newer = replace(CONSENT, scopes=frozenset({"openid"}), given_at=NOW)
        run(realm.commit((fx.GiveConsent(CONSENT), fx.GiveConsent(newer))))
        assert run(realm.consent(CONSENT.sub, CONSENT.client_id)) == newer
        assert run(realm.consent(CONSENT.sub, "another")) is None

    def test_a_code_comes_back_as_it_was_with_when_it_was_spent(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddCode(CODE),)))
        assert run(realm.code(CODE.digest)) == CODE
        run(realm.commit((fx.SpendCode(CODE.digest, NOW),)))
        assert run(realm.code(CODE.digest)) == replace(CODE, spent_at=NOW)

    def test_a_grant_comes_back_with_when_it_was_first_revoked(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddGrant(GRANT), fx.AddGrant(replace(GRANT, sub="nobody else")))))
        assert run(realm.grant(GRANT.id)) == GRANT
        run(realm.commit((fx.RevokeGrant(GRANT.id, NOW),)))
        run(realm.commit((fx.RevokeGrant(GRANT.id, NOW + 9), fx.RevokeGrant("no such grant", NOW))))
        assert run(realm.grant(GRANT.id)) == replace(GRANT, revoked_at=NOW)

    def test_a_persons_sessions_grants_and_consents_are_theirs_alone(self, realm: RealmStore) -> None:
        others = replace(SESSION, sub="bob", id="s-b", digest=digest("b"))
        run(realm.commit((fx.AddSession(SESSION), fx.AddSession(others), fx.AddGrant(GRANT), fx.GiveConsent(CONSENT))))
        run(realm.commit((fx.AddGrant(replace(GRANT, id="g-b", sub="bob")), fx.RevokeGrant(GRANT.id, NOW))))
        run(realm.commit((fx.EndSession("s-b", NOW),)))
        assert run(realm.sessions(SESSION.sub)) == [SESSION]
        assert run(realm.sessions("bob")) == [replace(others, ended_at=NOW)]
        assert run(realm.grants(GRANT.sub)) == [replace(GRANT, revoked_at=NOW)]
        assert [one.id for one in run(realm.grants("bob"))] == ["g-b"]
        assert run(realm.consents(CONSENT.sub)) == [CONSENT]
        assert run(realm.consents("bob")) == []

    def test_a_changed_session_is_found_by_its_new_cookie_alone_until_it_is_over(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddSession(SESSION),)))
        changed = replace(SESSION, digest=digest("new"), acr="surer", expires_at=SESSION.expires_at + 9)
        run(realm.commit((fx.ChangeSession(changed),)))
        assert run(realm.session(digest("new"))) == changed
        assert run(realm.session(SESSION.digest)) is None
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.ChangeSession(replace(changed, sub="bob")),)))
        run(realm.commit((fx.EndSession(SESSION.id, NOW),)))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.ChangeSession(SESSION),)))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.ChangeSession(replace(SESSION, id="no such session")),)))

    def test_what_is_taken_back_ends_with_all_that_it_led_to_and_nothing_else(self, realm: RealmStore) -> None:
        other_client, other_person = replace(GRANT, id="g-c", client_id="app"), replace(GRANT, id="g-p", sub="bob")
        run(realm.commit([fx.AddGrant(one) for one in (GRANT, other_client, other_person)]))
        run(realm.commit((fx.GiveConsent(CONSENT), fx.GiveConsent(replace(CONSENT, client_id="app")))))
        run(realm.commit((fx.TakeBackConsent(CONSENT.sub, CONSENT.client_id, NOW),)))
        run(realm.commit((fx.TakeBackConsent(CONSENT.sub, CONSENT.client_id, NOW + 9),)))
        assert [one.client_id for one in run(realm.consents(CONSENT.sub))] == ["app"]
        ends = [getattr(run(realm.grant(one)), "revoked_at", 0) for one in (GRANT.id, "g-c", "g-p")]
        assert ends == [NOW, None, None]

    def test_a_credential_is_put_only_over_ones_own_and_over_what_was_read(self, realm: RealmStore) -> None:
        run(realm.commit((fx.PutCredential("ada-1", "passkey", "c-1", b"1"),)))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutCredential("bob", "passkey", "c-1", b"2"),)))
        run(realm.commit((fx.PutCredential("ada-1", "passkey", "c-1", b"2", b"1"),)))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutCredential("ada-1", "passkey", "c-1", b"3", b"1"),)))
        run(realm.commit((fx.RemoveCredential("ada-1", "passkey", "c-1"),)))
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.PutCredential("ada-1", "passkey", "c-1", b"3", b"2"),)))
        assert run(realm.credential("passkey", "c-1")) is None, "what was removed does not come back"

    def test_a_refresh_token_comes_with_its_grant_and_its_successors_fate(self, realm: RealmStore) -> None:
        first, second = refresh("first"), refresh("second")
        run(realm.commit((fx.AddGrant(GRANT), fx.AddRefreshToken(first))))
        found = run(realm.refresh_token(first.digest))
        assert found is not None
        assert (found.token, found.grant, found.successor_spent) == (first, GRANT, False)
        run(realm.commit((fx.SpendRefreshToken(first.digest, second.digest, NOW), fx.AddRefreshToken(second))))
        found = run(realm.refresh_token(first.digest))
        assert found is not None
        assert found.token == replace(first, spent_at=NOW, successor=second.digest)
        assert found.successor_spent is False
        run(realm.commit((fx.SpendRefreshToken(second.digest, b"third", NOW), fx.RevokeGrant(GRANT.id, NOW + 1))))
        found = run(realm.refresh_token(first.digest))
        assert found is not None
        assert (found.successor_spent, found.grant.revoked_at) == (True, NOW + 1)

    def test_a_refresh_token_comes_with_the_person_behind_it(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddGrant(GRANT), fx.AddRefreshToken(refresh("first")))))
        person = replace(ADA, sub=GRANT.sub)
        for known in (None, person):
            if known is not None:
                run(realm.put_person(known))
            found = run(realm.refresh_token(refresh("first").digest))
            assert found is not None
            assert found.person == known

    def test_a_revoked_access_token_is_known_by_its_jti(self, realm: RealmStore) -> None:
        run(realm.commit((fx.RevokeToken("j-1", NOW), fx.RevokeToken("j-1", NOW))))
        assert [run(realm.token_is_revoked(jti)) for jti in ("j-1", "j-2")] == [True, False]

    def test_what_stands_behind_a_token_is_told_at_once(self, realm: RealmStore) -> None:
        run(realm.put_person(ADA))
        run(realm.commit((fx.AddGrant(GRANT), fx.RevokeToken("j-1", NOW))))
        assert run(realm.standing("j-1", GRANT.id, ADA.sub)) == Standing(True, GRANT, ADA)
        assert run(realm.standing("j-2", GRANT.id, "")) == Standing(False, GRANT, None)
        assert run(realm.standing("j-1\0", "", "nobody")) == Standing(False, None, None)
        run(realm.commit((fx.RevokeGrant(GRANT.id, NOW + 1),)))
        assert run(realm.standing("j-2", GRANT.id, ADA.sub)) == Standing(False, replace(GRANT, revoked_at=NOW + 1), ADA)

    def test_credentials_belong_to_a_person(self, realm: RealmStore) -> None:
        run(
            realm.commit(
                (fx.PutCredential("ada-1", "passkey", "c-1", b"1"), fx.PutCredential("bob", "passkey", "c-2", b"2"))
            )
        )
        run(realm.commit((fx.PutCredential("ada-1", "passkey", "c-1", b"3"),)))
        assert run(realm.credentials("ada-1", "passkey")) == [Credential("ada-1", "c-1", b"3")]
        assert run(realm.credentials("ada-1", "totp")) == []
        run(realm.commit((fx.RemoveCredential("bob", "passkey", "c-1"),)))
        assert run(realm.credential("passkey", "c-1")) == Credential("ada-1", "c-1", b"3"), "not bob's to remove"
        run(realm.commit((fx.RemoveCredential("ada-1", "passkey", "c-1"),)))
        assert run(realm.credential("passkey", "c-1")) is None

    def test_keys_secrets_and_notes_are_kept(self, realm: RealmStore) -> None:
        run(realm.put_keys([KEY]))
        run(realm.put_keys([replace(KEY, expires_at=None), replace(KEY, kid="k-2")]))
        assert sorted(run(realm.keys()), key=lambda one: one.kid) == [
            replace(KEY, expires_at=None),
            replace(KEY, kid="k-2"),
        ]
        assert run(realm.put_secret("s", b"first")) == b"first"
        assert run(realm.put_secret("s", b"second")) == b"first", "the one that stands is returned"
        assert run(realm.secret("s")) == b"first"
        run(realm.put_note("n", "a"))
        run(realm.put_note("n", "ä\0🗝"))
        assert run(realm.note("n")) == "ä\0🗝"

    def test_realms_do_not_see_each_other(self, open_store: Open) -> None:
        store = open_store()
        here, there = store.realm("here"), store.realm("there")
        run(here.put_client(SHOP))
        run(here.put_person(ADA))
        run(here.put_keys([KEY]))
        run(here.put_note("n", "x"))
        run(here.put_secret("s", b"x"))
        everything = (fx.AddCode(CODE), fx.AddGrant(GRANT), fx.AddRefreshToken(REFRESH), fx.AddSession(SESSION))
        run(here.commit((*everything, fx.GiveConsent(CONSENT), fx.RevokeToken("j", NOW), fx.AddOnce("k", "x", NOW))))
        assert [*run(there.clients()), *run(there.people()), *run(there.keys())] == []
        found = [
            run(there.code(CODE.digest)),
            run(there.grant(GRANT.id)),
            run(there.refresh_token(REFRESH.digest)),
            run(there.session(SESSION.digest)),
            run(there.consent(CONSENT.sub, CONSENT.client_id)),
            run(there.entry("k", "x")),
            run(there.secret("s")),
        ]
        assert found == [None] * 7
        assert (run(there.token_is_revoked("j")), run(there.note("n"))) == (False, "")
        run(
            there.commit(
                (*everything, fx.AddOnce("k", "x", NOW), fx.RevokeGrant(GRANT.id, NOW), fx.EndSession(SESSION.id, NOW))
            )
        )
        assert run(there.purge(NOW + 10**9, 100)) > 0
        assert run(here.code(CODE.digest)) == CODE
        assert run(here.grant(GRANT.id)) == GRANT
        assert run(here.session(SESSION.digest)) == SESSION
        with pytest.raises(fx.Lost):
            run(here.commit((fx.AddOnce("k", "x", NOW),)))

    def test_what_was_acknowledged_is_there_when_it_is_opened_again(self, open_store: Open) -> None:
        first = open_store()
        run(first.realm("r").put_client(SHOP))
        run(first.realm("r").commit((fx.AddCode(CODE), fx.SpendCode(CODE.digest, NOW))))
        first.close()
        again = open_store().realm("r")
        assert (run(again.client("shop")), run(again.code(CODE.digest))) == (SHOP, replace(CODE, spent_at=NOW))

    def test_what_one_opening_writes_another_sees_and_its_version_tells(self, open_store: Open) -> None:
        mine, theirs = open_store(), open_store()
        before = run(mine.version())
        assert run(mine.version()) == before
        run(theirs.realm("r").put_client(SHOP))
        assert run(mine.realm("r").client("shop")) == SHOP
        assert run(mine.version()) != before

    # All or nothing, and conditions

    CONDITIONS: Sequence[tuple[str, Sequence[fx.Effect], fx.Effect]] = (
        ("a code that was never cut", (), fx.SpendCode(b"unknown", NOW)),
        ("a code that was spent", (fx.AddCode(CODE), fx.SpendCode(CODE.digest, NOW)), fx.SpendCode(CODE.digest, NOW)),
        ("a refresh token nobody has", (), fx.SpendRefreshToken(b"unknown", b"s", NOW)),
        (
            "a refresh token that was spent",
            (fx.AddGrant(GRANT), fx.AddRefreshToken(REFRESH), fx.SpendRefreshToken(REFRESH.digest, b"s", NOW)),
            fx.SpendRefreshToken(REFRESH.digest, b"s", NOW),
        ),
        (
            "a refresh token of a revoked grant",
            (fx.AddGrant(GRANT), fx.AddRefreshToken(REFRESH), fx.RevokeGrant(GRANT.id, NOW)),
            fx.SpendRefreshToken(REFRESH.digest, b"s", NOW),
        ),
        ("a name that was used", (fx.AddOnce("k", "x", NOW),), fx.AddOnce("k", "x", NOW + 9)),
        ("an entry that is there", (fx.PutEntry("k", "x", b"1", NOW),), fx.PutEntry("k", "x", b"2", NOW)),
        ("an entry that changed", (fx.PutEntry("k", "x", b"1", NOW),), fx.PutEntry("k", "x", b"2", NOW, 2)),
        ("an entry that never was", (), fx.PutEntry("k", "x", b"2", NOW, 1)),
        ("dropping what is not there", (), fx.DropEntry("k", "x", 1)),
        ("dropping what changed", (fx.PutEntry("k", "x", b"1", NOW),), fx.DropEntry("k", "x", 2)),
    )

    @pytest.mark.parametrize(("before", "effect"), [one[1:] for one in CONDITIONS], ids=[one[0] for one in CONDITIONS])
    @pytest.mark.parametrize("first", [True, False], ids=["first of all", "last of all"])
    def test_a_lost_condition_undoes_everything_beside_it(
        self, realm: RealmStore, before: Sequence[fx.Effect], effect: fx.Effect, first: bool
    ) -> None:
        run(realm.commit(before))
        others: tuple[fx.Effect, ...] = (
            fx.AddCode(code("beside")),
            fx.AddSession(SESSION),
            fx.GiveConsent(CONSENT),
            fx.RevokeToken("beside", NOW),
            fx.AddOnce("beside", "x", NOW),
        )
        with pytest.raises(fx.Lost):
            run(realm.commit((effect, *others) if first else (*others, effect)))
        assert run(realm.code(digest("beside"))) is None
        assert run(realm.session(SESSION.digest)) is None
        assert run(realm.consent(CONSENT.sub, CONSENT.client_id)) is None
        assert run(realm.token_is_revoked("beside")) is False
        assert run(realm.entry("beside", "x")) is None

    def test_an_entry_changes_from_version_to_version(self, realm: RealmStore) -> None:
        run(realm.commit((fx.PutEntry("k", "x", b"1", NOW),)))
        run(realm.commit((fx.PutEntry("k", "x", b"2", NOW + 1, 1),)))
        found = run(realm.entry("k", "x"))
        assert found is not None
        assert (found.key, found.record, found.expires_at, found.version) == ("x", b"2", NOW + 1, 2)
        run(realm.commit((fx.DropEntry("k", "x", 2), fx.PutEntry("k", "x", b"3", NOW))))
        found = run(realm.entry("k", "x"))
        assert found is not None
        assert (found.record, found.version) == (b"3", 1)

    def test_entries_are_listed_by_how_their_key_begins(self, realm: RealmStore) -> None:
        names = ["a", "a/1", "a/ü", "a0", "b", "A/1"]
        run(realm.commit(tuple(fx.PutEntry("k", name, b"", NOW) for name in names)))
        run(realm.commit((fx.PutEntry("other kind", "a/9", b"", NOW),)))
        assert [one.key for one in run(realm.entries("k", "a/"))] == ["a/1", "a/ü"]

    def test_a_commit_of_nothing_is_fine(self, realm: RealmStore) -> None:
        run(realm.commit(()))

    def test_a_lost_commit_does_no_harm_to_those_beside_it(self, realm: RealmStore) -> None:
        async def together() -> list[type]:
            wanted = [(fx.AddCode(code(str(n))),) if n % 2 else (fx.SpendCode(b"unknown", NOW),) for n in range(40)]
            return await outcomes(realm.commit(one) for one in wanted)

        assert run(together()) == [fx.Lost, type(None)] * 20
        assert [run(realm.code(digest(str(n)))) is not None for n in range(40)] == [False, True] * 20

    # Races

    def test_of_64_that_spend_one_code_at_once_one_wins(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddCode(CODE),)))

        async def race() -> list[type]:
            return await outcomes(
                realm.commit((fx.SpendCode(CODE.digest, NOW + n), fx.AddGrant(replace(GRANT, id=f"g{n}"))))
                for n in range(64)
            )

        ends = run(race())
        assert (ends.count(type(None)), ends.count(fx.Lost)) == (1, 63)
        grants = [n for n in range(64) if run(realm.grant(f"g{n}"))]
        spent = run(realm.code(CODE.digest))
        assert spent is not None
        assert [spent.spent_at] == [NOW + n for n in grants], "the winner's effects stand and no others"

    def test_of_64_in_eight_threads_with_a_store_each_one_wins(self, open_store: Open) -> None:
        run(open_store().realm("threads").commit((fx.AddCode(CODE),)))
        start = Barrier(8)

        def thread(_: int) -> list[type]:
            store = open_store()
            realm = store.realm("threads")
            start.wait()
            try:
                return run(outcomes(realm.commit((fx.SpendCode(CODE.digest, NOW),)) for _ in range(8)))
            finally:
                store.close()
                done_with_thread()

        with ThreadPoolExecutor(8) as threads:
            ends = [end for ends in threads.map(thread, range(8)) for end in ends]
        assert (ends.count(type(None)), ends.count(fx.Lost)) == (1, 63)

    def test_of_64_that_spend_one_refresh_token_at_once_one_wins(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddGrant(GRANT), fx.AddRefreshToken(REFRESH))))
        successor = refresh("successor")
        effects = (fx.SpendRefreshToken(REFRESH.digest, successor.digest, NOW), fx.AddRefreshToken(successor))

        async def race() -> list[type]:
            return await outcomes(realm.commit(effects) for _ in range(64))

        ends = run(race())
        assert (ends.count(type(None)), ends.count(fx.Lost)) == (1, 63)

    def test_spending_and_revoking_at_once_never_leaves_a_live_family(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddGrant(GRANT), fx.AddRefreshToken(REFRESH))))
        spend = (fx.SpendRefreshToken(REFRESH.digest, b"next", NOW), fx.AddRefreshToken(refresh("next")))

        async def race() -> list[type]:
            return await outcomes(
                (realm.commit((fx.RevokeGrant(GRANT.id, NOW),)), *(realm.commit(spend) for _ in range(8)))
            )

        revoked, *spent = run(race())
        assert (revoked, spent.count(type(None)) <= 1, set(spent) <= {type(None), fx.Lost}) == (type(None), True, True)
        for name in ("refresh", "next"):
            found = run(realm.refresh_token(digest(name)))
            assert found is None or found.grant.revoked_at == NOW
        assert run(realm.refresh_token(REFRESH.digest)) is not None

    # Forgetting

    def test_what_expired_is_forgotten_and_what_lives_is_kept(self, realm: RealmStore) -> None:
        old, new = NOW - 1, NOW
        day = 86_400
        for at in (old, new):
            grant = replace(GRANT, id=f"grant {at}", created_at=at - day)
            run(
                realm.commit(
                    (
                        fx.AddCode(replace(CODE, digest=digest(f"code {at}"), expires_at=at)),
                        fx.AddGrant(grant),
                        fx.AddRefreshToken(refresh(f"refresh {at}", grant.id, at)),
                        fx.AddSession(replace(SESSION, id=f"{at}", digest=digest(f"{at}"), expires_at=at)),
                        fx.RevokeToken(f"{at}", at),
                        fx.AddOnce("k", f"{at}", at),
                        fx.PutEntry("entry", f"{at}", b"", at),
                    )
                )
            )
        assert run(realm.purge(NOW, 100)) == 7
        for at, kept in ((old, False), (new, True)):
            found: list[object] = [
                run(realm.code(digest(f"code {at}"))),
                run(realm.grant(f"grant {at}")),
                run(realm.refresh_token(digest(f"refresh {at}"))),
                run(realm.session(digest(f"{at}"))),
                run(realm.token_is_revoked(f"{at}")) or None,
                run(realm.entry("k", f"{at}")),
                run(realm.entry("entry", f"{at}")),
            ]
            assert [one is not None for one in found] == [kept] * 7
        assert run(realm.purge(NOW, 100)) == 0

    def test_a_grant_is_kept_as_long_as_its_longest_refresh_token(self, realm: RealmStore) -> None:
        tokens = (refresh("long", GRANT.id, NOW + 10**6), refresh("short", GRANT.id, NOW + 10))
        run(realm.commit((fx.AddGrant(GRANT), *(fx.AddRefreshToken(one) for one in tokens))))
        run(realm.purge(NOW + 10**6, 100))
        assert run(realm.refresh_token(digest("long"))) is not None
        assert run(realm.refresh_token(digest("short"))) is None
        run(realm.purge(NOW + 10**6 + 1, 100))
        assert run(realm.refresh_token(digest("long"))) is None
        run(realm.purge(NOW + 10**6 + GRANT_SLACK + 1, 100))
        assert run(realm.grant(GRANT.id)) is None

    def test_a_client_that_registered_itself_is_kept_as_long_as_a_grant_of_it_lives(self, realm: RealmStore) -> None:
        mine = replace(SHOP, id="stranger", unused_until=NOW + 10)
        grant, ends = replace(GRANT, client_id="stranger"), NOW + CLIENT_KEPT * 3
        run(realm.put_client(mine))
        run(realm.commit((fx.GiveConsent(replace(CONSENT, client_id="stranger")),)))
        run(realm.commit((fx.AddGrant(grant), fx.AddRefreshToken(refresh("long", grant.id, ends)))))
        for later in (NOW + 11, NOW + CLIENT_KEPT * 2, ends):
            while run(realm.purge(later, 100)):
                pass
            assert run(realm.client("stranger")) == mine
        over = ends + GRANT_SLACK * 3
        while run(realm.purge(over, 100)):
            pass
        assert run(realm.grant(grant.id)) is None
        while run(realm.purge(over + GRANT_SLACK + 1, 100)):
            pass
        assert run(realm.client("stranger")) is None
        assert run(realm.consent(grant.sub, "stranger")) is None

    def test_a_client_whose_only_grant_was_taken_back_is_forgotten_in_time(self, realm: RealmStore) -> None:
        run(realm.put_client(replace(SHOP, id="stranger", unused_until=NOW + 10)))
        grant = replace(GRANT, client_id="stranger")
        run(realm.commit((fx.AddGrant(grant), fx.AddRefreshToken(refresh("long", grant.id, NOW + CLIENT_KEPT * 9)))))
        run(realm.commit((fx.RevokeGrant(grant.id, NOW + 1),)))
        run(realm.purge(NOW + CLIENT_KEPT, 100))
        assert run(realm.client("stranger")) is not None
        run(realm.purge(NOW + CLIENT_KEPT * 2, 100))
        assert run(realm.client("stranger")) is None

    def test_forgetting_goes_in_small_batches(self, realm: RealmStore) -> None:
        run(realm.commit(tuple(fx.AddOnce("k", str(n), NOW - 1) for n in range(10))))
        assert [run(realm.purge(NOW, 4)) for _ in range(4)] == [4, 4, 2, 0]

    def test_forgetting_one_kinds_name_leaves_the_same_name_of_another(self, realm: RealmStore) -> None:
        run(realm.commit((fx.AddOnce("a", "1", NOW - 1), fx.AddOnce("b", "1", NOW + 9))))
        assert run(realm.purge(NOW, 100)) == 1
        with pytest.raises(fx.Lost):
            run(realm.commit((fx.AddOnce("b", "1", NOW + 9),)))
        run(realm.commit((fx.AddOnce("a", "1", NOW + 9),)))

    # Against a model

    @given(
        st.lists(
            st.lists(
                st.tuples(
                    st.sampled_from(["once", "put", "drop", "spend", "add", "revoke"]),
                    st.integers(0, 2),
                    st.integers(0, 2),
                ),
                min_size=1,
                max_size=4,
            ),
            max_size=12,
        )
    )
    @settings(max_examples=60, suppress_health_check=EACH_ENGINE_IN_TURN, deadline=None)
    def test_any_history_of_commits_leaves_what_a_simple_model_says(
        self, open_store: Open, history: list[list[tuple[str, int, int]]]
    ) -> None:
        realm, model = self._shared(open_store).realm(f"model {next(_names)}"), Model()

        async def replay() -> None:
            await realm.commit(tuple(fx.AddCode(code(str(n))) for n in range(3)))
            for commit in history:
                effects = tuple(_effect(*step) for step in commit)
                try:
                    await realm.commit(effects)
                    lost = False
                except fx.Lost:
                    lost = True
                assert lost != model.commit(commit)
            for n in range(3):
                entry, found = await realm.entry("k", str(n)), await realm.code(digest(str(n)))
                grant = await realm.grant(str(n))
                assert (entry.version if entry else 0) == model.versions.get(n, 0)
                assert (found.spent_at is not None if found else None) == model.codes[n]
                assert (grant.revoked_at is not None if grant else None) == model.grants.get(n)

        run(replay())

    def _shared(self, open_store: Open) -> Store:
        """One opening for all examples."""
        kept: Store | None = getattr(self, "_kept", None)
        if kept is None:
            kept = self._kept = open_store()
        return kept


class Model:
    """What the effects above come to, in dictionaries."""

    def __init__(self) -> None:
        self.versions: dict[int, int] = {}
        self.codes = dict.fromkeys(range(3), False)
        self.grants: dict[int, bool] = {}

    def commit(self, steps: list[tuple[str, int, int]]) -> bool:
        """Whether it succeeds; if not, nothing has changed."""
        before = dict(self.versions), dict(self.codes), dict(self.grants)
        if all(self._step(*step) for step in steps):
            return True
        self.versions, self.codes, self.grants = before
        return False

    def _step(self, kind: str, n: int, version: int) -> bool:
        known = self.versions.get(n, 0)
        if kind == "once":
            self.versions.setdefault(n, 1)
            return known == 0
        if kind == "put":
            self.versions[n] = known + 1
            return version == known
        if kind == "drop":
            self.versions.pop(n, None)
            return known > 0 and version == known
        if kind == "add":
            self.grants.setdefault(n, False)
        if kind == "spend":
            spent, self.codes[n] = self.codes[n], True
            return not spent
        if kind == "revoke" and n in self.grants:
            self.grants[n] = True
        return True


def _effect(kind: str, n: int, version: int) -> fx.Effect:
    if kind == "once":
        return fx.AddOnce("k", str(n), NOW)
    if kind == "put":
        return fx.PutEntry("k", str(n), b"", NOW, version)
    if kind == "drop":
        return fx.DropEntry("k", str(n), version)
    if kind == "spend":
        return fx.SpendCode(digest(str(n)), NOW)
    if kind == "add":
        return fx.AddGrant(replace(GRANT, id=str(n)))
    return fx.RevokeGrant(str(n), NOW)
