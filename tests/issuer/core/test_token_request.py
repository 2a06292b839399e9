"""What is asked of every token request before its grant is looked at."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from innkeeper.issuer.core import token as core
from innkeeper.issuer.core.records import Client
from innkeeper.protocol.refusals import Page
from innkeeper.tokens.trail import Trail, follow
from tests.issuer.core.decided import ends_in
from tests.issuer.core.facts import APP, ROBOT, SHOP, parameters

Sent = dict[str, str | list[str] | None]


def opening(sent: Sent, client: Client) -> Trail:
    return follow("token", core.GRANT_TYPE_CHECKS, core.GrantTypeCase(parameters(sent), client))


REFUSED: dict[str, tuple[Sent, Client, Page]] = {
    "the grant type is missing": ({}, SHOP, core.NO_GRANT_TYPE),
    "the grant type is empty": ({"grant_type": ""}, SHOP, core.NO_GRANT_TYPE),
    "two grant types": ({"grant_type": ["refresh_token", "authorization_code"]}, SHOP, core.REPEATED),
    "one grant type twice": ({"grant_type": ["refresh_token", "refresh_token"]}, SHOP, core.REPEATED),
    "two codes": ({"grant_type": "authorization_code", "code": ["a", "b"]}, SHOP, core.REPEATED),
    "an unknown parameter twice": ({"grant_type": "authorization_code", "foo": ["a", "b"]}, SHOP, core.REPEATED),
    "an unknown grant": ({"grant_type": "urn:example:magic"}, SHOP, core.UNKNOWN_GRANT_TYPE),
    "the password grant": ({"grant_type": "password"}, SHOP, core.UNKNOWN_GRANT_TYPE),
    "the implicit grant": ({"grant_type": "implicit"}, SHOP, core.UNKNOWN_GRANT_TYPE),
    "a grant in capitals": ({"grant_type": "Refresh_Token"}, SHOP, core.UNKNOWN_GRANT_TYPE),
    "another client's grant": ({"grant_type": "client_credentials"}, SHOP, core.GRANT_NOT_ALLOWED),
    "codes for a robot": ({"grant_type": "authorization_code", "code": "c"}, ROBOT, core.GRANT_NOT_ALLOWED),
    "credentials of a public client": (
        {"grant_type": "client_credentials"},
        replace(APP, grants=frozenset({"client_credentials"})),
        core.GRANT_NOT_ALLOWED,
    ),
    "no code": ({"grant_type": "authorization_code"}, SHOP, core.PARAMETER_MISSING),
    "an empty code": ({"grant_type": "authorization_code", "code": ""}, SHOP, core.PARAMETER_MISSING),
    "no refresh token": ({"grant_type": "refresh_token"}, SHOP, core.PARAMETER_MISSING),
}


@pytest.mark.parametrize(("sent", "client", "page"), REFUSED.values(), ids=REFUSED.keys())
def test_a_token_request_is_refused_for(sent: Sent, client: Client, page: Page) -> None:
    trail = opening(sent, client)
    assert trail.refusal is not None
    assert trail.refusal.page is page
    assert ends_in(trail, trail.refusal)


@pytest.mark.parametrize(
    ("sent", "client"),
    [
        ({"grant_type": "authorization_code", "code": "c"}, SHOP),
        ({"grant_type": "refresh_token", "refresh_token": "r"}, APP),
        ({"grant_type": "client_credentials"}, ROBOT),
        ({"grant_type": "client_credentials", "resource": ["https://a.example", "https://b.example"]}, ROBOT),
    ],
)
def test_a_token_request_that_names_its_grant_and_what_it_needs_goes_on(sent: Sent, client: Client) -> None:
    assert opening(sent, client).refusal is None
