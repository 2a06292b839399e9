"""No block of the docs is of a kind that nobody tries: what is neither a session nor Python, settings or Terraform is tried here."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from innkeeper.cli import COMMANDS, loaded
from innkeeper.issuer.pages.render import templates
from innkeeper.issuer.settings import SeedClient, load
from tests.docs.blocks import block, blocks
from tests.docs.test_documents import DOCUMENTS, ROOT
from tests.inn import Inn
from tests.issuer.house import Asked, House, named
from tests.issuer.visitor import Visitor

TRIED_BY = {
    "console": "tests/docs/test_documents.py",
    "pycon": "tests/docs/test_snippets.py",
    "python": "tests/docs/test_snippets.py",
    "toml": "tests/docs/test_settings_shown.py",
    "hcl": "tests/docs/test_terraform_shown.py",
    "flow": "tests/docs/test_site.py",
    "sh": "tests/docs/test_documents.py",
    "http": "tests/docs/test_other_blocks.py",
    "json": "tests/docs/test_other_blocks.py",
    "html": "tests/docs/test_other_blocks.py",
    "text": "tests/docs/test_other_blocks.py",
    "nginx": "nobody: no test has an nginx",
    "": "nobody: a drawing in letters",
}

AGENTS, BROKER, ADMINISTER, DRESS = (
    f"docs/how-to/{name}.md" for name in ("let-agents-act", "broker-a-cloud", "administer", "dress-the-pages")
)
ENTRA = "docs/tutorial/entra.md"
FRAMEWORKS = "docs/how-to/use-agent-frameworks.md"
"""Its programs are run by ``tests/interop``, with a model that costs nothing."""
AS_ROOT = "docs/how-to/run-cloud-code-here.md"
"""One command there takes an administrator of the computer: its options are looked at, and nothing is run."""


def test_every_kind_of_block_is_tried_by_somebody() -> None:
    assert sorted({one.kind for one in blocks()} - set(TRIED_BY)) == []
    assert sorted({path for path in TRIED_BY.values() if path.endswith(".py") and not (ROOT / path).exists()}) == []


def test_every_text_with_commands_is_known_here() -> None:
    """Text is what cannot be run as it stands: what its commands need is given, or another program reads it."""
    assert {one.page for one in blocks("text")} == {AGENTS, BROKER, ENTRA, FRAMEWORKS, AS_ROOT}
    assert {one.page for one in blocks("")} == {"docs/architecture.md"}
    assert all(line.startswith(("az ", "API=$(az ", "CLIENT=$(az ")) for line in block(ENTRA, "text").text.splitlines())


# Commands that are named anywhere


WORDS = re.compile(
    r"^(?:[$>] )?(?:export |sudo |[A-Z_]+=\S* )*innkeeper ([^\n|#]*)|`innkeeper ([^`\n]+)`", re.MULTILINE
)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_option_of_ours_exists(page: Path) -> None:
    text = page.read_text("utf-8").replace("\\\n", " ")
    said = [one or other for one, other in WORDS.findall(text)]
    assert [f"innkeeper {line}: {option}" for line in said for option in unknown(line)] == []


def unknown(line: str) -> Iterator[str]:
    """The options of a command line that the command has not."""
    words = re.findall(r"\S+", re.sub(r"\$\([^)]*\)|\"[^\"]*\"|'[^']*'", "x", line.partition(" -- ")[0]))
    command = found(words)
    if command is None:
        return
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        if word.startswith("--") and word != "--" and word.partition("=")[0] not in known | {"--help"}:
            yield word


def found(words: list[str]) -> Any:
    """The command that a line calls: one of ours, and below it another."""
    group = next((group for group in COMMANDS.values() if words and words[0] in group), None)
    if group is None:
        return None
    command: Any = loaded(words[0], group[words[0]])
    for word in words[1:]:
        command = getattr(command, "commands", {}).get(word, command)
    return command


def test_an_option_that_is_not_there_is_noticed() -> None:
    assert list(unknown("token --scope x --resorce y")) == ["--resorce"]
    assert list(unknown("twin run --entra -- az --whatever")) == []


def test_what_a_broker_is_told_is_taken() -> None:
    for line in block(BROKER, "text", 1).text.replace("\\\n", " ").splitlines():
        assert shlex.split(line)[:2] == ["innkeeper", "broker"]
        assert list(unknown(line.removeprefix("innkeeper "))) == []
    assert "-- innkeeper broker --upstream entra" in block(BROKER, "text", 2).text


# The admin API


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with a laptop's settings, a tool that administers, and the agent of the page on agents."""
    folder = tmp_path_factory.mktemp("laptop")
    shown = block(AGENTS, "toml", 1).text
    agent = re.sub(r"^jwks = .*$", 'secret = "spa-secret"', shown, flags=re.MULTILINE)
    from tests.docs.test_settings_shown import LAPTOP

    (folder / "innkeeper.toml").write_text(f"{LAPTOP}\n{agent}", "utf-8")
    settings = load(folder / "innkeeper.toml", {})
    tool = SeedClient(
        id="tool",
        name="The tool",
        secret="tool-secret",
        grants=("client_credentials",),
        scopes=["admin:clients:read", "admin:clients:write"],
    )
    house = House(folder / "state", replace(settings, client=[*settings.client, tool]))
    yield house
    house.close()


