"""A guard as a reader, by options or by a file, and an MCP server: what fails, and what would mend it."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from innkeeper.client.wire import run
from innkeeper.explain import guard_file, mcp
from innkeeper.explain.guarded import Reading, judged, plainly
from innkeeper.explain.verdicts import Verdict, members
from innkeeper.guard.issuers.oidc import oidc
from innkeeper.guard.unverified import read_unverified
from innkeeper.protocol.refusals import UsageError
from tests.explain import shapes

ISSUER = "https://issuer.example"
API = "https://api.example/orders"


def good(**more: object) -> str:
    claims = {"iss": ISSUER, "aud": API, "sub": "guest", "client_id": "app", "jti": "1", "scope": "orders:read"}
    return shapes.signed(claims | more, {"typ": "at+jwt"})


def explained(reading: Reading, token: str) -> Verdict:
    return judged(reading, token, read_unverified(token), keys=shapes.KEYS)


def numbers(verdict: Verdict) -> list[str]:
    return [one.page.number for one in verdict.refusals]


def write(folder: Path, text: str) -> Path:
    path = folder / "guard.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_holds_a_guards_arguments(tmp_path: Path) -> None:
    text = f"issuer = '{ISSUER}'\naudience = ['{API}']\nleeway = 5\nscopes = ['orders:write']\n"
    path = write(tmp_path, text + "[implies]\n'orders:all' = ['orders:write']\n[freshness]\nlifetime = 60\n")
    reading = guard_file.read(path)
    assert numbers(explained(reading, good(scope="orders:all"))) == []
    assert numbers(explained(reading, good())) == ["IK523"]
    assert numbers(explained(guard_file.read(path, ["orders:read"]), good())) == []


def test_a_file_names_presets_with_their_arguments(tmp_path: Path) -> None:
    path = write(tmp_path, f"audience = '{API}'\n[[trust]]\npreset = 'oidc'\nissuer = '{ISSUER}'\n")
    token = shapes.signed({"iss": ISSUER, "aud": API, "sub": "guest", "azp": "app"})
    assert numbers(explained(guard_file.read(path), token)) == []


def test_a_file_may_name_the_api_for_each_issuer(tmp_path: Path) -> None:
    other = "https://other.example"
    names = f"[audience]\n'{other}' = 'another-name'\n'{ISSUER}' = ['{API}']\n"
    path = write(tmp_path, f"issuer = ['{other}', '{ISSUER}']\n{names}")
    assert numbers(explained(guard_file.read(path), good())) == []
    verdict = explained(guard_file.read(path), good(aud="another-name"))
    assert numbers(verdict) == ["IK508"]
    assert any(API in one.text for one in verdict.mends)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "give issuer"),
        (f"issuer = '{ISSUER}'\n[audience]\n'https://x.example' = 'x'", "none of the guard's issuers"),
        (f"issuer = '{ISSUER}'\n[audience]\n'{ISSUER}' = 7", "is a text or a list"),
        ("issuer = 'https://a.example'", "needs an audience"),
        ("issuer = 'https://a.example'\naudiences = 'x'", "did you mean 'audience'"),
        ("issuer = 'https://a.example'\naudience = 'x'\nclock = 1", "unknown key 'clock'"),
        ("issuer = 7\naudience = 'x'", "issuer is a text or a list"),
        ("issuer = 'http://a.example'\naudience = 'x'", "http; that is for loopback"),
        ("audience = 'x'\n[[trust]]\npreset = 'oidcc'", "did you mean 'oidc'"),
        ("audience = 'x'\n[[trust]]\npreset = 'oidc'\nissuers = 'https://a.example'", "did you mean 'issuer'"),
        ("audience = 'x'\n[[trust]]\npreset = 'oidc'", "issuer"),
        ("issuer = ", "is not TOML"),
    ],
)
def test_a_file_with_a_mistake_names_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        guard_file.read(write(tmp_path, text))


def test_what_an_old_token_would_have_been_refused_for_is_said_too() -> None:
    old = good(exp=1_700_000_000, iat=1_699_999_000)
    verdict = explained(plainly(oidc(ISSUER), API, ["orders:write"], read_unverified(old)), old)
    assert numbers(verdict) == ["IK509", "IK523"]
    assert members(verdict)["outcome"] == "refused"
    assert members(verdict)["had_it_been_fresh"]["outcome"] == "refused"


def test_without_an_audience_its_check_is_not_asked() -> None:
    token = good()
    verdict = explained(plainly(oidc(ISSUER), None, [], read_unverified(token)), token)
    assert numbers(verdict) == []
    assert verdict.unasked == {"audience is this api", "scopes are enough"}


def test_a_graph_token_is_told_for_what_it_is() -> None:
    token = shapes.entra_v1(aud="00000003-0000-0000-c000-000000000000")
    verdict = explained(plainly(oidc(shapes.V1), API, [], read_unverified(token)), token)
    assert numbers(verdict) == ["IK508"]
    assert any("Microsoft Graph" in one.text for one in verdict.mends)


def test_the_change_that_mends_it_depends_on_who_made_the_token() -> None:
    token = shapes.entra_v1()
    verdict = explained(plainly(oidc(shapes.V2), shapes.API, [], read_unverified(token)), token)
    assert numbers(verdict) == ["IK502"]
    assert {one.place for one in verdict.mends} >= {"console", "terraform"}


def at(server: str, document: object, status: int = 200) -> httpx2.Client:
    def world(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == f"{server}/.well-known/oauth-protected-resource/mcp"
        return httpx2.Response(status, json=document)

    return httpx2.Client(transport=httpx2.MockTransport(world))


def test_an_mcp_server_names_its_issuers_itself_and_wants_to_be_named() -> None:
    server = "https://tools.example/mcp"
    http = at("https://tools.example", {"resource": server, "authorization_servers": [ISSUER]})
    for aud, expected in ((server, []), (f"{server}/", []), ("https://TOOLS.example/mcp", []), (API, ["IK508"])):
        token = good(aud=aud)
        reading = run(mcp.reading(server, None, [], read_unverified(token)), http)
        assert numbers(explained(reading, token)) == expected


def test_an_mcp_server_that_names_no_issuer_is_a_case_for_the_doctor() -> None:
    http = at("https://tools.example", {"resource": "x"})
    with pytest.raises(UsageError, match="doctor --mcp"):
        run(mcp.reading("https://tools.example/mcp", None, [], read_unverified(good())), http)


def test_a_cognito_machine_is_taken_where_its_client_is_an_audience(tmp_path: Path) -> None:
    token = shapes.cognito_machine()
    path = write(tmp_path, f"issuer = '{shapes.POOL}'\naudience = ['{API}']\n")
    verdict = explained(guard_file.read(path), token)
    assert numbers(verdict) == ["IK508"]
    assert any(shapes.APP_CLIENT in one.text for one in verdict.mends if one.place == "code")
    path = write(tmp_path, f"issuer = '{shapes.POOL}'\naudience = ['{API}', '{shapes.APP_CLIENT}']\n")
    assert numbers(explained(guard_file.read(path, ["agents/invoke"]), token)) == []


def test_a_cognito_id_token_is_named_as_one(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"audience = '{shapes.APP_CLIENT}'\n[[trust]]\nissuer = '{shapes.POOL}'\nclients = ['{shapes.APP_CLIENT}']\n",
    )
    verdict = explained(guard_file.read(path), shapes.cognito_identity())
    assert numbers(verdict) == ["IK550"]
    assert any("AccessToken" in one.text for one in verdict.mends)


def test_entra_versions_are_read_alike_and_scopes_of_machines_are_roles(tmp_path: Path) -> None:
    path = write(tmp_path, f"issuer = '{shapes.V2}'\naudience = ['{shapes.API}', 'api://{shapes.API}']\n")
    reading = guard_file.read(path, ["Agents.Invoke"])
    assert numbers(explained(reading, shapes.entra_v2())) == []
    assert numbers(explained(reading, shapes.entra_v1())) == []
    verdict = explained(guard_file.read(path, ["Other"]), shapes.entra_v2())
    assert numbers(verdict) == ["IK523"]
    assert any("roles" in one.text for one in verdict.mends)


def test_a_bound_token_is_judged_but_for_the_proof_that_goes_with_a_request() -> None:
    token = good(cnf={"jkt": "x" * 43})
    verdict = explained(plainly(oidc(ISSUER), API, ["orders:read"], read_unverified(token)), token)
    assert (numbers(verdict), verdict.unasked) == ([], {"token is not bound to a key"})
    verdict = explained(plainly(oidc(ISSUER), API, ["orders:write"], read_unverified(token)), token)
    assert numbers(verdict) == ["IK523"]
