"""Tokens kept and renewed: once for all who wait, and for nobody else."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from innkeeper.client import (
    Access,
    Auth,
    Client,
    FileCache,
    MemoryCache,
    Refused,
    Secret,
    Token,
    TokenSource,
    Unreachable,
    UsageError,
    run,
)
from innkeeper.client.asking import Pause
from innkeeper.client.cache import Cache, Key, default_folder
from tests.client.issuer import ISSUER, StubIssuer, refusal

MACHINE, GUEST = Client("concierge", Secret("s:e c/ret")), Client("guest-app")
ROOM = Access("room:enter", "https://hotel.example")
KEY = Key.of(ISSUER, "concierge", ROOM)
KEPT = Token("kept", ISSUER, "guest-app", "room:enter", "https://hotel.example", 10_000_000_000, "refresh-0")


@pytest.fixture(params=["memory", "file"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Cache:
    return MemoryCache() if request.param == "memory" else FileCache(tmp_path / "tokens")


def test_a_slot_keeps_what_it_is_given_and_forgets_on_request(cache: Cache) -> None:
    slot = cache.slot(KEY)
    assert slot.try_lock()
    assert slot.read() is None
    slot.write(KEPT)
    assert cache.slot(KEY).read() == KEPT
    slot.clear()
    assert cache.slot(KEY).read() is None
    slot.release()


def test_only_one_holds_a_slot_at_a_time(cache: Cache) -> None:
    first, second, other = cache.slot(KEY), cache.slot(KEY), cache.slot(Key.of(ISSUER, "other", ROOM))
    assert first.try_lock()
    assert not second.try_lock()
    assert other.try_lock()
    second.release()
    assert not second.try_lock()
    first.release()
    assert second.try_lock()
    second.release()
    other.release()


@pytest.mark.parametrize(
    "other",
    [
        Key.of("https://evil.example", "concierge", ROOM),
        Key.of(ISSUER, "guest-app", ROOM),
        Key.of(ISSUER, "concierge", Access("room:enter")),
        Key.of(ISSUER, "concierge", Access("room:enter vip:enter", ROOM.resource)),
    ],
)
def test_no_other_issuer_client_resource_or_scope_gets_the_token(cache: Cache, other: Key) -> None:
    cache.slot(KEY).write(KEPT)
    assert cache.slot(other).read() is None


def test_the_order_of_scopes_does_not_matter() -> None:
    assert Key.of(ISSUER, "c", Access("a b")) == Key.of(ISSUER, "c", Access("b  a"))


def test_files_are_for_their_owner_alone_and_the_folder_too(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "tokens"
    slot = FileCache(folder).slot(KEY)
    assert slot.try_lock()
    slot.write(KEPT)
    slot.release()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert {path.suffix for path in folder.iterdir()} == {".json", ".lock"}


def test_a_loose_mask_does_not_loosen_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileCache(tmp_path / "tokens").slot(KEY).write(KEPT)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tokens").iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key":{},"token":{}}', b"\xff\xfe", b"\0" * 4096])
def test_a_damaged_file_counts_as_none_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    cache = FileCache(tmp_path)
    cache.slot(KEY).write(KEPT)
    next(tmp_path.glob("*.json")).write_bytes(content)
    assert cache.slot(KEY).read() is None
    cache.slot(KEY).write(KEPT)
    assert cache.slot(KEY).read() == KEPT


def test_a_file_that_was_renamed_to_another_key_is_not_believed(tmp_path: Path) -> None:
    cache, other = FileCache(tmp_path), Key.of("https://evil.example", "concierge", ROOM)
    cache.slot(KEY).write(KEPT)
    mine = next(tmp_path.glob("*.json"))
    cache.slot(other).write(KEPT)
    theirs = next(path for path in tmp_path.glob("*.json") if path != mine)
    mine.replace(theirs)
    assert cache.slot(other).read() is None


def test_a_link_laid_where_the_file_goes_is_replaced_and_not_followed(tmp_path: Path) -> None:
    cache, victim = FileCache(tmp_path), tmp_path / "victim"
    cache.slot(KEY).write(KEPT)
    place = next(tmp_path.glob("*.json"))
    victim.write_text("precious")
    place.unlink()
    place.symlink_to(victim)
    cache.slot(KEY).write(KEPT)
    assert victim.read_text() == "precious"
    assert not place.is_symlink()


def test_a_folder_that_cannot_be_made_is_a_usage_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="INNKEEPER_TOKENS"):
        FileCache(tmp_path / "file" / "tokens").slot(KEY)


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("INNKEEPER_TOKENS", raising=False)
    assert default_folder() == tmp_path / "innkeeper" / "tokens"
    monkeypatch.setenv("INNKEEPER_TOKENS", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"


def source(stub: StubIssuer, client: Client = MACHINE, cache: Cache | None = None) -> TokenSource:
    return TokenSource(stub.issuer, client, ROOM, cache=cache)


def test_a_fresh_token_is_given_again_without_asking() -> None:
    stub = StubIssuer()
    with stub.client() as http:
        mine = source(stub)
        assert {mine.token(http).access_token for _ in range(5)} == {"token-1"}
    assert len(stub.asked("/token")) == 1


def test_a_token_about_to_end_is_renewed() -> None:
    stub = StubIssuer()
    stub.lifetime = 20
    with stub.client() as http:
        mine = source(stub)
        assert [mine.token(http).access_token for _ in range(2)] == ["token-1", "token-2"]


def test_many_threads_ask_once(cache: Cache) -> None:
    stub = StubIssuer()
    together = threading.Barrier(8)

    def ask(http: httpx2.Client, shared: TokenSource) -> str:
        together.wait()
        return shared.token(http).access_token

    with stub.client() as http, ThreadPoolExecutor(8) as pool:
        sources = [source(stub, cache=cache) for _ in range(4)]
        got = [pool.submit(ask, http, sources[number % 4]) for number in range(8)]
        assert {one.result(timeout=30) for one in got} == {"token-1"}
    assert len(stub.asked("/token")) == 1


def test_many_coroutines_ask_once(cache: Cache) -> None:
    stub = StubIssuer()

    async def everyone() -> set[str]:
        async with stub.aclient() as http:
            sources = [source(stub, cache=cache) for _ in range(4)]
            return {token.access_token for token in await asyncio.gather(*(one.atoken(http) for one in sources * 5))}

    assert asyncio.run(everyone()) == {"token-1"}
    assert len(stub.asked("/token")) == 1


def test_a_rotating_refresh_token_is_used_once_however_many_ask(cache: Cache) -> None:
    stub = StubIssuer()
    stub.refresh_tokens.add("refresh-0")
    old = Token("old", ISSUER, "guest-app", "room:enter", ROOM.resource, 1, "refresh-0")
    cache.slot(Key.of(ISSUER, "guest-app", ROOM)).write(old)
    with stub.client() as http, ThreadPoolExecutor(8) as pool:
        sources = [source(stub, GUEST, cache) for _ in range(8)]
        got = {one.result(timeout=30).access_token for one in [pool.submit(one.token, http) for one in sources]}
    assert got == {"token-1"}
    assert [sent["refresh_token"] for sent in stub.asked("/token")] == ["refresh-0"]


def test_processes_wait_for_each_other(tmp_path: Path) -> None:
    """A second process finds the slot taken while the first holds it, and free once the first has died."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from innkeeper.client import Access, FileCache
        from innkeeper.client.cache import Key
        slot = FileCache(Path(sys.argv[1])).slot(Key.of("https://i.example", "c", Access()))
        print(slot.try_lock(), flush=True)
        sys.stdin.read()
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdin
    mine = FileCache(tmp_path).slot(Key.of("https://i.example", "c", Access()))
    assert child.stdout.readline().strip() == "True"
    assert not mine.try_lock()
    child.kill()
    child.wait(timeout=10)
    child.stdin.close()
    child.stdout.close()
    assert mine.try_lock()
    mine.release()


