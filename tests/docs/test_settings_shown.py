"""Settings in the docs are settings: each block of TOML is read by what would read it, and a house is opened with it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from innkeeper.explain import guard_file
from innkeeper.issuer.settings import load
from innkeeper.keys.authority import new_authority
from innkeeper.protocol.refusals import UsageError
from innkeeper.tour.plays import Act
from tests.docs.blocks import Block, block, blocks
from tests.issuer.house import House

SHOWN = blocks("toml")

LAPTOP = files("innkeeper.issuer").joinpath("laptop.toml").read_text("utf-8").partition("\n[[twin]]")[0]
"""The settings for a laptop without its twins, whose people each have their password hashed again."""

AN_API = '[[resource]]\nuri = "https://api.example.com"\nname = "The API"\n\n[resource.scopes]\n"orders:read" = "See"\n'

LEANS_ON: dict[tuple[str, int], str] = {
    ("docs/how-to/rehearse-cognito.md", 2): block("docs/how-to/rehearse-cognito.md", "toml", 1).text,
    ("docs/how-to/run-an-issuer.md", 4): AN_API,
}
"""What stands in the file before a block, where the block goes on with what its page said before."""

A_KEY = (
    'x = "…", y = "…"',
    'x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"',
)
"""The page leaves out a public key's numbers; these are those of RFC 7515, appendix A.3."""


@pytest.fixture(autouse=True)
def _beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the blocks name as lying beside the settings: a mark, an authority, functions of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "anchor.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>', "utf-8")
    (tmp_path / "my_functions.py").write_text("def add_claims(event, context):\n    return event\n", "utf-8")
    (tmp_path / "clients-ca.pem").write_bytes(new_authority(1_795_000_000).pem)


def as_settings(path: Path, text: str) -> None:
    """Read as ``innkeeper.toml``; then a house opens with it, which judges what reading alone cannot."""
    path.write_text(text, "utf-8")
    House(path.parent / "state", load(path, {})).close()


def as_guard(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    guard_file.read(path).build()


def as_acts(_: Path, text: str) -> None:
    class Acts(msgspec.Struct, forbid_unknown_fields=True):
        acts: list[Act]

    assert msgspec.toml.decode(text, type=Acts).acts


READ_AS: dict[str, Callable[[Path, str], None]] = {
    "docs/how-to/explain-a-token.md": as_guard,
    "docs/how-to/take-the-tour.md": as_acts,
}


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: f"{one.page}-{one.number}")
def test_a_block_is_taken_by_what_reads_it(one: Block, tmp_path: Path) -> None:
    text = f"{before(one)}\n{one.text}".replace(*A_KEY)
    READ_AS.get(one.page, as_settings)(tmp_path / "innkeeper.toml", text)


def test_the_commented_lines_of_the_guard_s_file_are_good_too(tmp_path: Path) -> None:
    shown = block("docs/how-to/explain-a-token.md", "toml").text
    lines = [line.removeprefix("# ") for line in shown.splitlines() if not line.startswith("audience")]
    as_guard(tmp_path / "guard.toml", "\n".join(lines))


def before(one: Block) -> str:
    """Pages on agents speak of the people, clients and scopes of a laptop's settings, unless a block has its own resource."""
    laptop = one.page.startswith("docs/how-to/let-agents-") and "[[resource]]" not in one.text
    return LAPTOP if laptop else LEANS_ON.get((one.page, one.number), "")


@pytest.mark.parametrize("wrong", ['titel = "x"', "[server]\nhosst = 1", '[[agent]]\nid = "a"'])
def test_a_mistake_in_a_block_would_be_noticed(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(UsageError):
        as_settings(tmp_path / "innkeeper.toml", wrong)
