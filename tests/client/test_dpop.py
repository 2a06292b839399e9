"""A client that proves its key: proofs the rules accept, nonces by origin, one retry, and no silent downgrade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from innkeeper.client import Access, Client, FileCache, Refused, Secret, TokenSource, client_credentials, discover, run
from innkeeper.client.asking import Flow, Pause
from innkeeper.client.authorization import begin, complete
from innkeeper.client.device import DeviceCode, sign_in, wait
from innkeeper.client.device import begin as begin_device
from innkeeper.client.discovery import Metadata
from innkeeper.client.dpop import Proving, origin, wants_nonce
from innkeeper.client.exchange import Exchange, assertion, exchange
from innkeeper.client.signing_key import SigningKey
from innkeeper.client.token import Token
from innkeeper.client.wire import Answering, advance
from innkeeper.guard.unverified import read_unverified
from innkeeper.keys.proofs import read_proof
from innkeeper.protocol.refusals import UsageError
from innkeeper.testing import IssuerForTests, serving
from innkeeper.tokens.dpop import Case, judge
from tests.client.issuer import ISSUER, StubIssuer, form, refusal
from tests.interop.test_grants_without_redirect import answered
from tests.interop.visitor import sent_back
from tests.keys.keyring import private_key

MACHINE = Client("concierge", Secret("s:e c/ret"))
API = "https://hotel.example/rooms"


def bound(proving: Proving) -> Client:
    return Client(MACHINE.id, MACHINE.credential, proving)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "PS256", "EdDSA"])
def test_a_proof_is_one_by_the_rules(alg: str) -> None:
    proving = Proving(SigningKey(private_key(alg), alg))
    made = proving.proof("POST", "https://a.example:443/x?y=1#z", 1_000.7, "j", "token")
    case = Case(
        proof=read_proof(made),
        method="POST",
        url="https://a.example/x",
        now=1000,
        access_token="token",
        bound_to=proving.thumbprint,
    )
    assert judge(case).refusal is None


def test_nonces_are_kept_by_origin_and_the_newest_counts() -> None:
    proving = Proving.new()
    proving.heard("https://a.example/x", {"dpop-nonce": "1"}.get)
    proving.heard("https://a.example:443/y", {"dpop-nonce": "2"}.get)
    proving.heard("https://b.example/", {}.get)
    said = {url: read_proof(proving.proof("GET", url, 1, "j")).claims.get("nonce") for url in NONCES}
    assert said == NONCES
    assert origin("https://A.example:443/x") == "https://a.example"


NONCES = {"https://a.example/z": "2", "https://a.example:8443/": None, "https://b.example/": None}


def demanding(stub: StubIssuer, nonce: str) -> list[httpx2.Request]:
    """Let the stub demand a nonce, and give DPoP tokens."""
    asked: list[httpx2.Request] = []

    def token(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if read_proof(request.headers.get("dpop")).claims.get("nonce") != nonce:
            demanded = refusal("use_dpop_nonce")
            demanded.headers["dpop-nonce"] = nonce
            return demanded
        return httpx2.Response(200, json={"access_token": "t", "token_type": "DPoP", "expires_in": 60})

    stub.at["/token"] = token
    return asked


def test_an_issuer_that_demands_a_nonce_gets_it_once_and_then_at_once() -> None:
    stub, proving = StubIssuer(), Proving.new()
    asked = demanding(stub, "n1")
    metadata = run(discover(ISSUER), stub.client())
    for expected in (2, 3):
        token = run(client_credentials(metadata, bound(proving), Access()), stub.client())
        assert (token.kind, token.jkt, len(asked)) == ("DPoP", proving.thumbprint, expected)


def test_an_issuer_that_is_never_content_is_asked_twice() -> None:
    stub = StubIssuer()
    asked: list[httpx2.Request] = []

    def never(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        answer = refusal("use_dpop_nonce")
        answer.headers["dpop-nonce"] = f"n{len(asked)}"
        return answer

    stub.at["/token"] = never
    metadata = run(discover(ISSUER), stub.client())
    with pytest.raises(Refused):
        run(client_credentials(metadata, bound(Proving.new()), Access()), stub.client())
    assert len(asked) == 2


def test_an_assertion_is_made_anew_for_the_retry() -> None:
    stub = StubIssuer()
    asked = demanding(stub, "n1")
    metadata = run(discover(ISSUER), stub.client())
    signer = Client("signer", SigningKey(private_key("ES256"), "ES256"), Proving.new())
    run(client_credentials(metadata, signer, Access()), stub.client())
    first, second = (form(one)["client_assertion"] for one in asked)
    assert first != second


def test_a_token_that_is_not_bound_is_not_taken_for_one_that_is() -> None:
    stub = StubIssuer()
    metadata = run(discover(ISSUER), stub.client())
    with pytest.raises(Refused) as caught:
        run(client_credentials(metadata, bound(Proving.new()), Access()), stub.client())
    assert caught.value.number == "IK880"


def test_a_nonce_is_only_taken_from_a_challenge_that_demands_it() -> None:
    demanded = {"dpop-nonce": "n", "www-authenticate": 'DPoP error="use_dpop_nonce"'}
    assert wants_nonce(401, demanded.get)
    assert not wants_nonce(400, demanded.get)
    assert not wants_nonce(401, {**demanded, "www-authenticate": 'Bearer error="use_dpop_nonce"'}.get)
    assert not wants_nonce(401, {"www-authenticate": 'DPoP error="use_dpop_nonce"'}.get)


def test_a_key_in_a_file_lasts_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "dpop.pem"
    assert Proving.from_file(path).thumbprint == Proving.from_file(path).thumbprint
    assert path.stat().st_mode & 0o077 == 0
    (tmp_path / "broken.pem").write_text("no key")
    with pytest.raises(UsageError, match="PEM"):
        Proving.from_file(tmp_path / "broken.pem")


def test_a_kept_token_is_of_no_use_without_its_key(tmp_path: Path) -> None:
    with serving() as issuer:
        access = Access("orders:read", issuer.audience)

        def source(proving: Proving | None) -> TokenSource:
            machine = Client("machine", Secret("machine-secret"), proving)
            return TokenSource(issuer.url, machine, access, cache=FileCache(tmp_path))

        first, second = Proving.new(), Proving.new()
        token = source(first).token()
        assert source(first).token() == token
        other = source(second).token()
        assert read_unverified(other.access_token).claims["cnf"] == {"jkt": second.thumbprint}
        plain = source(None).token()
        assert (plain.kind, "cnf" in read_unverified(plain.access_token).claims) == ("Bearer", False)


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerForTests]:
    with serving() as running:
        yield running


def test_a_code_is_bound_to_the_key_from_the_start_and_the_request_is_pushed(issuer: IssuerForTests) -> None:
    proving = Proving.new()
    app = Client("guest-app", proving=proving)
    metadata = run(discover(issuer.url))
    access = Access("openid orders:read", issuer.audience)
    pending = run(begin(metadata, app, access, "http://127.0.0.1:9/callback", pushed=True))
    assert "request_uri=" in pending.url
    assert "code_challenge" not in pending.url
    token = run(complete(pending, sent_back(pending.url).partition("?")[2]))
    assert read_unverified(token.access_token).claims["cnf"] == {"jkt": proving.thumbprint}
    assert token.id_token is not None


def test_tokens_are_exchanged(issuer: IssuerForTests) -> None:
    machine = Client("machine", Secret("machine-secret"))
    metadata = run(discover(issuer.url))
    held = run(client_credentials(metadata, machine, Access("orders:read orders:write", issuer.audience)))
    narrower = run(exchange(metadata, machine, Access("orders:read"), Exchange(held.access_token)))
    assert read_unverified(narrower.access_token).claims["scope"] == "orders:read"
    assert "held" not in repr(Exchange("held"))


def test_a_word_that_nobody_trusts_is_refused(issuer: IssuerForTests) -> None:
    machine = Client("machine", Secret("machine-secret"))
    with pytest.raises(Refused):
        run(assertion(run(discover(issuer.url)), machine, Access("orders:read"), issuer.forge()))


def test_a_device_waits_until_somebody_entered_the_code(issuer: IssuerForTests) -> None:
    app, access = Client("guest-app"), Access("orders:read", issuer.audience)
    shown: list[DeviceCode] = []
    waited: list[float] = []

    def meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            assert "connected" in answered(shown[0].complete)

    token = driven(sign_in(run(discover(issuer.url)), app, access, shown.append), meanwhile)
    assert read_unverified(token.access_token).claims["sub"] == "guest-204"
    assert waited == [5, 5, 10], "the second time it asked too soon, as no time had passed, and was told to slow down"


def driven(flow: Flow[Token], meanwhile: Callable[[float], None]) -> Token:
    """Run a flow with the real network, but let no time pass where it pauses."""
    with Answering() as world:
        try:
            question = next(flow)
            while True:
                if isinstance(question, Pause):
                    meanwhile(question.seconds)
                    question = flow.send(None)
                else:
                    question = advance(flow, world.answer(question))
        except StopIteration as end:
            token: Token = end.value
            return token


@pytest.mark.parametrize(
    ("error", "number"), [("expired_token", "IK881"), ("access_denied", "IK882"), ("invalid_client", "IK621")]
)
def test_a_device_is_told_why_there_is_no_token(error: str, number: str) -> None:
    stub = StubIssuer()
    stub.document["device_authorization_endpoint"] = f"{ISSUER}/device"
    code = {"device_code": "d", "user_code": "ABCD", "verification_uri": f"{ISSUER}/enter", "expires_in": 60}
    stub.at["/device"] = lambda _: httpx2.Response(200, json=code | {"interval": 0})
    stub.at["/token"] = lambda _: refusal(error)
    metadata = run(discover(ISSUER), stub.client())
    device = run(begin_device(metadata, Client("guest-app"), Access()), stub.client())
    assert (device.interval, device.complete) == (1, "")
    with pytest.raises(Refused) as caught:
        device_at_once(metadata, device, stub)
    assert caught.value.number == number


def device_at_once(metadata: Metadata, code: DeviceCode, stub: StubIssuer) -> None:
    flow = wait(metadata, Client("guest-app"), Access(), code)
    with Answering(stub.client()) as world:
        question = next(flow)
        while True:
            told = flow.send(None) if isinstance(question, Pause) else advance(flow, world.answer(question))
            question = told
