"""Enterprise-managed authorization: an organization's issuer vouches for its people, another server redeems that, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from innkeeper.issuer.core.records import AssertionTarget, TrustedIssuer
from innkeeper.issuer.core.token import JWT_BEARER, TOKEN_EXCHANGE
from innkeeper.issuer.core.vouching import ID_JAG, ID_TOKEN, TYPE
from innkeeper.issuer.settings import SeedClient, SeedResource, Server
from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from tests.issuer.house import ORIGIN, SETTINGS, Answer, House
from tests.issuer.visitor import SHOP, Visitor, redeem

TOOLS = "https://tools.example"
MCP, FILES = f"{TOOLS}/mcp", f"{TOOLS}/files"
AGENT = {"client_id": "agent-at-tools", "client_secret": "agent-secret"}
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Where people sign in: the shop is known at the tools' server as ``agent-at-tools``."""
    shop, app, *others = SETTINGS.client
    clients = [replace(shop, grants=("authorization_code", "token_exchange")), app]
    other = replace(clients[0], id="other", secret="other-secret")
    target = AssertionTarget(
        issuer=TOOLS,
        resources=(MCP, FILES),
        scopes=frozenset({"tools:use", "tools:admin"}),
        clients={"shop": AGENT["client_id"], "app": "app-at-tools"},
        people=frozenset({"ada-1"}),
    )
    settings = replace(SETTINGS, client=[*clients, other, *others], assertion_target=[target])
    made = House(tmp_path_factory.mktemp("organization"), settings)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory, organization: House) -> Iterator[House]:
    """Where the tools are: it trusts the organization, for the tools' own scopes but for ``tools:admin``."""
    keys = [*organization.get("/jwks").json["keys"], jwk.public_document(KEY.public_key(), "forged", "ES256")]
    trusted = TrustedIssuer(
        issuer=ORIGIN,
        jwks=tuple(keys),
        subjects={"ada-1": "ada-1", "bob-2": "bob-2"},
        scopes=frozenset({"tools:use", "files:read"}),
        identity_assertions=True,
    )
    agent = SeedClient(
        id=AGENT["client_id"], name="Agent", secret=AGENT["client_secret"], grants=("jwt_bearer",),
        scopes=["tools:use", "tools:admin", "files:read"],
    )  # fmt: skip
    settings = replace(
        SETTINGS,
        server=Server(public_url=TOOLS),
        resource=[
            SeedResource(MCP, "Tools", {"tools:use": "Use tools", "tools:admin": "Set them up"}),
            SeedResource(FILES, "Files", {"files:read": "Read files", "tools:use": "Use tools"}),
        ],
        client=[agent, replace(agent, id="app-at-tools", secret=""), replace(agent, id="another")],
        trusted_issuer=[trusted],
    )
    made = House(tmp_path_factory.mktemp("tools"), settings, clock=organization.clock)
    yield made
    made.close()


@pytest.fixture(scope="module")
def id_token(organization: House) -> str:
    return str(redeem(organization, Visitor(organization).code()).json["id_token"])


def vouched(house: House, id_token: str, **changes: Any) -> Answer:
    """Leg one; None leaves a parameter out."""
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "requested_token_type": ID_JAG,
        "subject_token": id_token,
        "subject_token_type": ID_TOKEN,
        "audience": TOOLS,
        "resource": MCP,
        "scope": "tools:use",
        **SHOP,
        **changes,
    }
    return house.token({name: value for name, value in form.items() if value is not None})


def redeemed(house: House, assertion: str, client: dict[str, str] = AGENT, **more: str) -> Answer:
    """Leg two."""
    return house.token({"grant_type": JWT_BEARER, "assertion": assertion, **client, **more})


def claims_of(token: str, part: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(base64url.decode(token.split(".")[part]))
    return found


def number(house: House, answer: Answer) -> str:
    assert answer.status == 400, answer.body
    assert house.last.refusal is not None
    return house.last.refusal.page.number


def test_a_person_s_id_token_becomes_an_assertion_and_that_a_token_for_the_tools(
    organization: House, tools: House, id_token: str
) -> None:
    leg = vouched(organization, id_token).json
    assert (leg["token_type"], leg["issued_token_type"], leg["expires_in"]) == ("N_A", ID_JAG, 300)
    assertion = leg["access_token"]
    assert claims_of(assertion, 0)["typ"] == TYPE
    said = claims_of(assertion)
    assert {"auth_time", "acr"} <= set(said)
    now = organization.clock()
    assert {name: said[name] for name in ("iss", "sub", "aud", "client_id", "resource", "scope", "iat", "exp")} == {
        "iss": ORIGIN, "sub": "ada-1", "aud": TOOLS, "client_id": AGENT["client_id"], "resource": MCP,
        "scope": "tools:use", "iat": now, "exp": now + 300,
    }  # fmt: skip
    answer = redeemed(tools, assertion).json
    token = claims_of(answer["access_token"])
    assert (token["iss"], token["sub"], token["aud"], token["scope"]) == (TOOLS, "ada-1", MCP, "tools:use")
    assert {"refresh_token", "id_token"}.isdisjoint(answer)
    assert number(tools, redeemed(tools, assertion)) == "IK281", "a copy of it is worth nothing"


def test_the_tools_server_cuts_what_the_organization_allows(organization: House, tools: House, id_token: str) -> None:
    both = vouched(organization, id_token, scope="tools:use tools:admin").json
    assert both["scope"] == "tools:admin tools:use"
    assert redeemed(tools, both["access_token"]).json["scope"] == "tools:use"
    admin = vouched(organization, id_token, scope="tools:admin").json["access_token"]
    assert number(tools, redeemed(tools, admin)) == "IK210"
    wider = vouched(organization, id_token).json["access_token"]
    assert number(tools, redeemed(tools, wider, scope="tools:use files:read")) == "IK210"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"audience": "https://tools.example/"}, "IK1401"),
        ({"audience": "https://evil.example"}, "IK1401"),
        ({"audience": None}, "IK1401"),
        ({"resource": None}, "IK1403"),
        ({"resource": "https://evil.example/mcp"}, "IK1403"),
        ({"scope": "root:all"}, "IK1404"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"}, "IK1400"),
        ({"subject_token": "no token"}, "IK1400"),
        ({"actor_token": "x", "actor_token_type": ID_TOKEN}, "IK1400"),
        ({"client_id": "other", "client_secret": "other-secret"}, "IK1400"),
    ],
    ids=str,
)
def test_nobody_is_vouched_for_elsewhere_or_by_others(
    organization: House, id_token: str, changes: dict[str, Any], refused: str
) -> None:
    assert number(organization, vouched(organization, id_token, **changes)) == refused


