"""Where documents stand (RFC 8615), and what a resource publishes (RFC 9728)."""

from __future__ import annotations

import pytest

from innkeeper.protocol.resource_metadata import document, metadata_paths, metadata_url, why_not_a_protected_resource
from innkeeper.protocol.well_known import issuer_documents, why_not_an_issuer

HOST = "https://h.example"


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        (HOST, f"{HOST}/.well-known/oauth-protected-resource"),
        (f"{HOST}/", f"{HOST}/.well-known/oauth-protected-resource"),
        (f"{HOST}/mcp", f"{HOST}/.well-known/oauth-protected-resource/mcp"),
        (f"{HOST}/a/b/", f"{HOST}/.well-known/oauth-protected-resource/a/b"),
        (f"{HOST}:8443/mcp?t=1", f"{HOST}:8443/.well-known/oauth-protected-resource/mcp?t=1"),
    ],
)
def test_a_resource_document_stands_between_host_and_path(resource: str, url: str) -> None:
    assert metadata_url(resource) == url


def test_a_resource_document_is_served_at_its_path_and_at_the_root() -> None:
    at_root = "/.well-known/oauth-protected-resource"
    assert metadata_paths(f"{HOST}/mcp") == (f"{at_root}/mcp", at_root)
    assert metadata_paths(HOST) == (at_root,)


def test_a_resource_document_says_where_tokens_come_from_and_never_offers_offline_access() -> None:
    assert document(f"{HOST}/mcp", authorization_servers=[HOST], scopes_supported=["b", "a", "offline_access"]) == {
        "resource": f"{HOST}/mcp",
        "authorization_servers": [HOST],
        "scopes_supported": ["a", "b"],
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize("resource", ["api://x", "h.example", "https://h.example/#x", ""])
def test_what_cannot_be_published_is_told(resource: str) -> None:
    assert why_not_a_protected_resource(resource)


def test_an_issuer_without_a_path_has_two_places_and_one_with_a_path_three() -> None:
    assert issuer_documents(HOST) == (
        f"{HOST}/.well-known/oauth-authorization-server",
        f"{HOST}/.well-known/openid-configuration",
    )
    assert issuer_documents(f"{HOST}/t/v2.0") == (
        f"{HOST}/.well-known/oauth-authorization-server/t/v2.0",
        f"{HOST}/.well-known/openid-configuration/t/v2.0",
        f"{HOST}/t/v2.0/.well-known/openid-configuration",
    )
    assert issuer_documents(f"{HOST}/") == issuer_documents(HOST)


@pytest.mark.parametrize(
    "issuer", [HOST, f"{HOST}/", f"{HOST}/a", "http://127.0.0.1:8400", "http://localhost/x", "http://[::1]:1"]
)
def test_issuers_that_may_be(issuer: str) -> None:
    assert why_not_an_issuer(issuer) is None


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("http://h.example", "loopback"),
        ("http://127.0.0.1.evil.example", "loopback"),
        ("http://localhost@evil.example", "user part"),
        ("h.example", "no https URL"),
        ("", "no https URL"),
        ("ftp://h.example", "no https URL"),
        ("https://h.example?x", "query"),
        ("https://h.example#x", "fragment"),
        ("https://h.example:99999", "not a URL"),
        ("https://h.example\\@evil.example", "character"),
        ("https://h.example/.well-known/openid-configuration", "address of a document"),
    ],
)
def test_issuers_that_may_not_be(issuer: str, why: str) -> None:
    assert why in (why_not_an_issuer(issuer) or "")
