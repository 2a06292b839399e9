"""Which redirect URIs a client may be answered at (RFC 9700 §4.1.3, RFC 8252 §7.3): those it registered, exactly."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.issuer.core.authorization_request import REDIRECT_MISMATCH, Authorization
from innkeeper.protocol.redirects import registered_for, why_not_registrable
from tests.issuer.core.decided import granted, is_page, refused
from tests.issuer.core.facts import APP, SHOP, examined

WEB = "https://shop.example/callback"
NATIVE = ("http://127.0.0.1/callback", "http://localhost/callback", "http://[::1]/callback", "app.example:/back")
ANY_PORT = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?/callback|app\.example:/back")
"""The rule in other words: a registered URI, where it is a loopback one with any port."""


def test_the_registered_uri_is_answered_at() -> None:
    assert granted(examined(SHOP, redirect_uri=WEB), Authorization).redirect_uri == WEB


@pytest.mark.parametrize("sent", NATIVE)
@pytest.mark.parametrize("port", ["", ":1", ":80", ":8765", ":65535"])
def test_a_native_client_may_listen_on_any_port_of_loopback(sent: str, port: str) -> None:
    sent = sent.replace("/callback", f"{port}/callback")
    native = replace(APP, redirect_uris=NATIVE)
    assert granted(examined(native, client_id=APP.id, redirect_uri=sent), Authorization).redirect_uri == sent


TRICKS = {
    "another path": "https://shop.example/callback2",
    "a longer path": "https://shop.example/callback/more",
    "a shorter path": "https://shop.example/call",
    "a slash at the end": "https://shop.example/callback/",
    "upper case in the path": "https://shop.example/Callback",
    "upper case in the host": "https://SHOP.example/callback",
    "upper case in the scheme": "HTTPS://shop.example/callback",
    "http for https": "http://shop.example/callback",
    "the default port spelled out": "https://shop.example:443/callback",
    "another port": "https://shop.example:8443/callback",
    "an empty port": "https://shop.example:/callback",
    "a subdomain": "https://evil.shop.example/callback",
    "a host that begins alike": "https://shop.example.evil.example/callback",
    "a dot after the host": "https://shop.example./callback",
    "a user part": "https://shop.example@evil.example/callback",
    "a user part before the right host": "https://evil.example@shop.example/callback",
    "a user part and a password": "https://shop.example:x@evil.example/callback",
    "a backslash for a slash": "https://shop.example\\callback",
    "a backslash before a user part": "https://evil.example\\@shop.example/callback",
    "a backslash after the host": "https://shop.example\\.evil.example/callback",
    "dots that climb": "https://shop.example/x/../callback",
    "dots that climb at the end": "https://shop.example/callback/..",
    "encoded dots": "https://shop.example/%2e%2e/callback",
    "dots encoded twice": "https://shop.example/%252e%252e/callback",
    "a letter encoded": "https://shop.example/%63allback",
    "a slash encoded": "https://shop.example%2fcallback",
    "an encoded at sign": "https://shop.example%40evil.example/callback",
    "a fragment": "https://shop.example/callback#there",
    "an empty fragment": "https://shop.example/callback#",
    "a query": "https://shop.example/callback?to=evil",
    "an empty query": "https://shop.example/callback?",
    "a parameter after a semicolon": "https://shop.example/callback;to=evil",
    "two slashes": "https://shop.example//callback",
    "three slashes after the scheme": "https:///shop.example/callback",
    "one slash after the scheme": "https:/shop.example/callback",
    "no scheme": "//shop.example/callback",
    "only a path": "/callback",
    "a space before it": " https://shop.example/callback",
    "a space after it": "https://shop.example/callback ",
    "a tab inside": "https://shop\t.example/callback",
    "a line break after it": "https://shop.example/callback\n",
    "a carriage return inside": "https://shop.example/call\rback",
    "a full-width letter": "https://ｓhop.example/callback",
    "a Cyrillic letter": "https://shоp.example/callback",
    "an ideographic full stop": "https://shop。example/callback",
    "a zero-width space": "https://shop.example/\u200bcallback",
    "a soft hyphen": "https://sh\u00adop.example/callback",
    "a script": "javascript:alert(1)//https://shop.example/callback",
    "the registered one twice": "https://shop.example/callback https://shop.example/callback",
    "the registered one in a parameter": "https://evil.example/?u=https://shop.example/callback",
}


@pytest.mark.parametrize("sent", TRICKS.values(), ids=TRICKS.keys())
def test_a_near_miss_is_refused_on_a_page(sent: str) -> None:
    assert is_page(refused(examined(SHOP, redirect_uri=sent)), REDIRECT_MISMATCH)


LOOPBACK_TRICKS = {
    "another path": "http://127.0.0.1:9/other",
    "a slash at the end": "http://127.0.0.1:9/callback/",
    "a query": "http://127.0.0.1:9/callback?x=1",
    "an empty query": "http://127.0.0.1:9/callback?",
    "a fragment": "http://127.0.0.1:9/callback#x",
    "https": "https://127.0.0.1:9/callback",
    "upper case": "http://LOCALHOST:9/callback",
    "upper case in the scheme": "HTTP://127.0.0.1:9/callback",
    "a host that begins alike": "http://127.0.0.1.evil.example:9/callback",
    "localhost as a subdomain": "http://localhost.evil.example:9/callback",
    "a dot after the host": "http://localhost.:9/callback",
    "another loopback address": "http://127.0.0.2:9/callback",
    "loopback as one number": "http://2130706433:9/callback",
    "loopback in octal": "http://0177.0.0.1:9/callback",
    "loopback in short": "http://127.1:9/callback",
    "every address": "http://0.0.0.0:9/callback",
    "IPv6 spelled out": "http://[0:0:0:0:0:0:0:1]:9/callback",
    "IPv4 inside IPv6": "http://[::ffff:127.0.0.1]:9/callback",
    "a user part": "http://127.0.0.1:9@evil.example/callback",
    "a user part before loopback": "http://evil@127.0.0.1:9/callback",
    "a backslash": "http://127.0.0.1:9\\@evil.example/callback",
    "two ports": "http://127.0.0.1:80:90/callback",
    "a port too high": "http://127.0.0.1:65536/callback",
    "a port with letters": "http://127.0.0.1:9x/callback",
    "a negative port": "http://127.0.0.1:-9/callback",
    "a port in full-width digits": "http://127.0.0.1:９/callback",
    "an empty port": "http://127.0.0.1:/callback",
    "an encoded colon": "http://127.0.0.1%3A9/callback",
    "encoded dots": "http://127.0.0.1:9/%2e%2e/callback",
    "a space in the port": "http://127.0.0.1: 9/callback",
    "a port for the app's own scheme": "app.example:9/back",
    "two slashes in the app's own scheme": "app.example://back",
    "upper case in the app's own scheme": "App.example:/back",
}


@pytest.mark.parametrize("sent", LOOPBACK_TRICKS.values(), ids=LOOPBACK_TRICKS.keys())
def test_only_the_port_of_loopback_may_differ(sent: str) -> None:
    native = replace(APP, redirect_uris=NATIVE)
    assert is_page(refused(examined(native, client_id=APP.id, redirect_uri=sent)), REDIRECT_MISMATCH)


def test_a_web_client_on_loopback_has_the_port_it_registered() -> None:
    web = replace(SHOP, redirect_uris=("http://127.0.0.1:8765/callback",))
    assert granted(examined(web, redirect_uri="http://127.0.0.1:8765/callback"), Authorization)
    assert is_page(refused(examined(web, redirect_uri="http://127.0.0.1:8766/callback")), REDIRECT_MISMATCH)
    assert is_page(refused(examined(web, redirect_uri="http://127.0.0.1/callback")), REDIRECT_MISMATCH)


edits = st.tuples(st.integers(0, 40), st.integers(0, 3), st.text(max_size=4) | st.sampled_from("@#?\\/.:;%[] \t\n"))


@given(st.sampled_from(NATIVE), st.integers(-1, 70_000), st.lists(edits, max_size=2))
@example(NATIVE[0], 65_535, [])
@example(NATIVE[0], 65_536, [])
@example(NATIVE[1], 9, [(9, 1, "O")])
def test_no_edit_of_a_registered_uri_is_accepted_but_its_loopback_port(
    uri: str, port: int, changes: list[tuple[int, int, str]]
) -> None:
    sent = uri.replace("/callback", f":{port}/callback") if port >= 0 else uri
    for at, cut, text in changes:
        sent = sent[:at] + text + sent[at + cut :]
    accepted = registered_for(sent, NATIVE, any_loopback_port=True) is not None
    rule = ANY_PORT.fullmatch(sent)
    assert accepted == (rule is not None and int((rule.group(2) or ":0")[1:]) <= 65_535)


@given(st.text(max_size=60) | st.sampled_from(list(TRICKS.values())))
def test_without_the_loopback_rule_only_the_very_string_is_accepted(sent: str) -> None:
    assert (registered_for(sent, (WEB, *NATIVE), any_loopback_port=False) is not None) == (sent in (WEB, *NATIVE))


UNREGISTRABLE = {
    "no scheme": "shop.example/callback",
    "a fragment": "https://shop.example/#x",
    "an empty fragment": "https://shop.example/#",
    "a user part": "https://me@shop.example/",
    "a script": "javascript:alert(1)",
    "a document in the address": "data:text/html,x",
    "a file": "file:///etc/passwd",
    "http far away": "http://shop.example/callback",
    "a host that only begins like loopback": "http://127.0.0.1.evil.example/",
    "no host": "https:///callback",
    "a space": "https://shop.example/a b",
    "a backslash": "https://shop.example\\x",
    "a line break": "https://shop.example/\nx",
    "a letter outside ASCII": "https://shöp.example/",
    "a path outside ASCII": "https://shop.example/zurück",
    "a port that is none": "https://shop.example:99999/",
    "nothing at all": "",
}


@pytest.mark.parametrize("uri", UNREGISTRABLE.values(), ids=UNREGISTRABLE.keys())
def test_what_could_never_be_answered_at_safely_cannot_be_registered(uri: str) -> None:
    assert why_not_registrable(uri)


@pytest.mark.parametrize("uri", [WEB, *NATIVE, "https://shop.example:8443/cb?tenant=1", "com.example.app:/cb"])
def test_what_can_be_answered_at_can_be_registered(uri: str) -> None:
    assert why_not_registrable(uri) is None
