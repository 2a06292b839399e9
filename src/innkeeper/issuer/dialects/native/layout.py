"""The native addresses, short and below the issuer."""

from __future__ import annotations

from urllib.parse import urlsplit

from innkeeper.issuer.dialects.layout import Layout


def layout(issuer: str, mtls: str = "") -> Layout:
    """The layout for an issuer URL, with or without a path. ``mtls`` is the origin that asks for certificates."""
    base = urlsplit(issuer).path
    return Layout(
        issuer=issuer,
        base=base,
        mtls=mtls,
        authorize=f"{base}/authorize",
        token=f"{base}/token",
        introspect=f"{base}/introspect",
        push=f"{base}/par",
        device_authorization=f"{base}/device_authorization",
        device=f"{base}/device",
        backchannel=f"{base}/bc-authorize",
        approvals=f"{base}/approvals",
        register=f"{base}/register",
        revoke=f"{base}/revoke",
        userinfo=f"{base}/userinfo",
        jwks=f"{base}/jwks",
        logout=f"{base}/logout",
        sign_in=f"{base}/sign-in",
        sign_in_code=f"{base}/sign-in/code",
        sign_up=f"{base}/sign-up",
        consent=f"{base}/consent",
        account=f"{base}/account",
        static="/static",
    )


def well_knowns(issuer: str) -> tuple[str, ...]:
    """Every path at which a client may look for the metadata: path inserted and appended, both documents.

    RFC 8414 §3 inserts, OpenID Connect Discovery §4 appends; clients mix the two, so each form answers.
    """
    base = urlsplit(issuer).path
    names = ("oauth-authorization-server", "openid-configuration")
    inserted = (f"/.well-known/{name}{base}" for name in names)
    appended = (f"{base}/.well-known/{name}" for name in names)
    return tuple(dict.fromkeys((*inserted, *appended)))
