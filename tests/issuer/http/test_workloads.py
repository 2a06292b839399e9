"""Programs without a secret: the platform they run on signs who they are, and a rule says which client that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from innkeeper.issuer.core.platforms import Workload
from innkeeper.issuer.core.records import TrustedIssuer
from innkeeper.issuer.core.token import JWT_BEARER
from innkeeper.issuer.settings import SeedClient, load
from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from innkeeper.protocol.refusals import UsageError
from tests.issuer.house import ORIGIN, SETTINGS, Answer, House

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
JWKS = (jwk.public_document(KEY.public_key(), "k", "ES256"),)
GITHUB = "https://token.actions.githubusercontent.com"
CLUSTER = "https://oidc.cluster.example"
AWS = "https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws"
DOMAIN = "spiffe://prod.example"
ROLE = "arn:aws:iam::123456789012:role/agent"
BY_NAMES = {"kubernetes.io": {"namespace": "prod", "serviceaccount": {"name": "agent"}}}

ISSUERS = (
    TrustedIssuer(
        issuer=GITHUB,
        platform="github",
        jwks=JWKS,
        workloads=(
            Workload("deployer", {"repository": "acme/app", "ref": "refs/heads/main"}, frozenset({"room:enter"})),
            Workload("tester", {"sub": "repo:acme/app:*"}),
        ),
    ),
    TrustedIssuer(issuer=CLUSTER, platform="kubernetes", jwks=JWKS, workloads=(Workload("deployer", BY_NAMES),)),
    TrustedIssuer(issuer=AWS, platform="aws", jwks=JWKS, workloads=(Workload("deployer", {"sub": ROLE}),)),
    TrustedIssuer(
        issuer=DOMAIN,
        platform="spiffe",
        jwks=({**JWKS[0], "use": "jwt-svid"},),
        audiences=("inn",),
        workloads=(Workload("deployer", {"sub": f"{DOMAIN}/agents/*"}),),
    ),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    deployer = SeedClient(id="deployer", name="Deployer", grants=("jwt_bearer",), scopes=["room:enter", "gym:enter"])
    settings = replace(SETTINGS, client=[deployer, replace(deployer, id="tester")], trusted_issuer=list(ISSUERS))
    made = House(tmp_path_factory.mktemp("house"), settings)
    yield made
    made.close()


_count = iter(range(1_000_000))


def word(house: House, signed_by: Any = KEY, typ: str = "JWT", **changes: Any) -> str:
    """GitHub's word for a job on the main branch of acme/app, with some claims changed; ``...`` leaves one out."""
    now = house.clock()
    said = {
        "iss": GITHUB, "sub": "repo:acme/app:ref:refs/heads/main", "aud": ORIGIN, "exp": now + 300, "iat": now,
        "jti": f"j{next(_count)}", "repository": "acme/app", "ref": "refs/heads/main", **changes,
    }  # fmt: skip
    body = {name: value for name, value in said.items() if value is not ...}
    head = jws.encode_header({"alg": "ES256", "kid": "k", "typ": typ}).encode()
    return jws.compact(head, msgspec.json.encode(body), signed_by, "ES256")


def redeem(house: House, token: str, client: str = "deployer", **more: str) -> Answer:
    return house.token({"grant_type": JWT_BEARER, "assertion": token, "client_id": client, **more})


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    claims: dict[str, Any] = msgspec.json.decode(base64url.decode(answer.json["access_token"].split(".")[1]))
    return claims


def number(house: House, answer: Answer) -> str:
    assert answer.status == 400, answer.body
    assert house.last.refusal is not None
    return house.last.refusal.page.number


def test_a_job_on_the_main_branch_is_the_client_without_any_secret(house: House) -> None:
    claims = said(redeem(house, word(house)))
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("deployer", "deployer", "room:enter")


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "acme/app-of-somebody-else"},
        {"repository": ["acme/other"]},
        {"repository": ...},
        {"ref": "refs/heads/feature"},
        {"ref": True},
        {"aud": [ORIGIN, "https://elsewhere.example"]},
    ],
    ids=str,
)
def test_another_job_is_not_the_client(house: House, changes: dict[str, Any]) -> None:
    answer = redeem(house, word(house, **changes))
    assert (number(house, answer), answer.json["error"]) == ("IK1411", "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"iss": "https://token.actions.githubusercontent.com.evil.example"}, "IK280"),
        ({"iss": CLUSTER, "kubernetes.io": ...}, "IK1411"),
        ({"iss": ...}, "IK280"),
        ({"aud": "https://elsewhere.example"}, "IK280"),
        ({"exp": 1}, "IK280"),
        pytest.param({"signed_by": OTHER}, "IK280", id="signed by another"),
        ({"typ": "at+jwt"}, "IK280"),
        ({"typ": "oauth-id-jag+jwt"}, "IK280"),
    ],
    ids=str,
)
def test_a_word_of_others_or_for_others_is_none(house: House, changes: dict[str, Any], refused: str) -> None:
    assert number(house, redeem(house, word(house, **changes))) == refused


