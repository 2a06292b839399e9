"""Functions of a pool (Lambda triggers) as Python callables: their events, and what their answers change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.issuer.settings import SeedTwin
from tests.issuer.house import PASSWORD
from tests.twins.cognito.functions import add_claims
from tests.twins.cognito.pool import GUEST, GUEST_APP, POOL, SETTINGS, Pool
from tests.twins.cognito.test_accounts import sign_in, sign_up
from tests.twins.parity import parity

OF = {"UserPoolId": POOL}
NAMES = [
    "add_claims",
    "confirm_everybody",
    "refuse",
    "forget_to_return",
    "three_rounds",
    "ask_for_the_room",
    "compare",
    "know_grace",
]
TWIN = SeedTwin(dialect="cognito", id=POOL, triggers={name: f"tests.twins.cognito.functions:{name}" for name in NAMES})


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


@pytest.fixture
def pool(planted: Path, tmp_path: Path) -> Iterator[Pool]:
    shutil.copytree(planted, tmp_path / "state")
    opened = Pool(tmp_path / "state", replace(SETTINGS, twin=[TWIN]))
    yield opened
    opened.close()


def configure(pool: Pool, **functions: Any) -> None:
    config = {name: arn(value) if isinstance(value, str) else value for name, value in functions.items()}
    pool.done("UpdateUserPool", {**OF, "LambdaConfig": config, "AutoVerifiedAttributes": ["email"]})


@parity("Triggers", "documented")
def test_a_function_changes_tokens(pool: Pool) -> None:
    """Pre token generation changes claims, scopes and groups, and never the reserved claims."""
    configure(pool, PreTokenGenerationConfig={"LambdaArn": arn("add_claims"), "LambdaVersion": "V2_0"})
    tokens = pool.sign_in()
    access, identity = pool.claims(tokens["AccessToken"]), pool.claims(tokens["IdToken"])
    assert (access["floor"], access["scope"].split()) == (2, ["aws.cognito.signin.user.admin", "hotel/pool"])
    assert (identity["room"], "name" in identity, identity["sub"]) == ("204", False, access["sub"])
    assert access["cognito:groups"] == identity["cognito:groups"] == ["guests"]


@parity("Triggers", "documented")
def test_a_function_confirms_who_signs_up(pool: Pool) -> None:
    """Pre sign-up may confirm a user and verify their address."""
    configure(pool, PreSignUp="confirm_everybody")
    assert sign_up(pool).body["UserConfirmed"] is True
    tokens = sign_in(pool, "ada", PASSWORD).body["AuthenticationResult"]
    assert pool.claims(tokens["IdToken"])["email_verified"] is True


@parity("Triggers", "documented")
def test_a_function_refuses(pool: Pool) -> None:
    """A function that raises refuses with its message; one that forgets its answer, or is not here, has its own error."""
    configure(pool, PreAuthentication="refuse")
    told = sign_in(pool, GUEST, PASSWORD)
    assert (told.kind, told.message) == (
        "UserLambdaValidationException",
        f"PreAuthentication failed with error {GUEST} is not welcome.",
    )
    configure(pool, PreAuthentication="forget_to_return")
    assert sign_in(pool, GUEST, PASSWORD).kind == "InvalidLambdaResponseException"
    configure(pool, PreAuthentication="somewhere_else")
    assert sign_in(pool, GUEST, PASSWORD).kind == "UnexpectedLambdaException"


class Function(BaseHTTPRequestHandler):
    """A function as some emulators of Lambda run it: the event comes by POST, and goes back as the answer."""

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.events.append(event)  # type: ignore[attr-defined]
        answer = add_claims(event, None) if self.path == "/add" else {"errorMessage": "The lift is stuck"}
        body = b"no JSON" if self.path == "/garbled" else json.dumps(answer).encode()
        self.send_response(500 if self.path == "/fails" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def functions() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Function)
    server.events = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@parity("Triggers", "documented")
def test_a_function_over_http(planted: Path, tmp_path: Path, functions: HTTPServer) -> None:
    """A function that answers over http is sent the same event, and its errors are told the same way."""
    shutil.copytree(planted, tmp_path / "state")
    base = f"http://127.0.0.1:{functions.server_port}"
    named = {name: f"{base}/{name}" for name in ("add", "fails", "garbled")} | {"shut": "http://127.0.0.1:9/"}
    pool = Pool(tmp_path / "state", replace(SETTINGS, twin=[SeedTwin(dialect="cognito", id=POOL, triggers=named)]))
    try:
        configure(pool, PreTokenGenerationConfig={"LambdaArn": arn("add"), "LambdaVersion": "V2_0"})
        assert pool.claims(pool.sign_in()["AccessToken"])["floor"] == 2
        [event] = functions.events  # type: ignore[attr-defined]
        assert (event["triggerSource"], event["userPoolId"], event["userName"]) == (
            "TokenGeneration_Authentication",
            POOL,
            GUEST,
        )
        configure(pool, PreAuthentication="fails")
        assert "The lift is stuck" in sign_in(pool, GUEST, PASSWORD).message
        for name in ("garbled", "shut"):
            configure(pool, PreAuthentication=name)
            assert sign_in(pool, GUEST, PASSWORD).kind == "UnexpectedLambdaException"
    finally:
        pool.close()


@parity("Triggers", "documented")
def test_a_custom_challenge(pool: Pool) -> None:
    """Custom challenges are defined, made and judged by the pool's functions."""
    configure(
        pool,
        DefineAuthChallenge="three_rounds",
        CreateAuthChallenge="ask_for_the_room",
        VerifyAuthChallengeResponse="compare",
    )
    client = pool.done("CreateUserPoolClient", {**OF, "ClientName": "custom"})["UserPoolClient"]["ClientId"]
    begin = {"AuthFlow": "CUSTOM_AUTH", "ClientId": client, "AuthParameters": {"USERNAME": GUEST}}

    def answer(told: dict[str, Any], text: str) -> Any:
        return pool.call(
            "RespondToAuthChallenge",
            {
                "ClientId": client,
                "ChallengeName": "CUSTOM_CHALLENGE",
                "Session": told["Session"],
                "ChallengeResponses": {"USERNAME": GUEST, "ANSWER": text},
            },
        )

    first = pool.done("InitiateAuth", begin)
    assert first["ChallengeParameters"]["question"] == "Which room?"
    second = answer(first, "203").body
    assert second["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert "AccessToken" in answer(second, "204").body["AuthenticationResult"]
    again = answer(pool.done("InitiateAuth", begin), "1").body
    assert answer(again, "2").kind == "NotAuthorizedException"


@parity("Triggers", "documented")
def test_a_function_migrates_people(pool: Pool) -> None:
    """Migration takes in whoever the function knows, on their first sign-in."""
    configure(pool, UserMigration="know_grace")
    assert sign_in(pool, "grace", "wrong").kind == "NotAuthorizedException"
    assert sign_in(pool, "grace", "Old-Horse-77").status == 200
    assert pool.done("AdminGetUser", {**OF, "Username": "grace"})["UserStatus"] == "CONFIRMED"
    assert sign_in(pool, "grace", "Old-Horse-77", GUEST_APP).status == 200
