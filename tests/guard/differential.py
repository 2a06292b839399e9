"""Four readers of tokens, and tokens of every kind to judge: good ones, bent ones, signed nonsense, noise.

The readers are the guard, joserfc, PyJWT and aws-jwt-verify, all told the same: this issuer, this audience, these keys. The
others read the clock of the machine (aws-jwt-verify's is set), so tokens are made for the hour in which this runs, and nothing
is nearer to its end than a quarter of an hour.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jwt as pyjwt
import msgspec
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from innkeeper.guard import Guard, Verified, cognito, oidc
from innkeeper.guard.fetching import FetchBlocking
from innkeeper.keys import jwk, jws
from innkeeper.protocol import base64url
from innkeeper.protocol.exchange import Reply, json_reply
from tests.guard.issuers.shapes import APP_CLIENT, POOL, POOL_ISSUER
from tests.keys.keyring import private_key

ISSUER = "https://issuer.example"
AUDIENCE = "https://api.example"
ALGORITHMS = ("ES256", "RS256")
KIDS = {"ES256": "key-es", "RS256": "key-rs"}
QUARTER = 900

NODE = Path(__file__).parents[1] / "interop" / "node"


class Token(NamedTuple):
    """A token with what it was meant to be. ``shape`` is whose: an ordinary issuer's, or Cognito's."""

    kind: str
    text: str
    shape: str = "ordinary"


# --- the tokens ------------------------------------------------------------------------------------------------------


class Maker:
    """Makes tokens from one seed: the same seed, the same kinds in the same order."""

    def __init__(self, seed: int, now: int) -> None:
        self._chance = random.Random(seed)
        self._now = now
        self._stock: list[Token] = []

    def tokens(self, count: int) -> Iterator[Token]:
        """So many tokens. Making signatures is slow, so each good token is bent many times."""
        for number in range(count):
            if number % 40 == 0:
                self._stock = [self._good(), self._good(), self._good_cognito()]
            way = self._chance.random()
            if way < 0.1:
                yield self._chance.choice(self._stock)
            elif way < 0.6:
                yield self._bent(self._chance.choice(self._stock))
            elif way < 0.75:
                yield self._odd_claims()
            elif way < 0.85:
                yield self._odd_header()
            elif way < 0.93:
                yield self._odd_json()
            else:
                yield self._noise()

    def claims(self) -> dict[str, Any]:
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "guest-204",
            "client_id": "app",
            "iat": self._now - QUARTER,
            "exp": self._now + 4 * QUARTER,
            "jti": f"t{self._chance.random()}",
            "scope": "a b",
        }

    def _cognito_claims(self) -> dict[str, Any]:
        return {
            "sub": APP_CLIENT,
            "token_use": "access",
            "scope": "my-api/read",
            "auth_time": self._now - QUARTER,
            "iss": POOL_ISSUER,
            "exp": self._now + 4 * QUARTER,
            "iat": self._now - QUARTER,
            "version": 2,
            "jti": f"t{self._chance.random()}",
            "client_id": APP_CLIENT,
        }

    def _good(self) -> Token:
        alg = "ES256" if self._chance.random() < 0.8 else "RS256"
        return Token("good", signed({"alg": alg, "kid": KIDS[alg], "typ": "JWT"}, msgspec.json.encode(self.claims())))

    def _good_cognito(self) -> Token:
        said = msgspec.json.encode(self._cognito_claims())
        return Token("good", signed({"kid": KIDS["RS256"], "alg": "RS256"}, said), "cognito")

    def _bent(self, token: Token) -> Token:
        """A token whose characters were changed after it was signed."""
        text = token.text
        for _ in range(self._chance.randint(1, 3)):
            at = self._chance.randrange(len(text) + 1)
            char = self._chance.choice("AZaz09-_=.+/ \n\tQg\u00e9\0")
            way = self._chance.randrange(6)
            if way == 0:
                text = text[:at] + char + text[at + 1 :]
            elif way == 1:
                text = text[:at] + text[at + 1 :]
            elif way == 2:
                text = text[:at] + char + text[at:]
            elif way == 3:
                parts = text.split(".")
                self._chance.shuffle(parts)
                text = ".".join(parts)
            elif way == 4:
                text = text[:at]
            else:
                text = text[: len(text) - len(text.rpartition(".")[2])] + self._chance.choice(["", "A", "AAAA"])
            text = text or "."
        return Token("bent", text, token.shape)

    def _odd_claims(self) -> Token:
        """A signed token in which one or two claims are missing, or not what they should be."""
        if self._chance.random() < 0.25:
            said = self._cognito_claims()
            self._bend_claims(said, _COGNITO_ODD)
            return Token("odd claims", signed({"kid": KIDS["RS256"], "alg": "RS256"}, _json(said)), "cognito")
        said = self.claims()
        self._bend_claims(said, _ODD)
        return Token("odd claims", signed({"alg": "ES256", "kid": KIDS["ES256"], "typ": "JWT"}, _json(said)))

    def _bend_claims(self, said: dict[str, Any], odd: dict[str, list[Any]]) -> None:
        for _ in range(self._chance.randint(1, 2)):
            name = self._chance.choice(list(odd))
            value = self._chance.choice(odd[name])
            if value is ...:
                said.pop(name, None)
            elif isinstance(value, Past):
                said[name] = value.kind(self._now + value.seconds)
            else:
                said[name] = value

    def _odd_header(self) -> Token:
        """A token signed under a header that says something odd."""
        header: dict[str, Any] = {"alg": "ES256", "kid": KIDS["ES256"], "typ": "JWT"}
        name = self._chance.choice(list(_HEADERS))
        value = self._chance.choice(_HEADERS[name])
        if value is ...:
            header.pop(name, None)
        else:
            header[name] = value
        return Token("odd header", signed(header, msgspec.json.encode(self.claims()), "ES256"))

    def _odd_json(self) -> Token:
        """A token signed over claims that are JSON only nearly, or in another way than most write it."""
        text = json.dumps(self.claims())
        odd = self._chance.choice(
            [
                text.replace('"sub"', '"exp":1,"sub"', 1),
                text.replace('{"iss"', '{"iss":"https://evil.example","iss"', 1),
                text.replace("{", "{\n  ", 1),
                f"\ufeff{text}",
                f"{text} ",
                f"{text}x",
                text[:-1],
                f"[{text}]",
                text.replace('"guest-204"', '"\\ud800"'),
                text.replace('"guest-204"', "NaN"),
                text.replace('"guest-204"', "'x'"),
                text.replace('"iss"', '"\\u0069ss"'),
                text.replace('"a b"', '{"a":' * 20 + "1" + "}" * 20),
                "null",
                '""',
                "",
                "7",
            ]
        )
        payload = odd.encode("utf-16") if self._chance.random() < 0.05 else odd.encode("utf-8")
        return Token("odd json", signed({"alg": "ES256", "kid": KIDS["ES256"], "typ": "JWT"}, payload))

    def _noise(self) -> Token:
        """What is no token at all, or only looks like one."""
        parts = self._chance.randint(0, 5)
        letters = "ABCabc012-_" if self._chance.random() < 0.7 else 'ABC{}":,. =+/\u20ac'
        return Token(
            "noise",
            ".".join("".join(self._chance.choices(letters, k=self._chance.randint(0, 30))) for _ in range(parts)),
        )


class Past(NamedTuple):
    """A moment, so many seconds from now."""

    seconds: int
    kind: Any = int


_MOMENTS: list[Any] = [
    Past(-4 * QUARTER),
    Past(-4 * QUARTER, float),
    Past(4 * QUARTER),
    Past(4 * QUARTER, float),
    Past(4 * QUARTER, str),
]
_NUMBERS: list[Any] = [..., 0, -1, 1e308, -1e308, 2**63, 2**53 + 1, "", "1", None, True, [], {}, [1]]
_ODD: dict[str, list[Any]] = {
    "exp": [*_MOMENTS, *_NUMBERS],
    "nbf": [*_MOMENTS, *_NUMBERS],
    "iat": [*_MOMENTS, *_NUMBERS],
    "iss": [..., f"{ISSUER}/", ISSUER.upper(), "", None, 7, [ISSUER], {"iss": ISSUER}, f" {ISSUER}", POOL_ISSUER],
    "aud": [
        ...,
        f"{AUDIENCE}/",
        "",
        None,
        7,
        [],
        [AUDIENCE],
        [AUDIENCE, 7],
        ["x"],
        {AUDIENCE: 1},
        [[AUDIENCE]],
        "x",
        ["x", AUDIENCE],
    ],
    "sub": [..., "", None, 7, ["x"]],
    "scope": [..., "", None, 7, ["a"], {"a": 1}],
    "jti": [..., "", None, 7],
    "client_id": [..., "", None, 7, ["app"]],
    "cnf": [{}, {"jkt": "x"}, "x", None],
    "at_hash": ["x"],
}
_COGNITO_ODD: dict[str, list[Any]] = {
    "exp": [*_MOMENTS, *_NUMBERS],
    "iat": [*_MOMENTS, *_NUMBERS],
    "nbf": [*_MOMENTS],
    "iss": [..., f"{POOL_ISSUER}/", ISSUER, "", None, 7],
    "token_use": [..., "id", "ACCESS", "", None, 7, ["access"]],
    "client_id": [..., "other", "", None, 7, [APP_CLIENT]],
    "aud": [APP_CLIENT, "other", [], None, [APP_CLIENT, "x"]],
    "sub": [..., "", None],
    "scope": [..., "", 7],
}
_HEADERS: dict[str, list[Any]] = {
    "alg": [..., "none", "None", "HS256", "RS256", "ES384", "es256", "", None, 7, ["ES256"], "PS256", "EdDSA"],
    "kid": [..., "", "other", None, 7, ["key-es"], "key-rs", " key-es"],
    "typ": [..., "", "at+jwt", "JOSE", "id+jwt", "dpop+jwt", None, 7, "jwt"],
    "crit": [[], ["exp"], ["b64"], "exp", None],
    "b64": [False, True, None],
    "jwk": [{}, {"kty": "EC"}],
    "jku": ["https://evil.example/jwks"],
    "cty": ["JWT", 7],
    "zip": ["DEF"],
    "x5c": [[]],
}


def signed(header: dict[str, Any], payload: bytes, alg: str = "") -> str:
    """A token signed with this payload whatever it is, by ``alg`` or by what the header says."""
    start = base64url.encode(json.dumps(header).encode()) + b"." + base64url.encode(payload)
    by = alg or header["alg"]
    return (start + b"." + base64url.encode(jws.sign(start, private_key(by), by))).decode()


def _json(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()


# --- the readers -----------------------------------------------------------------------------------------------------


def documents(*algorithms: str) -> list[dict[str, str]]:
    return [jwk.public_document(private_key(alg).public_key(), KIDS[alg], alg) for alg in algorithms]


class Readers:
    """All four, told the same. Use as a context: one of them is a process."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._guard = self._guarding()
        self._keys = KeySet.import_key_set({"keys": documents(*ALGORITHMS)})  # type: ignore[arg-type]
        self._by_kid = {kid: private_key(alg).public_key() for alg, kid in KIDS.items()}
        self._registry = joserfc_jwt.JWTClaimsRegistry(
            now=lambda: now,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
        )
        told = {
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "jwks": {"keys": documents(*ALGORITHMS)},
            "pool": POOL,
            "client": APP_CLIENT,
            "poolJwks": {"keys": documents("RS256")},
        }
        node = str(Path(sys.executable).with_name("node"))
        self._node = subprocess.Popen(
            [node, str(NODE / "verify.js"), str(now), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=NODE,
        )

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.close()
        self._node.stdout.close()
        self._node.wait(20)

    def _guarding(self) -> Guard:
        """One guard for both issuers. Had it one list of audiences for both, it would take an ordinary issuer's token that is
        meant for the pool's client."""
        pages = {
            f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"},
            f"{ISSUER}/jwks": {"keys": documents(*ALGORITHMS)},
            f"{POOL_ISSUER}/.well-known/openid-configuration": {"issuer": POOL_ISSUER, "jwks_uri": f"{POOL_ISSUER}/k"},
            f"{POOL_ISSUER}/k": {"keys": documents("RS256")},
        }
        fetch: FetchBlocking = lambda url: json_reply(pages[url]) if url in pages else Reply(404)  # noqa: E731
        presets, names = [oidc(ISSUER), cognito(POOL_ISSUER)], {ISSUER: AUDIENCE, POOL_ISSUER: APP_CLIENT}
        return Guard(presets, names, clock=lambda: self._now, fetch_blocking=fetch, remembered=64)

    def guard(self, token: Token) -> bool:
        """What the guard says; what it says at once, the checks have to say when they are made one by one."""
        outcome = self._guard.verify_blocking(token.text)
        assert isinstance(outcome, Verified) is (outcome.trail.refusal is None), token
        return isinstance(outcome, Verified)

    def others(self, token: Token) -> dict[str, bool]:
        """What the others say; of Cognito's shape only aws-jwt-verify knows all, and of the rest what any reader knows."""
        return {
            "joserfc": self._joserfc(token),
            "PyJWT": self._pyjwt(token),
            "aws-jwt-verify": self._aws(token),
        }

    def _joserfc(self, token: Token) -> bool:
        try:
            found = joserfc_jwt.decode(token.text, self._keys, algorithms=list(ALGORITHMS))
            if token.shape == "cognito":
                return self._is_of_the_pool(found.claims)
            self._registry.validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return False
        return True

    def _pyjwt(self, token: Token) -> bool:
        try:
            kid = pyjwt.get_unverified_header(token.text).get("kid")
            if token.shape == "cognito":
                rules: dict[str, Any] = {"algorithms": ["RS256"], "issuer": POOL_ISSUER}
                claims = pyjwt.decode(token.text, self._by_kid[kid], options={"verify_aud": False}, **rules)
                return self._is_of_the_pool(claims)
            key = self._by_kid[kid] if kid is not None else self._by_kid[KIDS["ES256"]]
            pyjwt.decode(
                token.text,
                key,
                algorithms=list(ALGORITHMS),
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp"]},
            )
        except (pyjwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return False
        return True

    def _is_of_the_pool(self, claims: dict[str, Any]) -> bool:
        """What a program does by hand whose library knows nothing of Cognito."""
        times = (claims.get("exp"), claims.get("nbf", 0))
        ours = claims.get("iss") == POOL_ISSUER and claims.get("client_id") == APP_CLIENT
        return ours and claims.get("token_use") == "access" and times[1] <= self._now < times[0]

    def _aws(self, token: Token) -> bool:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps({"as": token.shape, "token": token.text}).encode() + b"\n")
        self._node.stdin.flush()
        return self._node.stdout.readline().strip() == b"yes"


def _has_no_kid(token: Token) -> bool:
    return "kid" not in json.loads(base64url.decode(token.text.partition(".")[0]))


REASONS: dict[str, Callable[[Token], bool]] = {
    "kid is optional (RFC 7515 §4.1.4): without it the guard tries the issuer's few keys; joserfc and aws-jwt-verify want one": (
        _has_no_kid
    ),
}
"""Where the guard accepts what two others refuse, and is right to: the reason, and how such a token is told."""


def reason_for(token: Token) -> str:
    """The written reason to accept a token that two others refuse; "" where there is none."""
    return next((reason for reason, fits in REASONS.items() if fits(token)), "")
