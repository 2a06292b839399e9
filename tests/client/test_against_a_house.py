"""The client against a house that runs: the seed's clients, the guest, the hotel's doors."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from innkeeper.client import (
    Access,
    Auth,
    Client,
    FileCache,
    Refused,
    Secret,
    Token,
    TokenSource,
    Unreachable,
    arun,
    client_credentials,
    discover,
    login,
    refresh,
    revoke,
    run,
)
from innkeeper.client.cache import Key
from innkeeper.guard import Guard, Verified
from tests.cli.guest import visit
from tests.inn import Inn

MACHINE, GUEST = Client("concierge", Secret("concierge-secret")), Client("guest-app")


def signed_in(house: Inn, scope: str = "openid room:enter", decision: str = "allow") -> Token:
    """The guest's token, with the guest at the browser."""
    browsing: list[Thread] = []

    def browse(url: str) -> None:
        browsing.append(Thread(target=visit, args=(url, decision)))
        browsing[0].start()

    try:
        return login(house.url, GUEST, Access(scope, f"{house.url}/hotel"), timeout=20, show=browse)
    finally:
        browsing[0].join(timeout=20)


@pytest.fixture(scope="module")
def guest_token(house: Inn) -> Token:
    return signed_in(house)


@pytest.mark.parametrize("method", [None, "client_secret_basic", "client_secret_post"])
def test_a_machine_gets_a_token_that_the_guard_takes(house: Inn, method: None) -> None:
    client = Client("concierge", Secret("concierge-secret", method))
    token = run(client_credentials(run(discover(house.url)), client, Access("gym:enter", f"{house.url}/hotel")))
    outcome = Guard(house.url, f"{house.url}/hotel").verify_blocking(token.access_token, ["gym:enter"])
    assert isinstance(outcome, Verified)
    assert outcome.token.client_id == "concierge"


def test_coroutines_get_the_same(house: Inn) -> None:
    async def fetch() -> Token:
        return await arun(client_credentials(await arun(discover(house.url)), MACHINE, Access("gym:enter")))

    assert asyncio.run(fetch()).scope == "gym:enter"


def test_a_guest_signs_in_with_the_browser_and_the_id_token_is_believed(guest_token: Token) -> None:
    assert guest_token.id_token
    assert guest_token.refresh_token
    assert guest_token.scope.split() == ["openid", "room:enter"]


def test_a_guest_who_declines_leaves_the_issuers_own_code(house: Inn) -> None:
    with pytest.raises(Refused) as caught:
        signed_in(house, "openid address phone vip:enter", "deny")  # what nobody has allowed in this house
    assert (caught.value.number, caught.value.error) == ("IK613", "access_denied")


def test_an_unregistered_redirect_gets_the_issuers_error_page_and_nothing_ever_comes_back(house: Inn) -> None:
    pages: list[str] = []
    with pytest.raises(Unreachable):
        login(
            house.url,
            GUEST,
            Access("room:enter"),
            redirect="http://localhost/elsewhere",
            timeout=1,
            show=lambda url: pages.append(visit(url, "allow").text),
        )
    assert 'id="error-page"' in pages[0]


def test_the_guests_own_room_opens_and_a_strangers_stays_shut(house: Inn, guest_token: Token) -> None:
    source = TokenSource(house.url, GUEST, Access("openid room:enter", f"{house.url}/hotel"))
    source.keep(guest_token)
    with httpx2.Client(auth=Auth(source)) as api:
        assert api.get(f"{house.url}/hotel/rooms/204").status_code == 200
        assert api.get(f"{house.url}/hotel/rooms/205").status_code == 403
        assert api.get(f"{house.url}/hotel/gym").status_code == 403


def test_the_same_auth_serves_an_async_client(house: Inn, guest_token: Token) -> None:
    source = TokenSource(house.url, GUEST, Access("openid room:enter", f"{house.url}/hotel"))
    source.keep(guest_token)

    async def knock() -> int:
        async with httpx2.AsyncClient(auth=Auth(source)) as api:
            return (await api.get(f"{house.url}/hotel/rooms/204")).status_code

    assert asyncio.run(knock()) == 200


def test_a_token_the_door_no_longer_takes_is_renewed_on_the_way(house: Inn) -> None:
    token = signed_in(house)
    source = TokenSource(house.url, GUEST, Access("openid room:enter", f"{house.url}/hotel"))
    spoilt = token.access_token[:-8] + "AAAAAAAA"
    source.keep(
        Token(spoilt, house.url, "guest-app", token.scope, token.resource, token.expires_at, token.refresh_token)
    )
    with httpx2.Client(auth=Auth(source)) as api:
        assert api.get(f"{house.url}/hotel/rooms/204").status_code == 200
    assert source.token().access_token != spoilt


def test_refresh_tokens_rotate_and_a_revoked_one_is_dead(house: Inn) -> None:
    metadata = run(discover(house.url))
    first = signed_in(house)
    second = run(refresh(metadata, GUEST, first))
    assert second.refresh_token != first.refresh_token
    assert second.id_token == first.id_token
    run(revoke(metadata, GUEST, second))
    with pytest.raises(Refused) as caught:
        run(refresh(metadata, GUEST, second))
    assert caught.value.error == "invalid_grant"


def test_six_processes_share_one_refresh(house: Inn, tmp_path: Path) -> None:
    """All find the kept token spent at once; one renews it, the rest take what it got."""
    access = Access("openid room:enter", f"{house.url}/hotel")
    token = signed_in(house)
    spent = Token(token.access_token, house.url, "guest-app", token.scope, token.resource, 1, token.refresh_token)
    FileCache(tmp_path).slot(Key.of(house.url, "guest-app", access)).write(spent)
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from innkeeper.client import Access, Client, FileCache, TokenSource
        issuer, folder = sys.argv[1:]
        access = Access("openid room:enter", f"{issuer}/hotel")
        print(TokenSource(issuer, Client("guest-app"), access, cache=FileCache(Path(folder))).token().access_token)
        """
    )
    command = [sys.executable, "-c", program, house.url, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    got = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 6
    assert len(got) == 1
    assert got != {token.access_token}


@pytest.fixture
def _proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment that answers nobody."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)


@pytest.mark.usefixtures("_proxied")
def test_a_proxy_in_the_environment_never_sees_what_is_meant_for_this_computer(house: Inn) -> None:
    assert run(discover(house.url)).issuer == house.url