def test_the_change_that_is_shown_is_what_the_admin_api_answers(laptop: House) -> None:
    head, _, body = block(ADMINISTER, "http").text.partition("\n\n")
    first, *headers = head.splitlines()
    method, _, address = first.partition(" ")
    path, _, query = address.partition("?")
    asking = {"grant_type": "client_credentials", "client_id": "tool", "client_secret": "tool-secret"}
    resource = {"resource": f"{laptop.issuer.realm.policy.issuer}/admin/api"}
    bearer = {"authorization": f"Bearer {laptop.token(asking | resource).json['access_token']}"}
    etag = laptop.ask(Asked("GET", path, b"", named(bearer))).header("etag")
    assert etag is not None
    said = dict(line.lower().split(": ", 1) for line in headers)
    assert set(said) == {"if-match", "content-type"}
    sent = tuple({**bearer, "content-type": said["content-type"], "if-match": etag}.items())
    came = laptop.ask(Asked(method, path, query.encode(), sent, (body.strip().encode(),)))
    assert came.json == json.loads(block(ADMINISTER, "json").text) | {"version": etag.strip('"')}


# An agent that acts for a person


def test_the_exchange_that_is_shown_gives_the_agent_a_token_of_its_own(laptop: House) -> None:
    """The page's own command, its parameters sent as they stand there, with a person's token and the agent's."""
    secret = {"SECRET": "spa-secret", "HERS": _hers(laptop), "MINE": _mine(laptop)}
    line = block(AGENTS, "text").text.replace("\\\n", " ")
    words = shlex.split(re.sub(r"\$(SECRET|HERS|MINE)", lambda name: secret[name[1]], line))
    client, _, password = words[words.index("-u") + 1].partition(":")
    form = dict(word.split("=", 1) for before, word in pairwise(words) if before == "-d")
    came = laptop.token(form | {"client_id": client, "client_secret": password})
    assert came.status == 200, came.body
    assert came.json["scope"] == "pool:enter"


def _mine(laptop: House) -> str:
    form = {"grant_type": "client_credentials", "client_id": "spa-agent", "client_secret": "spa-secret"}
    return str(laptop.token(form).json["access_token"])


def _hers(laptop: House) -> str:
    """A guest's own token, by the device flow: she signs in on a page, and allows."""
    asked = laptop.post("/device_authorization", {"client_id": "guest-app", "scope": "pool:enter gym:enter"}).json
    guest = Visitor(laptop)
    page = guest.get(asked["verification_uri_complete"])
    page = guest.sign_in(page, "guest@hotel.example", "Correct-Horse-7")
    while "Allow" in page.text and 'method="post"' in page.text:
        page = guest.submit(page, decision="allow", user_code=asked["user_code"])
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    form = {"grant_type": grant, "client_id": "guest-app", "device_code": asked["device_code"]}
    return str(laptop.token(form).json["access_token"])


# A page in another dress


def test_the_template_that_is_shown_is_a_template(tmp_path: Path) -> None:
    shown = block(DRESS, "html").text
    (tmp_path / "sign_in.html").write_text(shown, "utf-8")
    environment = templates(str(tmp_path))
    ours, house = environment.get_template("sign_in.html"), environment.get_template("house/sign_in.html")
    assert set(ours.blocks) <= set(house.blocks) | {"picture"}
    assert set(ours.blocks) == set(re.findall(r"{% block (\w+) %}", shown))


# Links to the running house


def test_every_address_of_the_house_that_is_linked_answers(house: Inn) -> None:
    links = {link for path in DOCUMENTS for link in _LOCAL.findall(path.read_text("utf-8"))}
    with httpx2.Client(base_url=house.url, timeout=60, follow_redirects=True) as client:
        status = {link: client.get(link or "/").status_code for link in sorted(links)}
    assert len(status) >= 19
    assert {link: code for link, code in status.items() if code != 200} == {}


_LOCAL = re.compile(r"\]\(http://127\.0\.0\.1:8400([^)\s]*)\)")
