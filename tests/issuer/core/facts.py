"""A small realm for decisions: two APIs, four clients, a person. Times count from ``NOW``; nothing here does I/O."""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace

from innkeeper.issuer.core import authorize
from innkeeper.issuer.core.authorization_request import Authorization
from innkeeper.issuer.core.authorize import Turned
from innkeeper.issuer.core.consents import shown
from innkeeper.issuer.core.decision import Decision
from innkeeper.issuer.core.policy import Policy
from innkeeper.issuer.core.records import Client, Code, Consent, Grant, Person, RefreshToken, Resource, Secret, Session
from innkeeper.protocol import pkce
from innkeeper.protocol.parameters import Parameters

NOW = 1_800_000_000
ISSUER = "https://issuer.example"
HOTEL = "https://api.example/hotel"
SPA = "https://api.example/spa"
POLICY = Policy(
    issuer=ISSUER,
    resources={
        HOTEL: Resource(HOTEL, "The hotel", {"room:enter": "Open your room", "gym:enter": "Use the gym"}),
        SPA: Resource(SPA, "The spa", {"sauna:heat": "Heat the sauna"}),
    },
)

VERIFIER = "a-verifier-of-43-characters-at-the-very-least"
CHALLENGE = pkce.challenge(VERIFIER)
SECRET = "the web shop's secret: 20 % off"


def digest(value: str) -> bytes:
    return sha256(value.encode()).digest()


APP = Client(
    id="app",
    name="The app",
    auth_methods=frozenset({"none"}),
    redirect_uris=("http://127.0.0.1/callback", "app.example:/back"),
    post_logout_redirect_uris=("http://127.0.0.1/bye",),
    grants=frozenset({"authorization_code", "refresh_token"}),
    scopes=frozenset({"openid", "profile", "email", "offline_access", "room:enter", "gym:enter"}),
    application_type="native",
)
"""A public native client."""

SHOP = Client(
    id="shop",
    name="The shop",
    auth_methods=frozenset({"client_secret_basic", "client_secret_post"}),
    secrets=(Secret(digest(SECRET), NOW - 1000),),
    redirect_uris=("https://shop.example/callback",),
    post_logout_redirect_uris=("https://shop.example/bye",),
    grants=frozenset({"authorization_code", "refresh_token"}),
    scopes=frozenset({"openid", "profile", "room:enter", "gym:enter", "sauna:heat"}),
)
"""A confidential client of people."""

ROBOT = replace(
    SHOP,
    id="robot",
    name="The robot",
    grants=frozenset({"client_credentials"}),
    redirect_uris=(),
    scopes=frozenset({"room:enter", "gym:enter"}),
)
"""A confidential client with nobody behind it."""

ADA = Person(sub="ada-1", username="ada", claims={"name": "Ada", "email": "ada@example.org", "secret": "not yours"})
SESSION = Session(
    id="sid-1",
    digest=digest("cookie"),
    sub=ADA.sub,
    auth_time=NOW - 100,
    acr=POLICY.acr,
    amr=("pwd",),
    expires_at=NOW + 3600,
)
CONSENT = Consent(
    sub=ADA.sub,
    client_id=SHOP.id,
    scopes=frozenset({"openid", "room:enter"}),
    resources=frozenset({HOTEL, ISSUER}),
    given_at=NOW - 500,
    shown=shown(SHOP),
)
GRANT = Grant(
    id="grant-1",
    client_id=SHOP.id,
    sub=ADA.sub,
    scopes=frozenset({"openid", "room:enter", "gym:enter", "sauna:heat"}),
    audience=(HOTEL, SPA, ISSUER),
    auth_time=NOW - 100,
    acr=POLICY.acr,
    amr=("pwd",),
    session_id=SESSION.id,
    created_at=NOW - 50,
)
CODE = Code(
    digest=digest("code"),
    grant=GRANT,
    redirect_uri="https://shop.example/callback",
    challenge=CHALLENGE,
    nonce="n-1",
    expires_at=NOW + 30,
)
REFRESH = RefreshToken(digest=digest("refresh"), grant_id=GRANT.id, expires_at=NOW + 86_400)

ASKED = {
    "client_id": SHOP.id,
    "redirect_uri": "https://shop.example/callback",
    "response_type": "code",
    "scope": "openid room:enter",
    "state": "s-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
"""An authorization request of the shop that nothing is wrong with."""


def parameters(sent: dict[str, str | list[str] | None]) -> Parameters:
    """Parameters as a request carries them: a list repeats the name, None leaves it out."""
    pairs: list[tuple[str, str]] = []
    for name, value in sent.items():
        values = [] if value is None else [value] if isinstance(value, str) else value
        pairs += [(name, one) for one in values]
    return Parameters(pairs)


def examined(
    client: Client | None = SHOP, policy: Policy = POLICY, /, **changes: str | list[str] | None
) -> Decision[Authorization | Turned]:
    """The decision on the good request with some parameters changed."""
    return authorize.examine(parameters({**ASKED, **changes}), client, policy)


def good(**changes: str | list[str] | None) -> Authorization:
    """A request that was found good."""
    outcome = examined(**changes).outcome
    assert isinstance(outcome, Authorization), outcome
    return outcome
