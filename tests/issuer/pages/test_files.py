"""The stylesheet and its neighbours, served from memory."""

from __future__ import annotations

import pytest

from innkeeper.issuer.pages.files import static_reply, version_of
from innkeeper.protocol.exchange import Reply, Request


def get(path: str, query: str = "", **headers: str) -> Reply | None:
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    return static_reply(path, Request("GET", f"/static/{path}", query, asked))


@pytest.mark.parametrize(
    ("path", "kind", "opening"),
    [
        ("house.css", "text/css; charset=utf-8", b"/*"),
        ("mark.svg", "image/svg+xml", b"<svg"),
        ("submit.js", "text/javascript; charset=utf-8", b"//"),
    ],
)
def test_a_file_of_ours_is_served_as_what_it_is(path: str, kind: str, opening: bytes) -> None:
    reply = get(path)
    assert reply is not None
    assert (reply.status, reply.header("content-type")) == (200, kind)
    assert reply.header("x-content-type-options") == "nosniff"
    assert reply.body.startswith(opening)


@pytest.mark.parametrize("held", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_who_has_the_file_is_told_so(held: str) -> None:
    reply = get("house.css", if_none_match=held.format(version_of("house.css")))
    assert reply is not None
    assert (reply.status, reply.body) == (304, b"")
    assert reply.header("etag") == f'"{version_of("house.css")}"'


def test_who_has_an_older_file_gets_the_new_one() -> None:
    reply = get("house.css", if_none_match='"0123456789abcdef"')
    assert reply is not None
    assert reply.status == 200


def test_only_an_address_with_the_right_version_is_kept_for_long() -> None:
    kept = [get("house.css", query) for query in (f"v={version_of('house.css')}", "v=0123456789abcdef", "")]
    assert [reply and reply.header("cache-control") for reply in kept] == [
        "public, max-age=31536000, immutable",
        "no-cache",
        "no-cache",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "../render.py",
        "..",
        "house.css/",
        "./house.css",
        "/house.css",
        "HOUSE.CSS",
        "house.css\0",
        "%68ouse.css",
    ],
)
def test_there_is_no_way_to_any_other_file(path: str) -> None:
    assert get(path) is None
