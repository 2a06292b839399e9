"""What a browser may do with a page."""

from __future__ import annotations

import pytest

from innkeeper.issuer.pages.headers import content_security_policy, form_sources
from innkeeper.issuer.pages.render import page_reply
from tests.issuer.pages.browser import page
from tests.issuer.pages.samples import PAGES


def directives(policy: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.strip().partition(" ") for part in policy.split(";"))}


def test_a_page_may_load_our_styles_and_images_send_forms_to_us_and_nothing_else() -> None:
    assert directives(content_security_policy()) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


@pytest.mark.parametrize("name", PAGES)
def test_every_page_carries_the_headers_that_keep_it_safe(name: str) -> None:
    assert {key: value for key, value in page(name).headers if key != "content-security-policy"} == {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


@pytest.mark.parametrize("name", PAGES)
def test_only_the_page_that_sends_itself_on_may_run_a_script_and_only_ours(name: str) -> None:
    policy = page(name).header("content-security-policy") or ""
    assert directives(policy).get("script-src") == ("'self'" if name == "form-post" else None)


def test_a_page_has_the_status_and_the_further_headers_it_is_given() -> None:
    template, context = PAGES["error"]
    reply = page_reply(template, 403, [("set-cookie", "a=b")], **context)
    assert (reply.status, reply.header("set-cookie")) == (403, "a=b")


def test_the_page_that_sends_itself_on_may_send_to_its_client() -> None:
    policy = page("form-post").header("content-security-policy") or ""
    assert directives(policy)["form-action"] == "'self' https:"


@pytest.mark.parametrize(
    ("target", "sources"),
    [
        ("https://guests.example/callback", ("https:",)),
        ("https://[2001:db8::1]/callback", ("https:",)),
        ("http://127.0.0.1:8765/callback", ("http://127.0.0.1:*", "http://localhost:*", "https:")),
        ("http://localhost/callback", ("http://127.0.0.1:*", "http://localhost:*", "https:")),
        ("http://[::1]:8765/callback", ("http:", "https:")),
        ("com.example.app:/callback", ("com.example.app:",)),
        ("Com.Example.App:/callback", ("com.example.app:",)),
    ],
)
def test_the_way_back_to_a_client_is_open(target: str, sources: tuple[str, ...]) -> None:
    assert form_sources(target) == sources


def test_each_source_is_said_once() -> None:
    policy = content_security_policy(["https://a.example/x", "https://b.example/y"])
    assert directives(policy)["form-action"] == "'self' https:"


@pytest.mark.parametrize(
    "target", ["", "/callback", "guests.example", "http://[::1", "ü:x", "http://guests.example/", "javascript:alert(1)"]
)
def test_a_target_to_which_nothing_can_lead_opens_nothing(target: str) -> None:
    assert directives(content_security_policy([target]))["form-action"] == "'self'"


@pytest.mark.parametrize(
    "target",
    ["https://a.example;script-src *", "x:; script-src *", "a;script-src *:x", "http://127.0.0.1;script-src *"],
)
def test_no_target_can_write_a_directive_of_its_own(target: str) -> None:
    assert "script-src" not in directives(content_security_policy([target]))