def test_a_person_whom_the_server_is_not_for_is_not_vouched_for(organization: House) -> None:
    visitor = Visitor(organization)
    back = visitor.allow(visitor.sign_in(visitor.authorize(), username="bob@example.org"))
    bobs = redeem(organization, back.sent_back["code"]).json["id_token"]
    assert number(organization, vouched(organization, bobs)) == "IK1400"


def test_a_client_that_is_not_mapped_gets_no_assertion(organization: House) -> None:
    other = {"client_id": "other", "client_secret": "other-secret"}
    code = Visitor(organization).code(client_id="other")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://shop.example/callback"}
    tokens = organization.token({**form, "code_verifier": "the-verifier-of-these-tests-is-43-letters-long", **other})
    assert number(organization, vouched(organization, tokens.json["id_token"], **other)) == "IK1402"


def forged(house: House, typ: str = TYPE, **changes: Any) -> str:
    """An assertion as the organization might sign it, with some claims changed; ``...`` leaves one out."""
    now = house.clock()
    said = {
        "iss": ORIGIN, "sub": "ada-1", "aud": TOOLS, "client_id": AGENT["client_id"], "resource": MCP,
        "scope": "tools:use", "iat": now, "exp": now + 300, "jti": f"j{next(_count)}", **changes,
    }  # fmt: skip
    body = {name: value for name, value in said.items() if value is not ...}
    head = jws.encode_header({"alg": "ES256", "kid": "forged", "typ": typ}).encode()
    return jws.compact(head, msgspec.json.encode(body), KEY, "ES256")


_count = iter(range(1_000_000))


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"aud": ORIGIN}, "IK280"),
        ({"aud": f"{TOOLS}/token"}, "IK1410"),
        ({"aud": [TOOLS, "https://evil.example"]}, "IK1410"),
        ({"client_id": "another"}, "IK1410"),
        ({"client_id": ...}, "IK1410"),
        ({"jti": ...}, "IK1410"),
        ({"iat": ...}, "IK1410"),
        ({"resource": ...}, "IK1410"),
        ({"resource": "https://evil.example/mcp"}, "IK211"),
        ({"scope": ...}, "IK210"),
        ({"sub": "stranger"}, "IK282"),
        ({"exp": 1}, "IK280"),
        ({"typ": "JWT"}, "IK280"),
        ({"typ": "at+jwt"}, "IK280"),
    ],
    ids=str,
)
def test_an_assertion_for_others_or_of_another_type_is_refused(
    tools: House, changes: dict[str, Any], refused: str
) -> None:
    assert number(tools, redeemed(tools, forged(tools, **changes))) == refused


def test_an_assertion_for_one_resource_opens_no_other(tools: House) -> None:
    assert number(tools, redeemed(tools, forged(tools), resource=FILES)) == "IK211"
    token = claims_of(redeemed(tools, forged(tools), resource=MCP).json["access_token"])
    assert token["aud"] == MCP
    assert claims_of(redeemed(tools, forged(tools, resource=FILES)).json["access_token"])["aud"] == FILES


def test_an_assertion_is_good_in_its_own_client_s_hands_alone(tools: House) -> None:
    public = {"client_id": "app-at-tools"}
    assert number(tools, redeemed(tools, forged(tools, client_id="app-at-tools"), public)) == "IK1410"
    stolen = {"client_id": "another", "client_secret": "agent-secret"}
    assert number(tools, redeemed(tools, forged(tools), stolen)) == "IK1410"


def test_an_organization_s_id_token_is_no_assertion(tools: House, id_token: str) -> None:
    assert number(tools, redeemed(tools, id_token)) == "IK280"


def test_that_assertions_are_redeemed_is_published_where_they_are(tools: House, organization: House) -> None:
    found = tools.get("/.well-known/oauth-authorization-server").json
    assert found["authorization_grant_profiles_supported"] == ["urn:ietf:params:oauth:grant-profile:id-jag"]
    assert "authorization_grant_profiles_supported" not in organization.get("/.well-known/openid-configuration").json