def test_a_cancelled_coroutine_lets_go_of_the_slot(cache: Cache) -> None:
    async def cancelled() -> None:
        reached = asyncio.Event()

        async def hang(_: httpx2.Request) -> httpx2.Response:
            reached.set()
            await asyncio.Event().wait()
            return httpx2.Response(500)

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(hang)) as http:
            task = asyncio.create_task(source(StubIssuer(), cache=cache).atoken(http))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancelled())
    slot = cache.slot(KEY)
    assert slot.try_lock()
    slot.release()


def test_a_failing_issuer_lets_go_of_the_slot_and_keeps_the_refresh_token(cache: Cache) -> None:
    stub = StubIssuer()
    stub.at["/token"] = lambda _: httpx2.Response(503)
    old = Token("old", ISSUER, "guest-app", "room:enter", ROOM.resource, 1, "refresh-0")
    slot = cache.slot(Key.of(ISSUER, "guest-app", ROOM))
    slot.write(old)
    with stub.client() as http, pytest.raises(Unreachable):
        source(stub, GUEST, cache).token(http)
    assert slot.try_lock()
    assert slot.read() == old
    slot.release()


def test_a_spent_refresh_token_is_forgotten_and_a_person_is_asked_for() -> None:
    stub, cache = StubIssuer(), MemoryCache()
    cache.slot(Key.of(ISSUER, "guest-app", ROOM)).write(
        Token("old", ISSUER, "guest-app", expires_at=1, refresh_token="spent")
    )
    with stub.client() as http, pytest.raises(Refused) as caught:
        source(stub, GUEST, cache).token(http)
    assert (caught.value.number, caught.value.error) == ("IK630", "login_required")
    assert cache.slot(Key.of(ISSUER, "guest-app", ROOM)).read() is None


