"""What the guard decides, remembers and tells."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.guard import Refused, Verified, oidc, read_unverified
from innkeeper.guard.credentials import Credentials, credentials
from innkeeper.guard.decision import Asked, Evidence, admits, believed, drawn
from innkeeper.guard.needs import Needs
from innkeeper.guard.scopes import Implications
from innkeeper.keys.jws import NotAToken
from innkeeper.protocol.challenges import parse
from innkeeper.protocol.exchange import Reply
from innkeeper.protocol.refusals import UsageError
from innkeeper.tokens.access import read
from innkeeper.tokens.trail import Trail
from innkeeper.tokens.verification import Presented
from tests.guard.world import HOTEL, ISSUER, KID, NOW, World, claims, forge, number, public, run

METADATA = "https://hotel.example/.well-known/oauth-protected-resource/doors"


def asked(header: str | None, scopes: tuple[str, ...] = (), query: bytes = b"", **more: Any) -> Reply | Verified:
    """What a request with this Authorization header gets."""
    guard = World().guard(**more)
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    outcome = guard.admit_blocking(credentials(headers, query), scopes)
    return guard.challenge(outcome) if isinstance(outcome, Refused) else outcome


def challenged(answer: Reply | Verified) -> dict[str, str]:
    assert isinstance(answer, Reply)
    (challenge,) = parse(answer.header("www-authenticate") or "")
    assert challenge.scheme == "Bearer"
    return dict(challenge.parameters)


# --- what a yes says ---------------------------------------------------------------------------------------------


def test_a_verified_token_says_all_it_holds() -> None:
    said = claims(auth_time=NOW - 5, acr="pwd", amr=["pwd", "otp"], act={"sub": "agent"}, gid="g1", nbf=NOW)
    outcome = World().guard().verify_blocking(forge(said))
    assert isinstance(outcome, Verified)
    token = outcome.token
    assert (token.iss, token.sub, token.aud, token.client_id, token.jti) == (
        ISSUER,
        "guest-204",
        (HOTEL,),
        "guest-app",
        "t1",
    )
    assert (token.exp, token.iat, token.nbf, token.auth_time) == (NOW + 600, NOW, NOW, NOW - 5)
    assert token.scope == {"room:enter", "gym:enter"}
    assert (token.acr, token.amr, token.act, token.cnf) == ("pwd", ("pwd", "otp"), {"sub": "agent"}, None)
    assert token.claims["gid"] == "g1"
    assert not token.is_machine


def test_a_token_a_client_got_for_itself_is_known_as_a_machines() -> None:
    outcome = World().guard().verify_blocking(forge(claims(sub="concierge", client_id="concierge")))
    assert isinstance(outcome, Verified)
    assert outcome.token.is_machine


def test_the_trail_of_a_yes_lists_every_check_with_what_was_found() -> None:
    outcome = World().guard().verify_blocking(forge(), ["gym:enter"])
    document = outcome.trail.as_document()
    assert document["outcome"] == "passed"
    assert [(step["name"], step["found"]) for step in document["steps"]] == [
        ("token is a signed jwt", "header.claims.signature"),
        ("issuer is trusted", ISSUER),
        ("algorithm is allowed", "ES256"),
        ("type is access token", "at+jwt"),
        ("key is the issuers", f"kid '{KID}'"),
        ("signature is valid", "valid"),
        ("claims are whole", "all there"),
        ("audience is this api", HOTEL),
        ("token has not expired", "600 s left"),
        ("token is valid already", "no nbf"),
        ("token is not from the future", "0 s old"),
        ("token is not bound to a key", "bearer token"),
        ("scopes are enough", "gym:enter room:enter"),
    ]


def test_the_observer_sees_every_decision_also_of_remembered_tokens() -> None:
    seen: list[Trail] = []
    guard = World().guard(observe=seen.append)
    token = forge()
    for sent in (token, token, "nonsense"):
        guard.verify_blocking(sent)
    guard.admit_blocking(Credentials())
    refusals = [trail.refusal and trail.refusal.page.number for trail in seen]
    assert refusals == [None, None, "IK501", "IK520"]
    assert seen[0] == seen[1]


# --- scopes ------------------------------------------------------------------------------------------------------


def test_all_needed_scopes_must_be_held() -> None:
    guard = World().guard()
    assert number(guard.verify_blocking(forge(), ["room:enter", "gym:enter"])) == "verified"
    assert number(guard.verify_blocking(forge(), ["room:enter", "vip:enter"])) == "IK523"
    assert number(guard.verify_blocking(forge(claims(scope=...)), ["room:enter"])) == "IK523"
    assert number(guard.verify_blocking(forge(claims(scope=...)))) == "verified"


@pytest.mark.parametrize(
    "scope", ["room:enter.x", "room", "ROOM:ENTER", "xroom:enter", "room:enter,gym:enter", "room:enter\tgym:enter"]
)
def test_a_scope_is_held_whole_or_not_at_all(scope: str) -> None:
    assert number(World().guard().verify_blocking(forge(claims(scope=scope)), ["room:enter"])) == "IK523"


def test_a_scope_implies_what_it_was_said_to_and_what_that_implies() -> None:
    guard = World().guard(implies={"hotel:all": ["hotel:leisure"], "hotel:leisure": ["gym:enter", "pool:enter"]})
    token = forge(claims(scope="hotel:all"))
    assert number(guard.verify_blocking(token, ["pool:enter", "hotel:leisure"])) == "verified"
    assert number(guard.verify_blocking(token, ["pool:enter"])) == "verified"
    assert number(guard.verify_blocking(token, ["vip:enter"])) == "IK523"
    assert number(guard.verify_blocking(forge(claims(scope="pool:enter")), ["hotel:all"])) == "IK523"


def test_implications_may_go_in_a_circle() -> None:
    circle = Implications({"a": ["b"], "b": ["a", "c"]})
    assert circle.of(frozenset({"a"})) == {"a", "b", "c"}


# --- what a no tells ---------------------------------------------------------------------------------------------


def test_without_credentials_the_challenge_has_no_error() -> None:
    answer = asked(None, ("gym:enter", "pool:enter"))
    assert isinstance(answer, Reply)
    assert answer.status == 401
    assert challenged(answer) == {"scope": "gym:enter pool:enter", "resource_metadata": METADATA}
    assert b"error" not in answer.body


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Negotiate abc", "DPoP=x", "Bearer=x", "", "Token x"])
def test_another_scheme_is_no_credentials(header: str) -> None:
    answer = asked(header)
    assert isinstance(answer, Reply)
    assert answer.status == 401
    assert "error" not in challenged(answer)


def test_a_bad_token_is_invalid_token_with_one_description_for_all_reasons() -> None:
    world = World()
    guard = world.guard()
    tokens = [
        forge(claims(exp=NOW - 99)),
        forge(which=1),
        forge(claims(aud="x")),
        forge(claims(iss="https://x.example")),
        "x",
    ]
    refused = [guard.verify_blocking(token) for token in tokens]
    answers = {guard.challenge(one) for one in refused if isinstance(one, Refused)}
    assert len({number(one) for one in refused}) == len(tokens)
    (answer,) = answers
    assert answer.status == 401
    assert challenged(answer)["error"] == "invalid_token"
    assert answer.header("cache-control") == "no-store"


def test_missing_scopes_are_403_with_all_that_is_needed() -> None:
    answer = asked(f"Bearer {forge()}", ("gym:enter", "vip:enter"))
    assert isinstance(answer, Reply)
    assert answer.status == 403
    said = challenged(answer)
    assert (said["error"], said["scope"]) == ("insufficient_scope", "gym:enter vip:enter")
    assert said["resource_metadata"] == METADATA


def test_a_remembered_token_is_refused_for_scopes_just_like_a_new_one() -> None:
    guard = World().guard()
    token = forge()
    first = guard.verify_blocking(token, ["vip:enter"])
    guard.verify_blocking(token)
    again = guard.verify_blocking(token, ["vip:enter"])
    assert isinstance(first, Refused)
    assert isinstance(again, Refused)
    assert guard.challenge(first) == guard.challenge(again)
    assert first.trail == again.trail


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer  x", "Bearer a b", 'Bearer "x"', "Bearer x\t", "Bearer é"]
)
def test_a_malformed_header_is_400(header: str) -> None:
    answer = asked(header)
    assert isinstance(answer, Reply)
    assert answer.status == 400
    assert challenged(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "sent",
    [
        credentials([(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]),
        credentials([(b"authorization", b"Bearer a"), (b"authorization", b"Basic b")]),
        credentials([(b"authorization", b"Bearer a")], b"x=1&access_token=b"),
        credentials([(b"authorization", b"Bearer a")], b"access%5Ftoken=b&access_token="),
        credentials([(b"authorization", b"Bearer a, Bearer b")]),
    ],
)
def test_several_credentials_are_400(sent: Credentials) -> None:
    guard = World().guard()
    outcome = guard.admit_blocking(sent)
    assert isinstance(outcome, Refused)
    answer = guard.challenge(outcome)
    assert (answer.status, challenged(answer)["error"]) == (400, "invalid_request")


def test_in_development_a_challenge_links_to_its_explanation() -> None:
    link = "https://hotel.example/_explain?id=1"
    answer = asked("Bearer x", explain=lambda refusal: link)
    assert isinstance(answer, Reply)
    assert challenged(answer)["error_uri"] == link
    assert f'"error_uri":"{link}"'.encode() in answer.body
    bare = asked(None, explain=lambda refusal: link)
    assert "error_uri" not in challenged(bare)


def test_a_token_in_the_address_is_not_read() -> None:
    answer = asked(None, query=b"access_token=" + forge().encode())
    assert isinstance(answer, Reply)
    assert answer.status == 401
    assert "error" not in challenged(answer)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_in_either_case(scheme: str) -> None:
    assert isinstance(asked(f"{scheme} {forge()}"), Verified)


def test_coroutines_and_threads_admit_alike() -> None:
    world = World()
    guard = world.guard()
    for sent in (Credentials(), Credentials((f"Bearer {forge()}",)), Credentials(("Bearer x",))):
        assert number(run(guard.admit(sent, ["gym:enter"]))) == number(guard.admit_blocking(sent, ["gym:enter"]))


# --- what is published -------------------------------------------------------------------------------------------


def test_the_published_document_names_resource_issuers_and_scopes() -> None:
    guard = World().guard(scopes_supported=["pool:enter", "gym:enter"])
    assert guard.metadata().body == (
        b'{"resource":"https://hotel.example/doors","authorization_servers":["https://issuer.example"],'
        b'"scopes_supported":["gym:enter","pool:enter"],"bearer_methods_supported":["header"]}'
    )


def test_an_audience_that_is_no_url_publishes_nothing_unless_a_resource_is_given() -> None:
    bare = World().guard(audience="api://hotel")
    outcome = bare.admit_blocking(Credentials())
    assert isinstance(outcome, Refused)
    assert bare.challenge(outcome).header("www-authenticate") == "Bearer"
    assert bare.door.metadata_paths == ()
    assert World().guard(audience="api://hotel", resource=HOTEL).door.metadata_url == METADATA


@pytest.mark.parametrize("resource", ["/hotel", "hotel", f"{HOTEL}#x", "ftp://h.example"])
def test_a_resource_that_cannot_be_published_is_a_mistake_said_aloud(resource: str) -> None:
    with pytest.raises(UsageError, match="resource"):
        World().guard(resource=resource)


# --- other providers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typ", ["JWT", ..., "at+jwt"])
def test_a_generic_provider_may_write_its_tokens_less_strictly(typ: Any) -> None:
    said = claims(client_id=..., jti=..., scope=..., azp="app", scp=["a", "b"])
    world = World()
    outcome = world.guard(oidc(ISSUER)).verify_blocking(forge(said, header={"typ": typ}), ["a"])
    assert isinstance(outcome, Verified)
    assert (outcome.token.client_id, outcome.token.scope) == ("app", {"a", "b"})
    assert outcome.trail.as_document()["steps"][7]["name"] == "token is no id token"


def test_the_strict_preset_refuses_what_the_generic_one_takes() -> None:
    assert number(World().guard().verify_blocking(forge(header={"typ": "JWT"}))) == "IK504"


@pytest.mark.parametrize("mark", ["at_hash", "c_hash", "s_hash"])
def test_a_generic_provider_s_id_token_is_refused(mark: str) -> None:
    token = forge(claims(**{mark: "x"}), header={"typ": "JWT"})
    guard = World().guard(oidc(ISSUER))
    assert number(guard.verify_blocking(token)) == "IK504"
    assert guard.verify_blocking(token).trail.steps[-1].check.name == "token is no id token"


@pytest.mark.parametrize("scp", [7, {"a": 1}, None])
def test_odd_scopes_of_a_generic_provider_are_refused_or_empty(scp: Any) -> None:
    outcome = (
        World().guard(oidc(ISSUER)).verify_blocking(forge(claims(scope=..., scp=scp), header={"typ": "JWT"}), ["a"])
    )
    assert number(outcome) in {"IK507", "IK523"}


# --- remembering -------------------------------------------------------------------------------------------------


def test_a_remembered_token_ends_when_it_expires() -> None:
    world = World()
    guard = world.guard()
    token = forge(claims(exp=NOW + 100))
    assert number(guard.verify_blocking(token)) == "verified"
    world.now = NOW + 129
    assert number(guard.verify_blocking(token)) == "verified"
    world.now = NOW + 130
    assert number(guard.verify_blocking(token)) == "IK509"


def test_a_remembered_token_is_early_again_when_the_clock_goes_back() -> None:
    world = World()
    guard = world.guard()
    token = forge(claims(nbf=NOW))
    assert number(guard.verify_blocking(token)) == "verified"
    world.now = NOW - 31
    assert number(guard.verify_blocking(token)) == "IK510"


def test_only_so_many_tokens_are_remembered() -> None:
    guard = World().guard(remembered=3)
    for n in range(10):
        guard.verify_blocking(forge(claims(jti=f"t{n}")))
    assert len(guard._memory._known) == 3


def test_no_token_is_kept_in_memory_as_it_was_sent() -> None:
    guard = World().guard()
    token = forge()
    guard.verify_blocking(token)
    assert all(len(key) == 32 for key in guard._memory._known)


def test_claims_handed_out_cannot_be_changed_for_the_next_caller() -> None:
    outcome = World().guard().verify_blocking(forge())
    assert isinstance(outcome, Verified)
    with pytest.raises(TypeError):
        outcome.token.claims["sub"] = "guest-305"  # type: ignore[index]
    with pytest.raises(AttributeError):
        outcome.token.sub = "guest-305"  # type: ignore[misc]


# --- the quick yes and the checks --------------------------------------------------------------------------------

times = st.integers(NOW - 40, NOW + 40)
names = st.sampled_from(("room:enter", "gym:enter", "vip:enter", "hotel:all"))


@given(
    exp=times,
    iat=times,
    nbf=st.none() | times,
    now=times.map(float) | st.floats(NOW - 40, NOW + 40),
    leeway=st.sampled_from((0, 1, 30)),
    aud=st.lists(st.sampled_from((HOTEL, "https://x.example")), min_size=1, max_size=2),
    held=st.sets(names),
    needed=st.frozensets(names),
    marks=st.booleans(),
)
@settings(deadline=None)
def test_the_quick_yes_is_said_exactly_where_every_check_passes(
    exp: int,
    iat: int,
    nbf: int | None,
    now: float,
    leeway: float,
    aud: list[str],
    held: set[str],
    needed: frozenset[str],
    marks: bool,
) -> None:
    guard = World().guard(oidc(ISSUER), leeway=leeway, implies={"hotel:all": ["gym:enter"]})
    more = {"nbf": nbf} if nbf is not None else {}
    said = claims(exp=exp, iat=iat, aud=aud, scope=" ".join(held), **({"at_hash": "x"} if marks else {}), **more)
    shelf = guard._shelves[ISSUER]
    token = read(said)
    presented = Presented(
        {"alg": "ES256", "typ": "at+jwt"}, said, (ISSUER,), shelf.preset.expected, signature="valid", token=token
    )
    evidence = Evidence(presented, shelf)
    known = believed(token, shelf, guard._rules, now, presented.header)
    asked = Asked(Needs(needed), now)
    quick = known is not None and admits(known, asked, guard._rules)
    assert quick is (drawn(evidence, asked, guard._rules).refusal is None)


# --- for printing only -------------------------------------------------------------------------------------------


def test_an_unverified_token_is_another_kind_of_value() -> None:
    token = read_unverified(forge(which=1))
    assert token.claims["sub"] == "guest-204"
    assert token.header["kid"] == KID
    assert not isinstance(token, Verified)
    assert not hasattr(token, "token")


def test_reading_without_verifying_is_as_strict_about_form() -> None:
    with pytest.raises(NotAToken, match="twice"):
        read_unverified(forge(b'{"a":1,"a":2}'))


# --- light to load -----------------------------------------------------------------------------------------------


def test_a_guard_loads_nothing_that_it_may_never_need() -> None:
    """A fresh interpreter that imports the guard, and uses it, holds no HTTP client, no event loop, no TLS, no framework and
    nothing of the server."""
    told = {
        f"{ISSUER}/.well-known/oauth-authorization-server": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"},
        f"{ISSUER}/jwks": {"keys": [public()]},
    }
    code = (
        "import sys\nfrom innkeeper.guard import Guard\nfrom innkeeper.protocol.exchange import json_reply\n"
        f"told = {told}\n"
        f"guard = Guard({ISSUER!r}, {HOTEL!r}, clock=lambda: {NOW}, fetch_blocking=lambda url: json_reply(told[url]))\n"
        f"assert guard.verify_blocking({forge()!r}, ['gym:enter']).token.sub == 'guest-204'\nprint(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    heavy = {
        "asyncio",
        "ssl",
        "httpx2",
        "starlette",
        "fastapi",
        "pydantic",
        "mcp",
        "flask",
        "django",
        "grpc",
        "joserfc",
        "uvicorn",
        "sqlite3",
        "asyncpg",
        "sqlalchemy",
        "jinja2",
    }
    assert heavy.isdisjoint(ran.stdout.split())
    assert not [one for one in ran.stdout.split() if one.startswith(("innkeeper.issuer", "innkeeper.client"))]
