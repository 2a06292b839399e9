"""Addresses under ``/.well-known/``: where the documents of an issuer and of a resource stand (RFC 8615)."""

from __future__ import annotations

from urllib.parse import urlsplit

from innkeeper.protocol.redirects import is_loopback

AUTHORIZATION_SERVER = "oauth-authorization-server"
OPENID_CONFIGURATION = "openid-configuration"
PROTECTED_RESOURCE = "oauth-protected-resource"


def inserted(url: str, name: str) -> str:
    """The document ``name`` of ``url``, its name put between host and path (RFC 8414 §3.1, RFC 9728 §3.1).

    One slash that ends the path is dropped; a query stays behind the path.
    """
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.removesuffix('/')}{query}"


def issuer_documents(issuer: str) -> tuple[str, ...]:
    """Where an issuer's metadata may stand, in the order to try: RFC 8414, OpenID inserted, OpenID appended."""
    forms = (
        inserted(issuer, AUTHORIZATION_SERVER),
        inserted(issuer, OPENID_CONFIGURATION),
        f"{issuer.removesuffix('/')}/.well-known/{OPENID_CONFIGURATION}",
    )
    return tuple(dict.fromkeys(forms))


def why_not_an_issuer(issuer: str) -> str | None:
    """None where ``issuer`` can be an issuer identifier (RFC 8414 §2), else the rule it breaks, in words."""
    why = why_not_private(issuer)
    if why:
        return why
    if "?" in issuer or "#" in issuer:
        return "it has a query or a fragment"
    if "/.well-known/" in issuer:
        return "it is the address of a document; the issuer is what its member 'issuer' says"
    return None


def why_not_private(url: str) -> str | None:
    """None where what is fetched from ``url`` can be believed and kept private: https, or http on loopback."""
    if any(character <= " " or character in "\x7f\\" for character in url):
        return "it has a character that no URL has"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return "it is no https URL"
    if "@" in parts.netloc:
        return "it has a user part"
    if parts.scheme == "http" and not is_loopback(url):
        return "it uses http; that is for loopback addresses only"
    return None
