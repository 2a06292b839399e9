"""``innkeeper profile``: the sets of rules that clients can live by, and what each asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
import typer

from innkeeper.issuer.core.methods import ALL
from innkeeper.issuer.core.profiles import ALGORITHMS, OAUTH21, PROFILES, Profile, known_profile


def command(
    name: Annotated[str, typer.Argument(help="One of them; all are listed without.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Show the profiles, or what one of them asks of clients and gives them."""
    chosen = [PROFILES[known_profile(name)]] if name else list(PROFILES.values())
    if as_json:
        documents = [_document(one) for one in chosen]
        print(msgspec.json.format(msgspec.json.encode(documents[0] if name else documents), indent=2).decode())
        return
    print("\n".join(_page(chosen[0]) if name else _list()))


def _list() -> list[str]:
    width = max(map(len, PROFILES))
    lines = [f"{one.name:{width}}  {one.summary}" for one in PROFILES.values()]
    return [*lines, "", 'Choose one for all with profile = "…" in the settings, or for one client in its [[client]].']


def _page(one: Profile) -> list[str]:
    rules = [f"  {_mark(one, name)} {say(getattr(one, name))}" for name, say in RULES.items()]
    return [one.name, f"  {one.summary}", f"  After: {one.specification}", "", *rules, "", "* other than oauth21"]


def _mark(one: Profile, name: str) -> str:
    return " " if getattr(one, name) == getattr(OAUTH21, name) else "*"


def _document(one: Profile) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(one)
    return {**document, "auth_methods": sorted(one.auth_methods)}


def _either(yes: str, no: str) -> Callable[[bool], str]:
    return lambda on: yes if on else no


RULES: Mapping[str, Callable[[Any], str]] = {
    "auth_methods": lambda methods: (
        "Clients prove themselves by " + ("any way there is" if methods == ALL else " or ".join(sorted(methods)))
    ),
    "algorithms": lambda named: (
        "Signatures are made with " + ("any of " if named == ALGORITHMS else "only ") + ", ".join(named)
    ),
    "response_types": lambda kinds: "The authorization endpoint gives " + ", ".join(kinds),
    "response_modes": lambda modes: "Answers may travel as " + ", ".join(modes),
    "require_pushed": _either("Requests must be pushed (RFC 9126)", "Requests may be pushed"),
    "require_signed": _either("Requests must be signed (RFC 9101)", "Requests may be signed"),
    "unsigned_requests": _either("Request objects without a signature are read", "Request objects need a signature"),
    "request_uris": _either(
        "Request objects are fetched from addresses that the client registered", "No request is fetched from anywhere"
    ),
    "merged_requests": _either(
        "What a request object leaves out may stand beside it", "Beside a request object nothing counts"
    ),
    "longest_request_object": lambda most: (
        f"Request objects live {most} s at most, and say from when" if most else "Request objects live as they say"
    ),
    "secret_id_tokens": _either(
        "ID tokens may be signed with the client's secret (HS256)", "ID tokens are signed with the issuer's keys"
    ),
    "require_bound": _either("Every token is bound to a key or a certificate", "Tokens may be bound to a key"),
    "always_pkce": _either("Everybody uses PKCE with S256", "Public clients use PKCE with S256"),
    "pkce_optional": _either("Confidential clients may leave PKCE out", "Confidential clients use PKCE or a nonce"),
    "issuer_audience": _either(
        "Assertions are addressed to the issuer, in one string", "Assertions are addressed to issuer or endpoint"
    ),
    "secure_redirects": _either("Answers go to https, or to a native client's loopback", "Answers go as registered"),
    "rotate_refresh": _either("A refresh token works once", "A refresh token stays as it is"),
    "drop_unknown_scopes": _either(
        "Scopes the client may not have are left out in silence", "Scopes the client may not have are refused"
    ),
    "device_grant": _either("Devices without a browser may ask (RFC 8628)", "No request is allowed on another device"),
    "binding_message": _either(
        "Backchannel requests have a message that their person compares", "Backchannel requests may have a message"
    ),
    "longest_code": lambda most: f"Codes live {most} s at most",
}
"""What each rule of a profile means, in words."""
