"""Documents of strangers: got from public addresses alone, whatever their names, redirects and sizes would have us do."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest

from innkeeper.issuer.desk.fetching import (
    BURST,
    CLIENT_DOCUMENT,
    EVERY,
    KEY_SET,
    REQUEST_OBJECT,
    Document,
    Fetcher,
    Kind,
    lifetime,
)
from innkeeper.issuer.desk.outside import NotFetched, Outside, take_apart
from innkeeper.protocol.addresses import why_not_public
from tests.issuer.house import Clock
from tests.issuer.stranger import HOST, Authority, Resolver, Stranger, stranger

PUBLIC = "93.184.215.14"
METADATA = "169.254.169.254"

INWARD = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.9.9.9",
    "168.63.129.16",
    METADATA,
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
]

Serve = Callable[[Callable[[Stranger], Coroutine[Any, Any, None]]], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serving(authority: Authority) -> Serve:
    """Runs a story while a stranger's server is up."""

    def run(story: Callable[[Stranger], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            async with stranger(authority) as there:
                await story(there)

        asyncio.run(whole())

    return run


def near(there: Stranger, authority: Authority, resolver: Resolver | None = None, **how: Any) -> Fetcher:
    """A fetcher that may visit this stranger, though it lives on this computer."""
    outside = Outside(frozenset({there.authority}), authority.trust, resolver or Resolver(["127.0.0.1"]))
    return Fetcher(outside, how.pop("clock", Clock()), **how)


def far(*answers: list[str]) -> Fetcher:
    """A fetcher as it is in earnest, but for the names, which lead where a test says."""
    return Fetcher(Outside(resolve=Resolver(*answers)), Clock())


def failure(fetcher: Fetcher, url: str, kind: Kind = KEY_SET) -> str:
    with pytest.raises(NotFetched) as caught:
        asyncio.run(fetcher.fetch(url, kind))
    return str(caught.value)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that were connected to; nobody answers there."""
    made: list[str] = []

    async def connect_tcp(remote_host: str, remote_port: int, **_: Any) -> Any:
        made.append(f"{remote_host}:{remote_port}")
        raise OSError("nobody answers in this test")

    monkeypatch.setattr(anyio, "connect_tcp", connect_tcp)
    return made


@pytest.mark.parametrize("address", INWARD)
def test_a_name_that_leads_inward_is_never_connected_to(address: str, connections: list[str]) -> None:
    assert why_not_public(address)
    assert address in failure(far([address]), "https://attacker.example/jwks")
    assert connections == []


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_public_addresses_are_connected_to(address: str, connections: list[str]) -> None:
    assert "cannot be reached" in failure(far([address]), "https://client.example/jwks")
    assert connections == [f"{address}:443"]


def test_one_inward_address_among_public_ones_spoils_the_name(connections: list[str]) -> None:
    assert METADATA in failure(far([PUBLIC, METADATA]), "https://attacker.example/jwks")
    assert connections == []


def test_a_name_that_is_rebound_after_the_check_is_still_connected_where_it_was_checked(connections: list[str]) -> None:
    resolver = Resolver([PUBLIC], ["127.0.0.1"])
    failure(Fetcher(Outside(resolve=resolver), Clock()), "https://attacker.example:8443/jwks")
    assert resolver.asked == ["attacker.example"]
    assert connections == [f"{PUBLIC}:8443"]


def test_the_certificate_is_verified_for_the_name_though_the_address_was_connected_to(
    serving: Serve, authority: Authority
) -> None:
    async def story(there: Stranger) -> None:
        there.says("/jwks", b'{"keys":[]}')
        got = await near(there, authority).fetch(there.url("/jwks?a=b%20c"), KEY_SET)
        assert got.body == b'{"keys":[]}'
        head = there.requests[0].decode().lower()
        assert head.startswith("get /jwks?a=b%20c http/1.1\r\n")
        assert f"\r\nhost: {there.authority}\r\n" in head
        assert "cookie" not in head
        assert "authorization" not in head

    serving(story)


def test_a_certificate_for_another_name_is_not_believed(authority: Authority) -> None:
    async def story() -> None:
        async with stranger(authority, "other.example") as there:
            there.says("/jwks", b"{}")
            with pytest.raises(NotFetched, match="certificate verify failed"):
                await near(there, authority).fetch(there.url("/jwks"), KEY_SET)
            assert there.requests == []

    asyncio.run(story())


def test_a_certificate_of_an_unknown_authority_is_not_believed(
    serving: Serve, tmp_path: Path, authority: Authority
) -> None:
    async def story(there: Stranger) -> None:
        with pytest.raises(NotFetched, match="certificate verify failed"):
            await near(there, Authority(tmp_path)).fetch(there.url("/jwks"), KEY_SET)

    serving(story)


@pytest.mark.parametrize(
    "url",
    [
        "http://client.example/jwks",
        "ftp://client.example/jwks",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "https:///jwks",
        "https://user@client.example/jwks",
        "https://client.example@127.0.0.1/jwks",
        "https://client.example\\@127.0.0.1/jwks",
        "https://client.example/jwks#keys",
        "https://client.example:99999/jwks",
        "https://client.example:x/jwks",
        "https://client.example/a b",
        "https://client.example/\r\nhost: evil",
        "https://clïent.example/jwks",
        "https://client%2eexample/jwks",
        "https://[::1/jwks",
        "//client.example/jwks",
        "jwks",
        "",
        "https://client.example/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_https_url_is_refused_before_anything_is_resolved(url: str) -> None:
    resolver = Resolver([PUBLIC])
    assert failure(Fetcher(Outside(resolve=resolver), Clock()), url)
    assert resolver.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_computer_is_found_out_in_every_spelling(host: str, connections: list[str]) -> None:
    assert failure(Fetcher(Outside(), Clock()), f"https://{host}/jwks")
    assert connections == []


def test_a_host_that_does_not_resolve_is_a_failure_in_words() -> None:
    async def nobody(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    assert "no such name" in failure(Fetcher(Outside(resolve=nobody), Clock()), "https://gone.example/")


def test_another_port_of_a_listed_loopback_host_is_not_listed(connections: list[str]) -> None:
    outside = Outside(frozenset({"127.0.0.1:1234"}), resolve=Resolver(["127.0.0.1"]))
    assert "only https" in failure(Fetcher(outside, Clock()), "http://127.0.0.1:1235/jwks")
    assert "this very computer" in failure(Fetcher(outside, Clock()), "https://127.0.0.1:1235/jwks")
    assert "cannot be reached" in failure(Fetcher(outside, Clock()), "http://127.0.0.1:1234/jwks")
    assert connections == ["127.0.0.1:1234"]


def test_a_listed_name_that_leads_off_this_computer_is_judged_like_any(connections: list[str]) -> None:
    outside = Outside(frozenset({"localhost:1234"}), resolve=Resolver(["10.0.0.1"]))
    assert "10.0.0.1" in failure(Fetcher(outside, Clock()), "https://localhost:1234/jwks")
    assert connections == []


def test_redirects_are_not_followed(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/moved", b"", "302 Found", location=there.url("/jwks"))
        there.says("/jwks", b"{}")
        with pytest.raises(NotFetched, match="302"):
            await near(there, authority).fetch(there.url("/moved"), KEY_SET)
        assert len(there.requests) == 1

    serving(story)


@pytest.mark.parametrize(
    "target", [f"http://{METADATA}/latest/meta-data", f"https://{METADATA}/", "https://inside.example/", "/\\evil"]
)
def test_where_redirects_are_followed_each_hop_is_judged_anew(
    serving: Serve, authority: Authority, target: str
) -> None:
    async def story(there: Stranger) -> None:
        there.says("/moved", b"", "302 Found", location=target)
        resolver = Resolver(["127.0.0.1"], [METADATA])
        with pytest.raises(NotFetched):
            await near(there, authority, resolver, redirects=3).fetch(there.url("/moved"), KEY_SET)
        assert len(there.requests) == 1

    serving(story)


def test_redirects_are_followed_as_often_as_is_set_and_never_for_client_documents(
    serving: Serve, authority: Authority
) -> None:
    async def story(there: Stranger) -> None:
        there.says("/one", b"", "302 Found", location="/two")
        there.says("/two", b"", "307 Temporary Redirect", location=there.url("/three"))
        there.says("/three", b'{"keys":[]}')
        fetcher = near(there, authority, redirects=2)
        assert (await fetcher.fetch(there.url("/one"), KEY_SET)).body == b'{"keys":[]}'
        with pytest.raises(NotFetched, match="302"):
            await fetcher.fetch(there.url("/one"), CLIENT_DOCUMENT)
        with pytest.raises(NotFetched, match="307"):
            await near(there, authority, redirects=1).fetch(there.url("/one"), KEY_SET)

    serving(story)


def test_a_giant_body_is_given_up_on(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/document", b"{" + b" " * CLIENT_DOCUMENT.most_bytes)
        there.says("/stall", b"x" * 100_000, content_length="999999999")
        with pytest.raises(NotFetched, match="more than 5120 bytes"):
            await near(there, authority).fetch(there.url("/document"), CLIENT_DOCUMENT)
        with pytest.raises(NotFetched, match="more than 65536 bytes"):
            await near(there, authority).fetch(there.url("/stall"), KEY_SET)

    serving(story)


def test_a_body_that_drips_is_given_up_on(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/stall", b'{"keys":', content_length="100")
        with pytest.raises(NotFetched, match=r"took longer than 0\.2 s"):
            await near(there, authority, seconds=0.2).fetch(there.url("/stall"), KEY_SET)

    serving(story)


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        ("404 Not Found", {}, "404"),
        ("500 Oops", {}, "500"),
        ("206 Partial Content", {}, "206"),
        ("200 OK", {"content_type": "text/html"}, "text/html"),
        ("200 OK", {"content_type": "application/jsonp"}, "application/jsonp"),
        ("200 OK", {"content_encoding": "gzip"}, "packed"),
    ],
)
def test_only_a_plain_json_document_with_status_200_counts(
    serving: Serve, authority: Authority, status: str, headers: dict[str, str], why: str
) -> None:
    async def story(there: Stranger) -> None:
        body = gzip.compress(b"{}") if "content_encoding" in headers else b"{}"
        there.says("/jwks", body, status, **headers)
        with pytest.raises(NotFetched, match=why):
            await near(there, authority).fetch(there.url("/jwks"), KEY_SET)

    serving(story)


def test_a_server_that_speaks_nonsense_is_a_failure_in_words(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.answers["/jwks"] = b"SSH-2.0-OpenSSH_9\r\n\r\n"
        with pytest.raises(NotFetched, match="broke off"):
            await near(there, authority).fetch(there.url("/jwks"), KEY_SET)

    serving(story)


def test_a_request_object_may_be_of_any_type_and_is_not_kept_unasked(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/request", b"ey.ey.sig", content_type="application/oauth-authz-req+jwt")
        fetcher = near(there, authority)
        for _ in range(2):
            assert (await fetcher.fetch(there.url("/request"), REQUEST_OBJECT)).body == b"ey.ey.sig"
        assert len(there.requests) == 2

    serving(story)


def test_a_copy_is_used_while_it_is_good_and_no_longer(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/jwks", b'{"keys":[]}', cache_control="public, max-age=120")
        clock = Clock()
        fetcher = near(there, authority, clock=clock)
        for _ in range(3):
            await fetcher.fetch(there.url("/jwks"), KEY_SET)
        clock.move(119)
        await fetcher.fetch(there.url("/jwks"), KEY_SET)
        assert len(there.requests) == 1
        clock.move(1)
        await fetcher.fetch(there.url("/jwks"), KEY_SET)
        assert len(there.requests) == 2

    serving(story)


def test_a_newer_copy_can_be_demanded_for_a_missing_key_but_not_a_newest(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/jwks", b'{"keys":[]}')
        clock = Clock()
        fetcher = near(there, authority, clock=clock)
        await fetcher.fetch(there.url("/jwks"), KEY_SET)
        clock.move(29)
        await fetcher.fetch(there.url("/jwks"), KEY_SET, newest=30)
        assert len(there.requests) == 1
        clock.move(2)
        await fetcher.fetch(there.url("/jwks"), KEY_SET, newest=30)
        assert len(there.requests) == 2

    serving(story)


def test_failures_are_not_remembered_and_documents_found_wrong_are_forgotten(
    serving: Serve, authority: Authority
) -> None:
    async def story(there: Stranger) -> None:
        fetcher = near(there, authority)
        with pytest.raises(NotFetched, match="404"):
            await fetcher.fetch(there.url("/jwks"), KEY_SET)
        there.says("/jwks", b'{"keys":[]}')
        await fetcher.fetch(there.url("/jwks"), KEY_SET)
        fetcher.forget(there.url("/jwks"), KEY_SET)
        await fetcher.fetch(there.url("/jwks"), KEY_SET)
        assert len(there.requests) == 3

    serving(story)


def test_whoever_wants_the_same_document_at_the_same_time_shares_one_fetch(
    serving: Serve, authority: Authority
) -> None:
    async def story(there: Stranger) -> None:
        there.says("/request", b"ey.ey.sig")
        fetcher = near(there, authority)
        wanted = [asyncio.create_task(fetcher.fetch(there.url("/request"), REQUEST_OBJECT)) for _ in range(10)]
        await asyncio.sleep(0)
        wanted[0].cancel()
        got = await asyncio.gather(*wanted, return_exceptions=True)
        assert isinstance(got[0], asyncio.CancelledError)
        assert all(isinstance(one, Document) for one in got[1:])
        assert len(there.requests) == 1

    serving(story)


def test_a_host_is_not_asked_too_often_and_then_again_in_time(connections: list[str]) -> None:
    async def story() -> None:
        clock = Clock()
        fetcher = Fetcher(Outside(resolve=Resolver([PUBLIC])), clock)

        async def ask(path: int, host: str = HOST) -> str:
            with pytest.raises(NotFetched) as caught:
                await fetcher.fetch(f"https://{host}/{path}", KEY_SET)
            return str(caught.value)

        assert all(["cannot be reached" in await ask(path) for path in range(BURST)])
        assert "too often" in await ask(BURST)
        assert "cannot be reached" in await ask(0, "other.example")
        clock.move(EVERY)
        assert "cannot be reached" in await ask(BURST)
        assert "too often" in await ask(BURST)
        assert len(connections) == BURST + 2

    asyncio.run(story())


def test_news_is_posted_with_the_same_care(serving: Serve, authority: Authority) -> None:
    async def story(there: Stranger) -> None:
        there.says("/logout", b"", "200 OK")
        there.says("/moved", b"", "302 Found", location="/logout")
        fetcher = near(there, authority, redirects=3)
        body = b"logout_token=ey"
        answer = await fetcher.post(there.url("/logout"), body, "application/x-www-form-urlencoded")
        assert answer.status == 200
        assert there.requests[0].endswith(b"\r\n\r\nlogout_token=ey")
        moved = await fetcher.post(there.url("/moved"), body, "application/x-www-form-urlencoded")
        assert moved.status == 302
        with pytest.raises(NotFetched, match="only https"):
            await fetcher.post("http://client.example/logout", body, "application/x-www-form-urlencoded")

    serving(story)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 600),
        ("max-age=300", 300),
        ('private, max-age="300"', 300),
        ("max-age=1", 60),
        ("max-age=99999999", 86400),
        ("max-age=-5", 600),
        ("max-age=1, max-age=300", 600),
        ("max-age=" + "9" * 5000, 600),
        ("no-store", 60),
        ("No-Cache, max-age=300", 60),
    ],
)
def test_a_servers_wishes_for_its_cache_are_heard_within_bounds(said: str, seconds: int) -> None:
    assert lifetime(said, KEY_SET) == seconds


def test_a_url_is_taken_apart_as_it_is_sent() -> None:
    target = take_apart("https://Client.Example:8443/a/b?c=d&e=%2F")
    assert (target.host, target.port, target.path) == ("client.example", 8443, "/a/b?c=d&e=%2F")
    assert take_apart("https://client.example").path == "/"
