"""Bound tokens: taken with their holder's proof or certificate, and in no other way."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from starlette.responses import JSONResponse

from innkeeper.guard import Dpop, Guard, Refused, Verified
from innkeeper.guard.asgi import GuardMiddleware, token
from innkeeper.guard.credentials import Credentials
from innkeeper.guard.replays import Full, Nonces, Replays
from innkeeper.protocol import base64url
from innkeeper.protocol.challenges import Challenge, parse
from innkeeper.protocol.proxies import proxies
from innkeeper.protocol.refusals import UsageError
from tests.guard.holders import URL, bound_token, proof, sent
from tests.guard.world import NOW, World, claims, forge, number, run
from tests.keys.certificates import Issued


def told(guard: Guard, outcome: Verified | Refused) -> tuple[int, tuple[Challenge, ...]]:
    assert isinstance(outcome, Refused)
    answer = guard.challenge(outcome)
    return answer.status, parse(answer.header("www-authenticate") or "")


def test_a_bound_token_is_taken_with_a_proof_of_its_key() -> None:
    bound = bound_token()
    outcome = World().guard().admit_blocking(sent(bound, proof(bound)), ["gym:enter"])
    assert isinstance(outcome, Verified)
    names = [step.check.name for step in outcome.trail.steps]
    assert "the key is the bound one" in names
    assert names.index("scheme fits the binding") < names.index("the proof is fresh") < names.index("scopes are enough")
    assert outcome.trail.refusal is None


def test_coroutines_take_it_too() -> None:
    bound = bound_token()
    assert number(run(World().guard().admit(sent(bound, proof(bound))))) == "verified"


def test_a_proof_works_once_for_a_remembered_token_as_for_a_new_one() -> None:
    guard, bound = World().guard(), bound_token()
    once = proof(bound)
    assert number(guard.admit_blocking(sent(bound, once))) == "verified"
    again = guard.admit_blocking(sent(bound, once))
    assert number(again) == "IK540"
    assert "used before" in again.trail.as_document()["refusal"]["reason"]
    assert number(guard.admit_blocking(sent(bound, proof(bound)))) == "verified"


def test_a_proof_is_used_up_even_where_its_scopes_were_not_enough() -> None:
    guard, bound = World().guard(), bound_token()
    once = proof(bound)
    assert number(guard.admit_blocking(sent(bound, once), ["vip:enter"])) == "IK523"
    assert number(guard.admit_blocking(sent(bound, once))) == "IK540"


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "https://hotel.example/vip"},
        {"url": "http://hotel.example/gym"},
        {"method": "POST"},
        {"which": 2},
        {"iat": NOW - 301},
        {"iat": NOW + 61},
        {"ath": ...},
        {"ath": "x"},
        {"jti": ...},
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "none"}},
        {"header": {"jwk": {}}},
    ],
)
def test_a_proof_that_does_not_prove_it_is_refused(wrong: dict[str, Any]) -> None:
    guard, bound = World().guard(), bound_token()
    outcome = guard.admit_blocking(sent(bound, proof(bound, **wrong)))
    assert number(outcome) in {"IK540", "IK542"}
    status, (challenge,) = told(guard, outcome)
    assert (status, challenge.scheme) == (401, "DPoP")
    assert challenge.get("error") in {"invalid_dpop_proof", "invalid_token"}
    assert "ES256" in (challenge.get("algs") or "")


def test_a_proof_for_another_token_is_refused() -> None:
    guard, bound = World().guard(), bound_token()
    assert number(guard.admit_blocking(sent(bound, proof(bound_token())))) == "IK540"


def test_query_and_fragment_do_not_count_in_a_proof() -> None:
    guard, bound = World().guard(), bound_token()
    assert number(guard.admit_blocking(sent(bound, proof(bound, url=f"{URL}?a=1#b")))) == "verified"


def test_without_a_proof_or_with_two_it_is_refused() -> None:
    guard, bound = World().guard(), bound_token()
    for proofs in ((), (proof(bound), proof(bound)), ("",), ("x.y.z",)):
        outcome = guard.admit_blocking(sent(bound, *proofs))
        assert number(outcome) == "IK540"
        assert told(guard, outcome)[0] == 401


def test_a_bound_token_does_not_go_as_a_bearer_s() -> None:
    guard, bound = World().guard(), bound_token()
    for proofs in ((), (proof(bound),)):
        outcome = guard.admit_blocking(sent(bound, *proofs, scheme="Bearer"))
        assert number(outcome) == "IK566"
        status, (challenge,) = told(guard, outcome)
        assert (status, challenge.scheme, challenge.get("error")) == (401, "DPoP", "invalid_token")


def test_a_token_that_is_not_bound_does_not_go_with_a_proof() -> None:
    guard, free = World().guard(), forge()
    assert number(guard.admit_blocking(sent(free, proof(free)))) == "IK567"
    assert number(guard.admit_blocking(sent(free, proof(free), scheme="Bearer"))) == "verified"


def test_a_token_alone_shows_no_holder() -> None:
    assert number(World().guard().verify_blocking(bound_token())) == "IK513"


@pytest.mark.parametrize(
    "cnf", [{}, {"jwk": {}}, {"kid": "x"}, {"jkt": 7}, {"jkt": "x", "kid": "y"}, {"x5t#S256": None}]
)
def test_a_binding_that_is_not_understood_is_refused(cnf: dict[str, Any]) -> None:
    bound = forge(claims(cnf=cnf))
    for scheme in ("Bearer", "DPoP"):
        assert number(World().guard().admit_blocking(sent(bound, proof(bound), scheme=scheme))) == "IK570"


def test_where_only_bound_tokens_are_taken_others_are_refused_and_callers_told() -> None:
    guard = World().guard(dpop=Dpop(required=True))
    outcome = guard.admit_blocking(sent(forge(), scheme="Bearer"))
    assert number(outcome) == "IK571"
    assert told(guard, outcome)[1][0].scheme == "DPoP"
    empty = guard.admit_blocking(Credentials())
    status, (challenge,) = told(guard, empty)
    assert (status, challenge.scheme, challenge.get("error")) == (401, "DPoP", None)
    bound = bound_token()
    assert number(guard.admit_blocking(sent(bound, proof(bound)))) == "verified"
    published = guard.metadata().body
    assert b'"dpop_bound_access_tokens_required":true' in published
    assert b'"dpop_signing_alg_values_supported"' in published


def test_where_both_are_taken_a_caller_without_anything_is_told_both() -> None:
    guard = World().guard(dpop=Dpop())
    status, found = told(guard, guard.admit_blocking(Credentials(), ["gym:enter"]))
    assert (status, [one.scheme for one in found]) == (401, ["Bearer", "DPoP"])
    assert {one.get("scope") for one in found} == {"gym:enter"}
    ordinary = World().guard()
    assert [one.scheme for one in told(ordinary, ordinary.admit_blocking(Credentials()))[1]] == ["Bearer"]


def test_a_nonce_is_asked_for_given_out_and_taken() -> None:
    world = World()
    guard = world.guard(dpop=Dpop(nonces=True))
    bound = bound_token(exp=NOW + 3600)
    outcome = guard.admit_blocking(sent(bound, proof(bound)))
    assert isinstance(outcome, Refused)
    answer = guard.challenge(outcome)
    assert answer.status == 401
    assert 'error="use_dpop_nonce"' in (answer.header("www-authenticate") or "")
    nonce = answer.header("dpop-nonce")
    assert nonce
    assert number(guard.admit_blocking(sent(bound, proof(bound, nonce=nonce)))) == "verified"
    assert number(guard.admit_blocking(sent(bound, proof(bound, nonce="made up")))) == "IK541"
    world.now = NOW + 240
    assert number(guard.admit_blocking(sent(bound, proof(bound, nonce=nonce, iat=NOW + 240)))) == "IK541"


def test_nodes_with_the_same_secret_give_the_same_nonces() -> None:
    secret = b"s" * 32
    assert Nonces(secret).current(NOW) == Nonces(secret).current(NOW)
    assert Nonces().current(NOW) != Nonces().current(NOW)
    assert Nonces(secret).current(NOW) in Nonces(secret).good(NOW + 120)
    assert Nonces(secret).current(NOW) not in Nonces(secret).good(NOW + 240)


def test_a_memory_of_proofs_that_is_full_refuses_and_forgets_only_what_no_proof_could_use() -> None:
    replays = Replays(2)
    assert replays.first(b"a", NOW)
    assert not replays.first(b"a", NOW + 359)
    assert replays.first(b"b", NOW + 1)
    with pytest.raises(Full):
        replays.first(b"c", NOW + 359)
    assert replays.first(b"c", NOW + 600)


def test_a_full_memory_is_503() -> None:
    guard = World().guard(replays=Replays(0))
    bound = bound_token()
    outcome = guard.admit_blocking(sent(bound, proof(bound)))
    assert number(outcome) == "IK576"
    assert isinstance(outcome, Refused)
    assert guard.challenge(outcome).status == 503


def test_settings_that_prove_nothing_are_a_mistake_said_aloud() -> None:
    for more in ({"secret": b"short"}, {"algorithms": ()}, {"algorithms": ("HS256",)}):
        with pytest.raises(UsageError, match="dpop"):
            Dpop(**more)  # type: ignore[arg-type]


# --- certificates --------------------------------------------------------------------------------------------------

HOLDER, OTHER = Issued(), Issued()


def thumbprint(one: Issued) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256

    return base64url.encode_text(one.certificate.fingerprint(SHA256()))


CERTIFIED = forge(claims(cnf={"x5t#S256": thumbprint(HOLDER)}))


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [(HOLDER.pem, "verified"), (OTHER.pem, "IK569"), ("", "IK568"), ("nonsense", "IK568")],
)
def test_a_token_bound_to_a_certificate_needs_that_one(certificate: str, expected: str) -> None:
    guard = World().guard()
    outcome = guard.admit_blocking(sent(CERTIFIED, scheme="Bearer", certificate=certificate))
    assert number(outcome) == expected
    if isinstance(outcome, Refused):
        assert told(guard, outcome)[1][0].scheme == "Bearer"


def test_a_token_bound_to_both_needs_both() -> None:
    from innkeeper.keys import jwk
    from tests.guard.holders import shown

    both = forge(claims(cnf={"x5t#S256": thumbprint(HOLDER), "jkt": jwk.thumbprint(shown())}))
    guard = World().guard()
    assert number(guard.admit_blocking(sent(both, proof(both), certificate=HOLDER.pem))) == "verified"
    assert number(guard.admit_blocking(sent(both, proof(both)))) == "IK568"
    assert number(guard.admit_blocking(sent(both, certificate=HOLDER.pem))) == "IK540"


# --- through ASGI --------------------------------------------------------------------------------------------------


async def _whoami(scope: Any, receive: Any, send: Any) -> None:
    await JSONResponse({"sub": token(scope).sub})(scope, receive, send)


def ask(
    guard: Guard, headers: list[tuple[str, str]], path: str = "/gym", client: str = "127.0.0.1", **scope: Any
) -> Any:
    app = GuardMiddleware(_whoami, guard, {"/gym": ["gym:enter"]})

    async def with_more(inner: Any, receive: Any, send: Any) -> None:
        await app({**inner, **scope}, receive, send)

    async def work() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=with_more, client=(client, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://inside.example:8080") as caller:
            return await caller.get(path, headers=headers)

    return asyncio.run(work())


def test_a_proof_is_for_the_public_address_whatever_host_the_request_came_in_by() -> None:
    guard, bound = World().guard(), bound_token()
    headers = [("authorization", f"DPoP {bound}"), ("dpop", proof(bound))]
    assert ask(guard, headers, "/gym?x=1").status_code == 200
    inside = [("authorization", f"DPoP {bound}"), ("dpop", proof(bound, url="http://inside.example:8080/gym"))]
    assert ask(guard, inside).status_code == 401


def test_an_api_without_a_url_goes_by_the_host_of_the_request() -> None:
    guard = World().guard(audience="api://hotel")
    bound = bound_token(aud="api://hotel")
    headers = [("authorization", f"DPoP {bound}"), ("dpop", proof(bound, url="http://inside.example:8080/gym"))]
    assert ask(guard, headers).status_code == 200


def test_a_new_nonce_comes_with_every_answer() -> None:
    guard = World().guard(dpop=Dpop(nonces=True))
    bound = bound_token()
    first = ask(guard, [("authorization", f"DPoP {bound}"), ("dpop", proof(bound))])
    assert first.status_code == 401
    again = proof(bound, nonce=first.headers["dpop-nonce"])
    second = ask(guard, [("authorization", f"DPoP {bound}"), ("dpop", again)])
    assert (second.status_code, second.headers["dpop-nonce"]) == (200, guard.nonce())
    assert "DPoP-Nonce" in second.headers["access-control-expose-headers"]


def test_the_certificate_of_the_connection_is_seen_where_the_server_shows_it() -> None:
    shown = {"extensions": {"tls": {"client_cert_chain": [HOLDER.pem]}}}
    headers = [("authorization", f"Bearer {CERTIFIED}")]
    assert ask(World().guard(), headers, **shown).status_code == 200
    assert ask(World().guard(), headers).status_code == 401


@pytest.mark.parametrize(
    ("client", "header", "status"),
    [("10.0.0.7", HOLDER.pem, 200), ("10.0.0.8", HOLDER.pem, 401), ("10.0.0.7", OTHER.pem, 401), ("10.0.0.7", "", 401)],
)
def test_a_proxy_s_word_on_the_certificate_counts_where_it_was_named(client: str, header: str, status: int) -> None:
    from urllib.parse import quote

    guard = World().guard(proxies=proxies(["10.0.0.7"], "X-Client-Cert"))
    headers = [("authorization", f"Bearer {CERTIFIED}"), ("x-client-cert", quote(header))]
    assert ask(guard, headers, client=client).status_code == status
    shown = {"extensions": {"tls": {"client_cert_chain": [HOLDER.pem]}}}
    assert ask(guard, headers[:1], client=client, **shown).status_code == 401
    assert b'"tls_client_certificate_bound_access_tokens":true' in guard.metadata().body