def test_a_star_stands_where_a_name_ends(house: House) -> None:
    on_a_branch = {"sub": "repo:acme/app:ref:refs/heads/x", "ref": "refs/heads/x"}
    assert said(redeem(house, word(house, **on_a_branch), "tester"))["sub"] == "tester"
    assert number(house, redeem(house, word(house, sub="repo:acme/apple:ref:x"), "tester")) == "IK1411"


def test_a_word_that_is_new_each_time_is_good_once(house: House) -> None:
    token = word(house)
    assert redeem(house, token).status == 200
    assert number(house, redeem(house, token)) == "IK281"


@pytest.mark.parametrize("path", ["/token"])
def test_the_errors_that_a_client_must_not_retry_are_told_apart(house: House, path: str) -> None:
    errors = [
        redeem(house, word(house, ref="refs/heads/x")).json["error"],
        redeem(house, word(house), scope="gym:enter").json["error"],
        redeem(house, word(house), scope="sauna:heat").json["error"],
        redeem(house, word(house), resource="https://elsewhere.example").json["error"],
    ]
    assert errors == ["invalid_grant", "invalid_scope", "invalid_scope", "invalid_target"]


def test_a_pod_is_known_by_its_account_and_its_token_is_good_until_it_ends(house: House) -> None:
    pod = {"iss": CLUSTER, "sub": "system:serviceaccount:prod:agent", **BY_NAMES, "jti": ...}
    token = word(house, **pod)
    assert [redeem(house, token).status for _ in range(2)] == [200, 200]
    elsewhere = {"kubernetes.io": {"namespace": "test", "serviceaccount": {"name": "agent"}}}
    assert number(house, redeem(house, word(house, **{**pod, **elsewhere}))) == "IK1411"
    house.clock.move(306)
    assert number(house, redeem(house, token)) == "IK280"


def test_a_role_of_aws_is_known_by_its_arn(house: House) -> None:
    assert said(redeem(house, word(house, iss=AWS, sub=ROLE)))["sub"] == "deployer"
    assert number(house, redeem(house, word(house, iss=AWS, sub=f"{ROLE}-of-another"))) == "IK1411"


def test_a_spiffe_identity_needs_no_iss_and_stays_in_its_trust_domain(house: House) -> None:
    svid = {"iss": ..., "aud": ["inn"], "jti": ..., "typ": "JOSE"}
    assert said(redeem(house, word(house, **svid, sub=f"{DOMAIN}/agents/spa")))["sub"] == "deployer"
    assert number(house, redeem(house, word(house, **svid, sub=f"{DOMAIN}/kitchen"))) == "IK1411"
    assert number(house, redeem(house, word(house, **svid, sub="spiffe://prod.example.evil/agents/spa"))) == "IK280"
    other = {**svid, "iss": DOMAIN, "sub": "spiffe://test.example/agents/spa"}
    assert number(house, redeem(house, word(house, **other))) == "IK1411"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"issuer": GITHUB, "platform": "github", "workloads": [{"client": "c", "claims": {"ref": "x"}}]}, "repository"),
        ({"issuer": GITHUB, "platform": "github"}, "workloads"),
        ({"issuer": GITHUB, "workloads": [{"client": "c", "claims": {}}]}, "without claims"),
        ({"issuer": GITHUB, "workloads": [{"client": "c", "claims": {"sub": "repo:acme*"}}]}, "star"),
        ({"issuer": GITHUB, "workloads": [{"client": "c", "claims": {"sub": "*"}}]}, "star"),
        ({"issuer": GITHUB, "workloads": [{"client": "c", "claims": {"sub": ""}}]}, "empty"),
        ({"issuer": DOMAIN, "platform": "spiffe", "jwks_uri": "https://b.example", "workloads": [
            {"client": "c", "claims": {"sub": "spiffe://other.example/a"}}]}, "trust domain"),
        ({"issuer": DOMAIN, "platform": "spiffe", "workloads": [
            {"client": "c", "claims": {"sub": f"{DOMAIN}/a"}}]}, "jwks_uri"),
        ({"issuer": CLUSTER, "platform": "kubernetes", "workloads": [
            {"client": "c", "claims": {"kubernetes.io": {"namespace": "prod"}}}]}, "serviceaccount"),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_rule_that_lets_strangers_in_is_refused_when_it_is_read(told: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        msgspec.convert(told, TrustedIssuer)


def test_rules_are_read_from_the_settings_and_keys_are_where_the_platform_has_them(tmp_path: Any) -> None:
    text = f"""
[[trusted_issuer]]
issuer = "{GITHUB}"
platform = "github"

[[trusted_issuer.workloads]]
client = "deployer"
claims = {{ repository = "acme/app", environment = "production" }}
scopes = ["room:enter"]
"""
    (tmp_path / "innkeeper.toml").write_text(text)
    found = load(tmp_path / "innkeeper.toml", {}).trusted_issuer[0]
    assert found.jwks_uri == f"{GITHUB}/.well-known/jwks"
    assert found.good_once