def test_another_no_to_a_refresh_does_not_throw_the_refresh_token_away() -> None:
    stub, cache = StubIssuer(), MemoryCache()
    stub.at["/token"] = lambda _: refusal("invalid_client", 401)
    slot = cache.slot(Key.of(ISSUER, "guest-app", ROOM))
    slot.write(Token("old", ISSUER, "guest-app", expires_at=1, refresh_token="good"))
    with stub.client() as http, pytest.raises(Refused):
        source(stub, GUEST, cache).token(http)
    assert slot.read() is not None


def test_what_was_got_elsewhere_can_be_kept_and_forgotten() -> None:
    mine = source(StubIssuer(), GUEST)
    mine.keep(KEPT)
    assert mine.token().access_token == "kept"
    assert run(mine.forget()) == KEPT
    assert run(mine.forget()) is None


def test_a_slot_that_stays_taken_is_given_up_on_without_ever_asking_the_issuer() -> None:
    cache = MemoryCache()
    assert cache.slot(KEY).try_lock()
    flow = TokenSource(ISSUER, MACHINE, ROOM, cache=cache).renewal()
    waits: list[float] = []

    def wait_for_ever() -> None:
        question = next(flow)
        while sum(waits) < 1000:
            assert isinstance(question, Pause)
            waits.append(question.seconds)
            question = flow.send(None)

    with pytest.raises(Unreachable, match="another process"):
        wait_for_ever()
    assert 60 <= sum(waits) < 61


class Door:
    """An API that answers 401 to some tokens and remembers what it was shown."""

    def __init__(self, *bad: str, challenge: str = 'Bearer error="invalid_token"') -> None:
        self.bad, self.challenge = bad, challenge
        self.shown: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.shown.append(request.headers.get("authorization", "nothing"))
        if self.shown[-1].removeprefix("Bearer ") in self.bad:
            return httpx2.Response(401, headers={"www-authenticate": self.challenge})
        return httpx2.Response(200)


