"""Ory Hydra for a bench: built from its Go module, on PostgreSQL, with access tokens in ES256 as everyone here has them.

Kind to Hydra where its defaults would not be: the hash of client secrets has one round instead of 25,000, nothing is logged,
and it may have twice as many connections as innkeeper. ``--dev`` lets it answer without TLS, as the others do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from bench import servers
from bench.grants import REDIRECT
from bench.machine import BENCH, free_port, quietly
from bench.servers import Server, started
from bench.token import CONCIERGE

MODULE = BENCH / "go"
PROGRAM = MODULE / "bin" / "hydra"
TOKEN = "/oauth2/token"

CLIENT = {
    "client_id": "concierge",
    "client_secret": "concierge-secret",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "redirect_uris": [REDIRECT],
    "scope": "offline_access room:enter",
    "audience": ["hotel"],
    "token_endpoint_auth_method": "client_secret_basic",
}


def install() -> None:
    """Build Hydra, unless it was built before: a minute and a half, once."""
    if not PROGRAM.exists():
        go = str(Path(sys.executable).with_name("go"))
        told = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
        quietly([go, "build", "-o", str(PROGRAM), "github.com/ory/hydra/v2"], MODULE, told)


@contextmanager
def hydra(database: str) -> Iterator[tuple[Server, str]]:
    """``hydra serve all`` on a database of its own, and the address of its admin API."""
    install()
    port, admin = free_port(), free_port()
    url = f"http://127.0.0.1:{admin}/admin"
    told = _settings(database, port, admin)
    quietly([str(PROGRAM), "migrate", "sql", "up", "-e", "--yes"], told=told)
    command = [str(PROGRAM), "serve", "all", "--dev"]
    with (
        servers.state() as folder,
        started("Hydra", command, folder, "/.well-known/openid-configuration", told, port=port) as server,
    ):
        _set_up(url)
        yield server, url


def refresh_tokens(server: Server, admin: str, count: int) -> Sequence[str]:
    """Refresh tokens of as many sign-ins, each of which somebody agreed to."""
    return [_signed_in(server, admin) for _ in range(count)]


def _settings(database: str, port: int, admin: int) -> Mapping[str, str]:
    return {
        "DSN": f"{database}?sslmode=disable&max_conns=20&max_idle_conns=20",
        "SERVE_PUBLIC_HOST": "127.0.0.1",
        "SERVE_PUBLIC_PORT": str(port),
        "SERVE_ADMIN_HOST": "127.0.0.1",
        "SERVE_ADMIN_PORT": str(admin),
        "URLS_SELF_ISSUER": f"http://127.0.0.1:{port}",
        "URLS_LOGIN": f"http://127.0.0.1:{port}/nobody/login",
        "URLS_CONSENT": f"http://127.0.0.1:{port}/nobody/consent",
        "SECRETS_SYSTEM": "a secret of a bench, thirty two of them",
        "STRATEGIES_ACCESS_TOKEN": "jwt",
        "TTL_ACCESS_TOKEN": "10m",
        "OAUTH2_HASHERS_PBKDF2_ITERATIONS": "1",
        "LOG_LEVEL": "error",
        "SQA_OPT_OUT": "true",
    }


def _set_up(admin: str) -> None:
    with httpx.Client(base_url=admin, timeout=60) as desk:
        key = {"alg": "ES256", "use": "sig", "kid": "ES256"}
        desk.post("/keys/hydra.jwt.access-token", json=key).raise_for_status()
        desk.post("/clients", json=CLIENT).raise_for_status()


def _signed_in(server: Server, admin: str) -> str:
    with (
        httpx.Client(timeout=60) as browser,
        httpx.Client(base_url=f"{admin}/oauth2/auth/requests", timeout=60) as desk,
    ):
        asked = {
            "client_id": "concierge", "response_type": "code", "redirect_uri": REDIRECT, "state": "of-a-bench",
            "scope": "offline_access room:enter", "audience": "hotel",
        }  # fmt: skip
        met = _sent_on(browser, f"{server.url}/oauth2/auth", asked)
        met = _accepted(browser, desk, "login", met, {"subject": "guest-204"})
        granted = {"grant_scope": ["offline_access", "room:enter"], "grant_access_token_audience": ["hotel"]}
        code = _accepted(browser, desk, "consent", met, granted)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        answer = browser.post(server.url + TOKEN, data=form, headers=CONCIERGE).raise_for_status()
        token: str = answer.json()["refresh_token"]
        return token


def _accepted(
    browser: httpx.Client, desk: httpx.Client, what: str, met: Mapping[str, str], answer: Mapping[str, object]
) -> dict[str, str]:
    """Accept a login or a consent, and let the browser go where Hydra sends it."""
    challenge = {f"{what}_challenge": met[f"{what}_challenge"]}
    told = desk.put(f"/{what}/accept", params=challenge, json=answer).raise_for_status()
    return _sent_on(browser, told.json()["redirect_to"], {})


def _sent_on(browser: httpx.Client, url: str, asked: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the address that an answer redirects to."""
    answer = browser.get(url, params=asked or None)
    found = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    if "error" in found or not found:
        raise SystemExit(f"Hydra answered {answer.status_code} with {found or answer.text[:300]!r}")
    return {name: values[0] for name, values in found.items()}
