"""What an issuer is told: a file, a few variables, and one clear line for whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from innkeeper.issuer.settings import Settings, load
from innkeeper.protocol.refusals import UsageError


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "innkeeper.toml"


def read(written: Path, text: str, **environment: str) -> Settings:
    written.write_text(text, "utf-8")
    return load(written, environment)


def test_an_empty_file_means_the_defaults(written: Path) -> None:
    settings = read(written, "")
    assert settings == Settings()
    assert (settings.server.host, settings.server.port, settings.origin) == ("127.0.0.1", 8400, "http://127.0.0.1:8400")


def test_without_a_file_the_laptops_settings_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(None, {})
    assert {client.id for client in settings.client} >= {"concierge", "guest-app"}
    assert settings.person[0].username == "guest@hotel.example"


def test_a_file_here_is_taken_without_being_named(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written.write_text('title = "Mine"', "utf-8")
    monkeypatch.chdir(written.parent)
    assert load(None, {}).title == "Mine"


def test_the_environment_goes_before_the_file(written: Path) -> None:
    settings = read(
        written,
        '[server]\nport = 1\nhost = "::1"\nstate = "a"',
        INNKEEPER_PORT="8500",
        INNKEEPER_HOST="127.0.0.2",
        INNKEEPER_STATE="b",
        INNKEEPER_PUBLIC_URL="https://inn.example/",
    )
    assert (settings.server.port, settings.server.host, settings.server.state) == (8500, "127.0.0.2", "b")
    assert settings.origin == "https://inn.example"
    assert read(written, "[server]\nport = 1", INNKEEPER_PORT="").server.port == 1


WRONG: dict[str, tuple[str, str]] = {
    "not TOML": ("title = ", "is not TOML"),
    "an unknown key": ("titel = 'x'", "unknown key 'titel': did you mean 'title'?"),
    "an unknown key inside": ("[lifetimes]\naccess_tokens = 5", "did you mean 'access_token'?"),
    "a key like no other": ("zzz = 1", "known keys: "),
    "a number for text": ("title = 1", "Expected `str`, got `int`"),
    "text for a number": ("[server]\nport = '8400'", "Expected `int`, got `str`"),
    "a number for a table": ("server = 3", "Expected `object`, got `int`"),
    "a port too high": ("[server]\nport = 65536", "port 65536"),
    "a negative port": ("[server]\nport = -1", "port -1"),
    "a lifetime of nothing": ("[lifetimes]\ncode = 0", "lifetimes.code"),
    "a negative lifetime": ("[lifetimes]\nsession = -5", "lifetimes.session"),
    "a negative grace": ("[lifetimes]\nrefresh_grace = -1", "lifetimes.refresh_grace"),
    "a misspelt switch": ("[[client]]\nid = 'a'\nname = 'A'\npkce = 'allways'", "pkce"),
    "an issuer that is no address": ("[server]\npublic_url = 'inn.example'", "public_url 'inn.example'"),
    "a client without a name": ("[[client]]\nid = 'a'", "missing required field `name`"),
}


@pytest.mark.parametrize(("text", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_one_clear_line(written: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(written, text, INNKEEPER_STATE="x")
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("port", ["x", "-1", "8400.0", "²", "٣", "99999", " 8400"])
def test_a_port_from_the_environment_that_is_none_is_one_clear_line(written: Path, port: str) -> None:
    with pytest.raises(UsageError, match=r"INNKEEPER_PORT=.* must be a number|port 99999"):
        read(written, "", INNKEEPER_PORT=port)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.toml"):
        load(tmp_path / "missing.toml", {})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"binary\.toml"):
        load(tmp_path / "binary.toml", {})
    with pytest.raises(UsageError, match="cannot read the settings"):
        load(tmp_path, {})
