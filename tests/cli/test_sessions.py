"""Whole sessions at the terminal, as they are written down beside this file."""

from __future__ import annotations

from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.docs.transcripts import commands, quarrel, run
from tests.inn import open_inn

SESSIONS = Path(__file__).with_name("sessions")
OLD = {
    "iss": "https://issuer.example",
    "sub": "guest",
    "aud": "https://api.example",
    "exp": 1_600_000_000,
    "iat": 1_599_999_400,
    "client_id": "concierge",
    "scope": "room:enter",
    "jti": "1",
    "https://x/y": {"a": 1},
}
NASTY = {"sub": "\x1b[2J\x1b[31mred\u202e\n[bold]no[/bold] :smile:"}


def play(name: str, folder: Path, environment: dict[str, str]) -> None:
    written = commands((SESSIONS / name).read_text("utf-8"))
    assert len(written) > 5
    ran = run([one.text for one in written], folder, environment)
    assert len(ran) == len(written)
    quarrels = [
        f"line {one.line}: $ {one.text}\n{what}"
        for one, did in zip(written, ran, strict=True)
        if (what := quarrel(one, did))
    ]
    assert quarrels == [], "\n\n".join(quarrels)


def test_a_session_without_any_network(tmp_path: Path, shell: dict[str, str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    old = jwt.encode(OLD, key, "ES256", headers={"typ": "at+jwt", "kid": "k"})
    play("offline.md", tmp_path, shell | {"OLD_TOKEN": old, "NASTY_TOKEN": jwt.encode(NASTY, key, "ES256")})


def test_a_session_with_a_house(tmp_path: Path, shell: dict[str, str]) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with open_inn(own) as house:  # where nobody has allowed anything before
        play("house.md", tmp_path, shell | {"ISSUER": house.url})
