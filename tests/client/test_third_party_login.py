"""Another party asks the client to start a sign-in: it chooses neither the issuer nor where the person lands."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from innkeeper.client import Access, Client, Refused, Wish, begin, discover, initiated, run
from tests.client.issuer import StubIssuer

HOME = "https://client.example/"
OURS = ("https://issuer.example", "https://other.example/tenant")


def asked(**sent: str) -> Wish:
    return initiated(urlencode(sent), OURS, HOME)


def test_a_sign_in_at_an_issuer_of_ours_is_started_with_its_hint() -> None:
    wish = asked(iss=OURS[1], login_hint="guest@hotel.example", target_link_uri="https://client.example/room?n=204")
    assert wish == Wish(OURS[1], "guest@hotel.example", "https://client.example/room?n=204")
    assert asked(iss=OURS[0]) == Wish(OURS[0])


@pytest.mark.parametrize("iss", ["", "https://evil.example", "https://issuer.example/", "https://ISSUER.example"])
def test_no_sign_in_is_started_at_a_strangers(iss: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(iss=iss)
    assert refused.value.number == "IK616"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "https://client.example.evil.example/",
        "https://client.example@evil.example/",
        "https://client.example\\@evil.example/",
        "http://client.example/",
        "https://client.example:8443/",
        "//evil.example/",
        "/room",
        "javascript:alert(1)",
        "https://[::1",
        "https://client.example/ö",
    ],
)
def test_nobody_is_sent_on_to_another_site(target: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(iss=OURS[0], target_link_uri=target)
    assert refused.value.number == "IK617"


@pytest.mark.parametrize("sent", ["iss=a&iss=b", "%ff", f"iss={OURS[0]}&login_hint=a&login_hint=b"])
def test_what_cannot_be_read_starts_nothing(sent: str) -> None:
    with pytest.raises(Refused) as refused:
        initiated(sent, OURS, HOME)
    assert refused.value.number == "IK616"


def test_the_hint_goes_on_to_the_issuer() -> None:
    stub = StubIssuer()
    with stub.client() as http:
        metadata = run(discover(stub.issuer), http)
    pending = run(begin(metadata, Client("guest-app"), Access("openid"), f"{HOME}callback", login_hint="guest@hotel"))
    assert parse_qs(urlsplit(pending.url).query)["login_hint"] == ["guest@hotel"]