def borrowed(stub: StubIssuer, at: str = "") -> Auth:
    """The token of a source that asks the stub."""
    source = TokenSource(stub.issuer, MACHINE, ROOM)
    return Auth(source, at=at, http=stub.client(), async_http=stub.aclient())


def test_every_request_bears_the_token() -> None:
    door = Door()
    with httpx2.Client(transport=httpx2.MockTransport(door), auth=borrowed(StubIssuer())) as api:
        assert [api.get("https://hotel.example/room").status_code for _ in range(3)] == [200] * 3
    assert door.shown == ["Bearer token-1"] * 3


def test_a_token_that_is_turned_away_is_replaced_once() -> None:
    door = Door("token-1")
    with httpx2.Client(transport=httpx2.MockTransport(door), auth=borrowed(StubIssuer())) as api:
        assert api.post("https://hotel.example/room", json={"n": 7}).status_code == 200
    assert door.shown == ["Bearer token-1", "Bearer token-2"]


def test_a_door_that_always_says_no_is_asked_twice_and_no_more() -> None:
    door = Door("token-1", "token-2", "token-3")
    with httpx2.Client(transport=httpx2.MockTransport(door), auth=borrowed(StubIssuer())) as api:
        assert api.get("https://hotel.example/room").status_code == 401
    assert len(door.shown) == 2


def test_a_door_that_wants_more_than_the_token_gives_is_not_asked_again() -> None:
    door = Door("token-1", challenge='Bearer error="insufficient_user_authentication"')
    with httpx2.Client(transport=httpx2.MockTransport(door), auth=borrowed(StubIssuer())) as api:
        assert api.get("https://hotel.example/room").status_code == 401
    assert len(door.shown) == 1


def test_the_same_holds_for_coroutines() -> None:
    door = Door("token-1")

    async def call() -> int:
        auth = borrowed(StubIssuer())
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(door), auth=auth) as api:
            return (await api.get("https://hotel.example/room")).status_code

    assert asyncio.run(call()) == 200
    assert door.shown == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://hotel.example/", "https://hotel.example:8443/", "https://x.hotel.example/"]
)
def test_no_other_door_sees_the_token(url: str) -> None:
    door, stub = Door(), StubIssuer()
    api = httpx2.Client(transport=httpx2.MockTransport(door), auth=borrowed(stub))
    with api, pytest.raises(UsageError, match="not for"):
        api.get(url)
    assert (door.shown, stub.requests) == ([], [])


def test_a_door_that_sends_the_client_elsewhere_does_not_send_the_token_along() -> None:
    seen: list[str] = []

    def sly(request: httpx2.Request) -> httpx2.Response:
        seen.append(f"{request.url.host} {request.headers.get('authorization', 'nothing')}")
        return httpx2.Response(302 if len(seen) == 1 else 200, headers={"location": "https://evil.example/"})

    auth = borrowed(StubIssuer())
    with httpx2.Client(transport=httpx2.MockTransport(sly), auth=auth, follow_redirects=True) as api:
        api.get("https://hotel.example/room")
    assert seen == ["hotel.example Bearer token-1", "evil.example nothing"]


@pytest.mark.parametrize(("resource", "at"), [(None, ""), ("api://hotel", ""), (None, "http://hotel.example")])
def test_a_token_for_no_known_or_no_private_door_is_a_usage_error(resource: str | None, at: str) -> None:
    with pytest.raises(UsageError, match="Auth"):
        Auth(TokenSource(ISSUER, MACHINE, Access("x", resource)), at=at)


def test_a_door_on_this_computer_may_use_http() -> None:
    door = Door()
    auth = borrowed(StubIssuer(), at="http://127.0.0.1:8400/hotel")
    with httpx2.Client(transport=httpx2.MockTransport(door), auth=auth) as api:
        assert api.get("http://127.0.0.1:8400/hotel/gym").status_code == 200
