"""The admin API: what it shows and changes, the plan before, the books after, and all that it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from innkeeper.issuer.core.admin.permissions import EVERYTHING, PERMISSIONS, ROLES
from innkeeper.issuer.desk import agents
from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.desk.admin.readings import READINGS
from innkeeper.issuer.settings import SeedAgent
from innkeeper.issuer.witness.audit import open_chain
from innkeeper.issuer.witness.witness import Witness
from tests.issuer.house import PASSWORD, Clock, House
from tests.issuer.http.administrators import (
    ADMINISTERED,
    API,
    DEVELOPER,
    HELPER,
    ROOT,
    TOOL_SECRET,
    Api,
    by_person,
    code_of,
    problem,
    tool,
)
from tests.issuer.http.people import ADA, at_account, is_signed_in, set_up
from tests.issuer.signing import dpop
from tests.issuer.visitor import Visitor, redeem


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("administered")

    def witness(clock: Clock) -> Witness:
        return Witness(clock, chain=open_chain(folder / "audit", "serve", clock(), 10_000_000))

    made = House(folder, ADMINISTERED, witness=witness)
    yield made
    made.close()


@pytest.fixture(scope="module")
def admin(house: House) -> Api:
    return tool(house)


def add_client(api: Api, name: str = "A shop", **said: object) -> str:
    body = {"name": name, "redirect_uris": ["https://new.example/cb"], **said}
    made = api("POST", "/clients", body)
    assert made.status == 201, made.body
    return str(made.json["client_id"])


def add_person(api: Api, username: str, **said: object) -> str:
    made = api("POST", "/people", {"username": username, "password": PASSWORD, **said})
    assert made.status == 201, made.body
    return str(made.json["sub"])


# What it shows and changes


def test_a_token_that_is_bound_to_a_key_administers_with_that_key_only(house: House) -> None:
    holder, thief = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    form = {"grant_type": "client_credentials", "client_id": "tool", "client_secret": TOOL_SECRET, "resource": API}
    given = house.token({**form, "scope": "admin:health:read"}, dpop=dpop(house, "/token", key=holder))
    token = given.json["access_token"]

    def ask(scheme: str, **headers: str) -> int:
        return house.get("/admin/api/health", authorization=f"{scheme} {token}", **headers).status

    def by(key: ec.EllipticCurvePrivateKey, path: str = "/admin/api/health") -> str:
        return dpop(house, path, "GET", token=token, key=key)

    assert [ask("Bearer"), ask("DPoP"), ask("DPoP", dpop=by(thief)), ask("Bearer", dpop=by(holder))] == [401] * 4
    assert ask("DPoP", dpop=by(holder, "/admin/api/people")) == 401
    proof = by(holder)
    assert [ask("DPoP", dpop=proof), ask("DPoP", dpop=proof)] == [200, 401]
    told = house.get("/admin/api/health", authorization=f"DPoP {token}", dpop=proof)
    assert (problem(told)["error"], told.header("dpop-nonce") is not None) == ("invalid_dpop_proof", True)
    assert str(told.header("www-authenticate")).startswith('DPoP algs="')


def test_what_a_paused_agent_was_given_administers_nothing(tmp_path: Path, engine: str) -> None:
    clerk = SeedAgent(
        id="clerk", name="The clerk", owner=ROOT, purpose="Watches", secret="the secret of the clerk",
        grants=("client_credentials",), scopes=["admin:health:read"],
    )  # fmt: skip
    office = House(tmp_path, replace(ADMINISTERED, agent=[clerk]))
    try:
        form = {
            "grant_type": "client_credentials",
            "client_id": "clerk",
            "client_secret": clerk.secret,
            "resource": API,
        }
        api = Api(office, office.token(form).json["access_token"])
        assert api("GET", "/health").status == 200
        office.run(agents.set_status(office.issuer.realm, "clerk", "paused"))
        office.run(office.issuer.realm.reload())
        assert code_of(api("GET", "/health")) == "IK1601"
    finally:
        office.close()


def test_the_index_tells_who_asks_and_what_is_open_to_them(house: House) -> None:
    index = tool(house, "admin:health:read")("GET", "").json
    assert index["you"] == "client tool"
    assert index["permissions"] == {"admin:health:read": PERMISSIONS["admin:health:read"]}
    assert index["routes"] == ["GET /health"]


def test_a_client_is_added_shown_changed_and_removed(admin: Api) -> None:
    made = admin("POST", "/clients", {"name": "New", "redirect_uris": ["https://new.example/cb"], "id": "new"})
    assert (made.status, made.json["client_id"], len(made.json["client_secret"])) == (201, "new", 43)
    shown = admin("GET", "/clients/new")
    assert (shown.json["name"], shown.json["grants"]) == ("New", ["authorization_code", "refresh_token"])
    assert not EVERYTHING & {*shown.json["scopes"]}, "nobody administers without being told to"
    changed = admin(
        "PATCH", "/clients/new", {"name": "Newer", "scopes": ["openid"]}, if_match=str(shown.header("etag"))
    )
    assert [(one["path"], one.get("after")) for one in changed.json["changes"]] == [
        ("name", "Newer"),
        ("scopes", ["openid"]),
    ]
    assert admin.etag("/clients/new") == changed.header("etag") != shown.header("etag")
    assert admin.change("DELETE", "/clients/new").status == 200
    assert code_of(admin("GET", "/clients/new")) == "IK1610"


def test_a_new_secret_works_and_the_old_one_for_as_long_as_was_said(house: House, admin: Api) -> None:
    made = admin("POST", "/clients", {"name": "Bot", "id": "bot", "scopes": ["room:enter"]}).json
    form = {"grant_type": "client_credentials", "client_id": "bot", "scope": "room:enter"}
    fresh = admin.change("POST", "/clients/bot/secret", {"keep": 60}, at="/clients/bot").json["client_secret"]
    for secret in (made["client_secret"], fresh):
        assert house.token({**form, "client_secret": secret}).status == 200
    house.clock.move(61)
    admin.token = tool(house).token
    assert house.token({**form, "client_secret": made["client_secret"]}).status == 401
    assert house.token({**form, "client_secret": fresh}).status == 200


def test_a_person_is_made_changed_locked_unlocked_and_erased(house: House, admin: Api) -> None:
    sub = add_person(admin, "zoe@example.org", claims={"name": "Zoe"})
    zoe = Visitor(house)
    assert "Zoe" in at_account(zoe, username="zoe@example.org").text
    shown = admin("GET", f"/people/{sub}").json
    assert (shown["sessions"], shown["locked"], shown["second_factors"]) == (1, False, [])
    locked = admin.change("POST", f"/people/{sub}/lock", at=f"/people/{sub}")
    assert "They are signed out of one browser." in locked.json["follows"]
    assert not is_signed_in(zoe)
    assert "do not match" in at_account(Visitor(house), username="zoe@example.org").text
    assert admin.change("POST", f"/people/{sub}/unlock", at=f"/people/{sub}").status == 200
    renamed = admin.change("PATCH", f"/people/{sub}", {"username": "zo@example.org", "claims": {"name": "Zo"}})
    assert {one["path"] for one in renamed.json["changes"]} == {"username", "claims.name"}
    assert "Zo" in at_account(Visitor(house), username="zo@example.org").text
    assert admin.change("DELETE", f"/people/{sub}").status == 200
    assert admin("GET", f"/people/{sub}").status == 404
    assert "do not match" in at_account(Visitor(house), username="zo@example.org").text


def test_a_lost_telephone_is_helped_with_and_a_password_set(house: House, admin: Api) -> None:
    sub = add_person(admin, "lost@example.org")
    browser = Visitor(house)
    set_up(browser, "lost@example.org")
    reset = admin.change("POST", f"/people/{sub}/reset-factors", at=f"/people/{sub}").json
    assert reset["changes"] == [{"path": "second_factors", "op": "remove", "before": ["codes"]}]
    assert not is_signed_in(browser)
    new = {"password": "a new long password"}
    plan = admin.change("POST", f"/people/{sub}/password", new, at=f"/people/{sub}")
    assert b"new long" not in plan.body
    assert "Your account" in at_account(Visitor(house), username="lost@example.org", password=new["password"]).text


def test_signing_out_everywhere_ends_every_session_and_nothing_else(house: House, admin: Api) -> None:
    sub = add_person(admin, "far@example.org")
    browsers = [Visitor(house), Visitor(house)]
    for one in browsers:
        at_account(one, username="far@example.org")
    done = admin.change("POST", f"/people/{sub}/sign-out", at=f"/people/{sub}").json
    assert done["changes"] == [{"path": "sessions", "op": "replace", "before": 2, "after": 0}]
    assert [is_signed_in(one) for one in browsers] == [False, False]
    assert "Your account" in at_account(browsers[0], username="far@example.org").text


def test_a_resource_and_its_scopes_come_and_go(house: House, admin: Api) -> None:
    uri, path = "https://api.example/v1", "/resources/https:%2F%2Fapi.example%2Fv1"
    body = {"uri": uri, "name": "API", "scopes": {"a:read": "Read a", "b": ""}}
    assert admin("POST", "/resources", body).status == 201
    assert admin("GET", path).json["scopes"] == {"a:read": "Read a", "b": "b"}
    add_client(admin, id="api-bot", grants=["client_credentials"], redirect_uris=[], scopes=["a:read"])
    changed = admin.change("PATCH", path, {"scopes": {"a:read": "Read all of a"}})
    assert {one["path"]: one["op"] for one in changed.json["changes"]} == {
        "scopes.a:read": "replace",
        "scopes.b": "remove",
    }
    assert admin.change("DELETE", path).status == 200
    assert uri not in [one["uri"] for one in admin("GET", "/resources").json["items"]]
    assert all(uri not in realm.policy.resources for realm in house.realms[:1])


def test_keys_are_rotated_retired_and_revoked_and_tokens_fall_with_them(house: House) -> None:
    admin = tool(house)
    before = {one["kid"]: one for one in admin("GET", "/realms/native/keys").json["items"]}
    made = admin("POST", "/realms/native/keys", {"alg": "ES256", "ahead": 600})
    assert (made.status, made.json["kid"] in before) == (201, False)
    assert admin("GET", f"/realms/native/keys/{made.json['kid']}").json["does"] == "next"
    old = next(kid for kid, one in before.items() if one["alg"] == "ES256" and one["does"] == "signs")
    assert admin("GET", f"/realms/native/keys/{old}").json["does"] == "leaving"
    house.clock.move(601)
    admin = tool(house)
    signing = made.json["kid"]
    gone = admin.change("POST", f"/realms/native/keys/{signing}/revoke", at=f"/realms/native/keys/{signing}")
    assert gone.status == 200, gone.body
    assert code_of(admin("GET", "/clients")) == "IK1601", "its own token fell, too"
    again = tool(house)
    assert again("GET", f"/realms/native/keys/{signing}").json["does"] == "withdrawn"
    assert code_of(again("POST", f"/realms/native/keys/{signing}/retire", if_match="*")) == "IK1611"


def test_rules_are_set_on_every_node_and_put_back(house: House) -> None:
    admin = tool(house)
    assert admin("GET", "/policy").json["rules"]["access_lifetime"]["value"] == 600
    done = admin.change("PATCH", "/policy", {"set": {"access_lifetime": 300, "require_may_act": True}})
    assert [one["path"] for one in done.json["changes"]] == ["access_lifetime", "require_may_act"]
    robot = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "robot-secret"}
    assert [house.token(robot).json["expires_in"] for _ in range(2)] == [300, 300]
    rule = admin("GET", "/policy").json["rules"]["access_lifetime"]
    assert (rule["value"], rule["settings"], rule["set_here"]) == (300, 600, True)
    assert admin.change("PATCH", "/policy", {"unset": ["access_lifetime", "require_may_act"]}).status == 200
    assert [house.token(robot).json["expires_in"] for _ in range(2)] == [600, 600]


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({"profile": ""}, "no profile ''"),
        ({"profile": "oauth3"}, "oauth3"),
        ({"access_lifetime": 0}, "access_lifetime"),
        ({"issuer": "https://evil.example"}, "issuer"),
    ],
)
def test_rules_that_cannot_be_are_not_set(house: House, rules: dict[str, object], names: str) -> None:
    refused = problem(tool(house)("PATCH", "/policy", {"set": rules}, if_match="*"))
    assert (refused["status"], refused["code"]) == (422, "IK1611")
    assert names in refused["detail"]


def test_realms_roles_and_health_are_told(admin: Api) -> None:
    admin.token = tool(admin.house).token
    assert [one["name"] for one in admin("GET", "/realms").json["items"]] == ["native"]
    assert admin("GET", "/realms/native").json["keys"] >= 3
    assert admin("GET", "/roles").json["roles"].keys() == ROLES.keys()
    health = admin("GET", "/health").json
    assert health["status"] == "ready"
    assert f"{ROOT} administers with a password alone." in health["notices"]


def test_lists_are_searched_filtered_and_paged(house: House) -> None:
    admin = tool(house)
    found = admin("GET", "/clients?q=ROB").json
    assert ([one["id"] for one in found["items"]], found["total"], found["next"]) == (["robot"], 1, None)
    assert {one["public"] for one in admin("GET", "/clients?kind=public").json["items"]} == {True}
    assert [one["username"] for one in admin("GET", "/people?role=helpdesk").json["items"]] == [HELPER]
    ids, after = [], ""
    while True:
        page = admin("GET", f"/clients?limit=2{after}").json
        ids += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(ids) == len({*ids}) == page["total"]


@pytest.mark.parametrize(
    ("query", "names"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("nothing=1", "nothing"), ("kind=odd", "kind"), ("after=x", "after")],
)
def test_a_query_that_means_nothing_is_refused_by_name(house: House, query: str, names: str) -> None:
    refused = problem(tool(house)("GET", f"/clients?{query}"))
    assert (refused["status"], refused["code"]) == (422, "IK1611")
    assert names in refused["detail"]


def test_an_agent_has_an_owner_and_is_paused_resumed_and_revoked_for_good(house: House) -> None:
    admin = tool(house)
    body = {
        "name": "Bot",
        "id": "bell-boy",
        "owner": "bob@example.org",
        "purpose": "Carries bags",
        "scopes": ["room:enter"],
    }
    made = admin("POST", "/agents", body)
    assert (made.status, len(made.json["client_secret"])) == (201, 43)
    shown = admin("GET", "/agents/bell-boy").json
    assert (shown["owner"], shown["purpose"], shown["status"]) == ("bob-2", "Carries bags", "active")
    form = {"grant_type": "client_credentials", "client_id": "bell-boy", "client_secret": made.json["client_secret"]}
    for change, status, opens in (("pause", "paused", False), ("resume", "active", True), ("revoke", "revoked", False)):
        assert admin.change("POST", f"/agents/bell-boy/{change}", at="/agents/bell-boy").status == 200
        assert admin("GET", "/agents/bell-boy").json["status"] == status
        assert (house.token(form).status == 200) is opens, change
    assert code_of(admin("POST", "/agents/bell-boy/resume", if_match="*")) == "IK1611"
    assert [one["id"] for one in admin("GET", "/agents?state=revoked").json["items"]] == ["bell-boy"]
    assert admin("GET", "/agents/robot").status == 404
    lost = admin("POST", "/agents", {**body, "id": "b2", "owner": "nobody"})
    assert "'nobody'" in problem(lost)["detail"]


def test_an_invitation_registers_a_client_once(house: House) -> None:
    made = tool(house)("POST", "/invitations", {"uses": 1, "seconds": 600})
    assert made.status == 201
    assert len(made.json["initial_access_token"]) == 43


# The plan before


def test_a_dry_run_shows_the_difference_and_changes_nothing(house: House) -> None:
    admin = tool(house)
    etag = admin.etag("/clients/robot")
    plan = admin("PATCH", "/clients/robot?dry_run=true", {"name": "R2", "scopes": ["room:enter"]}, if_match=etag)
    assert plan.json == {
        "action": "client.change",
        "thing": {"kind": "client", "id": "robot", "name": "R2"},
        "changes": [
            {"path": "name", "op": "replace", "before": "The robot", "after": "R2"},
            {"path": "scopes", "op": "replace", "before": ["gym:enter", "room:enter"], "after": ["room:enter"]},
        ],
        "follows": [],
        "version": etag.strip('"'),
        "done": False,
    }
    assert admin.etag("/clients/robot") == etag


@pytest.mark.parametrize("query", ["dry_run=1", "dry_run=", "dry-run=true", "force=true"])
def test_a_misspelt_dry_run_changes_nothing(house: House, query: str) -> None:
    refused = tool(house)("POST", f"/clients?{query}", {"name": "X", "id": "x", "redirect_uris": ["https://x.example"]})
    assert (refused.status, code_of(refused)) == (422, "IK1611")
    assert tool(house)("GET", "/clients/x").status == 404


def test_a_dry_run_tells_no_secret(house: House) -> None:
    admin = tool(house)
    etag = admin.etag("/clients/robot")
    plan = admin("POST", "/clients/robot/secret?dry_run=true", {}, if_match=etag).json
    assert "client_secret" not in plan
    assert {one["path"] for one in plan["changes"]} == {"secrets"}


# Two at once


def test_a_change_says_which_version_it_is_of(house: House) -> None:
    admin = tool(house)
    refused = problem(admin("PATCH", "/clients/robot", {"name": "R2"}))
    assert (refused["status"], refused["code"]) == (428, "IK1605")
    assert admin.etag("/clients/robot") in refused["remedy"]


def test_a_change_to_what_was_changed_meanwhile_is_refused(house: House) -> None:
    admin = tool(house)
    seen = admin.etag("/clients/robot")
    assert admin("PATCH", "/clients/robot", {"name": "First"}, if_match=seen).status == 200
    refused = problem(admin("PATCH", "/clients/robot", {"name": "Second"}, if_match=seen))
    assert (refused["status"], refused["code"]) == (412, "IK1606")
    assert admin("GET", "/clients/robot").json["name"] == "First"
    assert admin("PATCH", "/clients/robot", {"name": "The robot"}, if_match='"a", "b"').status == 412
    assert admin.change("PATCH", "/clients/robot", {"name": "The robot"}).status == 200


def test_of_many_changes_at_once_to_the_same_version_one_is_made(house: House) -> None:
    admin = tool(house)
    etag = admin.etag("/clients/robot")
    asked = [admin.asked("PATCH", "/clients/robot", {"name": f"R{n}"}, if_match=etag) for n in range(8)]
    answers = house.ask_all(asked)
    assert sorted(one.status for one in answers) == [200] + [412] * 7
    assert admin.change("PATCH", "/clients/robot", {"name": "The robot"}).status == 200


def test_of_many_who_make_the_same_thing_one_does(house: House) -> None:
    admin = tool(house)
    body = {"username": "once@example.org", "password": PASSWORD}
    answers = house.ask_all([admin.asked("POST", "/people", body) for _ in range(4)])
    assert sorted(one.status for one in answers) == [201, 409, 409, 409]


def test_an_answer_that_is_known_is_not_sent_again(house: House) -> None:
    admin = tool(house)
    etag = admin.etag("/clients/robot")
    assert admin("GET", "/clients/robot", if_none_match=etag).status == 304


# Who may


def test_every_route_needs_its_own_scope_and_takes_no_other(house: House) -> None:
    """Every route with every scope alone: only its own lets anybody past."""
    wrong = []
    for scope in PERMISSIONS:
        api = tool(house, scope)
        for method, path, needed in ROUTES:
            answer = api(method, path)
            passed = answer.status not in (401, 403)
            if passed is not (scope == needed) or (not passed and code_of(answer) != "IK1602"):
                wrong.append((scope, method, path, answer.status))
    assert wrong == []


def test_every_route_is_open_to_whoever_has_the_role_and_to_nobody_else(house: House) -> None:
    """Every route with every role: a token for everything gives no more than its person's role."""
    wrong = []
    for username, role in ((ROOT, "admin"), (HELPER, "helpdesk"), (DEVELOPER, "developer"), (ADA, "")):
        api = by_person(house, username)
        allowed = ROLES[role].permissions if role else frozenset()
        for method, path, needed in ROUTES:
            answer = api(method, path)
            passed = answer.status not in (401, 403)
            if passed is not (needed in allowed) or (not passed and code_of(answer) != "IK1603"):
                wrong.append((username, method, path, answer.status))
    assert wrong == []


ROUTES = [
    *(("GET", one.path.format(id="nothing", kid="nothing"), one.permission) for one in READINGS.values()),
    *((one.method, one.path.format(id="nothing", kid="nothing"), one.permission) for one in ACTIONS.values()),
]


def test_no_route_answers_without_a_token_or_with_one_that_is_none(house: House) -> None:
    for method, path, _ in [*ROUTES, ("GET", "", "")]:
        assert code_of(Api(house, "")(method, path)) == "IK1600"
        assert code_of(Api(house, "no.token")(method, path)) == "IK1601"


def test_a_missing_scope_is_named_in_the_challenge(house: House) -> None:
    refused = tool(house, "admin:clients:read")("POST", "/clients", {})
    assert 'error="insufficient_scope"' in str(refused.header("www-authenticate"))
    assert 'scope="admin:clients:write"' in str(refused.header("www-authenticate"))


def test_who_asks_without_a_token_learns_only_that_one_is_needed(house: House) -> None:
    refused = Api(house, "")("GET", "/clients")
    assert refused.header("www-authenticate") == 'Bearer realm="innkeeper"'
    assert "found" not in problem(refused)


def test_a_token_for_another_api_opens_nothing(house: House) -> None:
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": "robot-secret"}
    assert code_of(Api(house, house.token(form).json["access_token"])("GET", "/clients")) == "IK1601"


def test_a_revoked_token_opens_nothing_from_that_moment_on(house: House) -> None:
    api = by_person(house, ROOT)
    assert api("GET", "/clients").status == 200
    secret = next(one.secret for one in ADMINISTERED.client if one.id == "shop")
    assert house.post("/revoke", {"token": api.token, "client_id": "shop", "client_secret": secret}).status == 200
    assert code_of(api("GET", "/clients")) == "IK1601"


def test_whoever_loses_the_role_loses_it_at_once(house: House) -> None:
    admin = tool(house)
    sub = add_person(admin, "brief@example.org", roles=["auditor"])
    api = by_person(house, "brief@example.org")
    assert api("GET", "/clients").status == 200
    assert admin.change("PATCH", f"/people/{sub}", {"roles": []}).status == 200
    assert code_of(api("GET", "/clients")) == "IK1603"


def test_a_client_that_registers_itself_never_gets_the_scopes_for_administering(house: House) -> None:
    document = house.get("/.well-known/openid-configuration").json
    assert not EVERYTHING & {*document["scopes_supported"]}
    for realm in house.realms:
        assert not EVERYTHING & realm.policy.usual_scopes()


# A change needs a sign-in of now, and the second factor


def test_an_old_sign_in_reads_and_changes_nothing(house: House) -> None:
    browser = Visitor(house)
    by_person(house, ROOT, visitor=browser)
    house.clock.move(601)
    api = by_person(house, ROOT, visitor=browser, prompt="none")
    assert api("GET", "/clients").status == 200
    refused = api("POST", "/invitations", {})
    assert code_of(refused) == "IK1604"
    assert 'error="insufficient_user_authentication"' in str(refused.header("www-authenticate"))
    assert 'max_age="600"' in str(refused.header("www-authenticate"))


def test_who_has_a_second_factor_changes_nothing_without_it(house: House) -> None:
    admin = tool(house)
    add_person(admin, "careful@example.org", roles=["admin"])
    by_password = by_person(house, "careful@example.org")
    set_up(Visitor(house), "careful@example.org")
    refused = by_password("POST", "/invitations", {})
    assert code_of(refused) == "IK1604"
    assert 'acr_values="urn:innkeeper:acr:mfa"' in str(refused.header("www-authenticate"))


# Nobody is raised above themselves


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/people/helper-3", {"roles": ["admin"]}),
        ("POST", "/people", {"username": "evil@example.org", "password": PASSWORD, "roles": ["admin"]}),
        ("POST", "/people/root-0/password", {"password": "mine from now on"}),
        ("POST", "/people/root-0/reset-factors", None),
        ("POST", "/people/root-0/lock", None),
        ("POST", "/people/auditor-4/sign-out", None),
        ("DELETE", "/people/root-0", None),
        ("PATCH", "/people/root-0", {"username": "gone@example.org"}),
    ],
)
def test_a_helper_touches_nobody_who_may_do_more(house: House, method: str, path: str, body: object) -> None:
    refused = problem(by_person(house, HELPER)(method, path, body, if_match="*"))
    assert (refused["status"], refused["code"]) == (403, "IK1607")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/clients", {"name": "E", "redirect_uris": ["https://e.example"], "scopes": ["admin:people:write"]}),
        ("PATCH", "/clients/robot", {"scopes": ["admin:keys:write"]}),
        ("POST", "/clients/tool/secret", {}),
        ("PATCH", "/clients/shop", {"redirect_uris": ["https://evil.example/cb"]}),
        ("DELETE", "/clients/tool", None),
    ],
)
def test_a_developer_touches_no_client_that_may_do_more(house: House, method: str, path: str, body: object) -> None:
    refused = problem(by_person(house, DEVELOPER)(method, path, body, if_match="*"))
    assert (refused["status"], refused["code"]) == (403, "IK1607")


def test_nobody_shuts_themselves_out(house: House) -> None:
    api = by_person(house, ROOT)
    for method, path, body in (
        ("POST", "/people/root-0/lock", None),
        ("DELETE", "/people/root-0", None),
        ("PATCH", "/people/root-0", {"roles": ["auditor"]}),
    ):
        assert code_of(api(method, path, body, if_match="*")) == "IK1608"


def test_the_last_who_does_everything_stays(own_house: House, tmp_path: Path) -> None:
    folder = tmp_path / "alone"
    alone = House(folder, ADMINISTERED)
    try:
        refused = tool(alone)("POST", "/people/root-0/lock", if_match="*")
        assert (refused.status, code_of(refused)) == (409, "IK1609")
    finally:
        alone.close()


# What does not fit


@pytest.mark.parametrize(
    ("path", "body", "names"),
    [
        ("/clients", {"name": "X", "nme": "Y"}, "did you mean 'name'?"),
        ("/clients", {"name": "X", "trusted": True}, "trusted"),
        ("/clients", {"name": "X", "development": True}, "development"),
        ("/clients", {"name": 5}, "name"),
        ("/clients", {"name": "X", "agent": {"owner": "root-0", "purpose": "x"}}, "POST /agents"),
        ("/agents", {"name": "X", "owner": ADA, "purpose": " ", "scopes": ["openid"]}, "purpose"),
        ("/agents", {"name": "X", "owner": ADA, "purpose": "x", "scopes": []}, "scope"),
        ("/clients", {"name": "X", "redirect_uris": ["http://evil.example/cb"]}, "http://evil.example/cb"),
        ("/clients", {"name": "X", "redirect_uris": ["https://x.example"], "scopes": ["none"]}, "'none'"),
        ("/people", {"username": "x", "password": "short"}, "8 characters"),
        ("/people", {"username": "x" * 300, "password": PASSWORD}, "200 characters"),
        ("/people", {"username": "x", "password": PASSWORD, "sub": "root-0"}, "sub"),
        ("/people", {"username": "x", "password": PASSWORD, "roles": ["admn"]}, "did you mean 'admin'?"),
        ("/resources", {"uri": "no uri", "name": "X"}, "no uri"),
        ("/resources", {"uri": "https://x.example", "name": "X", "scopes": {"admin:all": "All"}}, "admin:all"),
        ("/resources", {"uri": "https://x.example", "name": "X", "scopes": {"two words": "T"}}, "two words"),
        ("/realms/native/keys", {"alg": "HS256"}, "HS256"),
        ("/realms/native/keys", {"ahead": 1}, "ahead 1"),
        ("/clients", {"name": "x" * 9000}, "9000 characters"),
        ("/invitations", {"uses": 0}, "uses 0"),
        ("/people", {"username": "x", "password": PASSWORD, "claims": []}, "claims"),
    ],
)
def test_what_does_not_fit_is_refused_with_value_rule_and_remedy(
    house: House, path: str, body: object, names: str
) -> None:
    refused = problem(tool(house)("POST", path, body))
    assert (refused["status"], refused["code"]) == (422, "IK1611")
    assert names in refused["detail"]
    assert refused["rule"]
    assert refused["remedy"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b'{"name": "a", "name": "b"}', "application/json"),
        (b"name=a", "application/x-www-form-urlencoded"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json"),
    ],
)
def test_what_cannot_be_read_is_refused(house: House, body: bytes, kind: str) -> None:
    refused = tool(house)("POST", "/clients", body, content_type=kind)
    assert (refused.status, code_of(refused)) == (400, "IK1612")


def test_too_long_a_body_is_refused(house: House) -> None:
    refused = tool(house)("POST", "/clients", b'{"name": "' + b"x" * 50_000 + b'"}')
    assert (refused.status, code_of(refused)) == (413, "IK1616")


def test_what_is_there_already_is_not_made_again(house: House) -> None:
    admin = tool(house)
    for path, body in (
        ("/clients", {"name": "X", "id": "robot", "redirect_uris": ["https://x.example"]}),
        ("/people", {"username": ADA.upper(), "password": PASSWORD}),
        ("/resources", {"uri": f"{API}/", "name": "X"}),
    ):
        assert code_of(admin("POST", path, body)) == "IK1613"


@pytest.mark.parametrize(
    "path", ["/clients/%2e%2e", "/people/ada-1'--", "/nothing", "/clients/robot/nothing", "/realms/other/keys/x"]
)
def test_ids_of_nothing_are_not_found(house: House, path: str) -> None:
    assert code_of(tool(house)("GET", path)) == "IK1610"


def test_a_method_that_an_address_does_not_take_is_refused_with_those_it_does(house: House) -> None:
    refused = tool(house)("PUT", "/clients/robot", {})
    assert (refused.status, code_of(refused)) == (405, "IK1615")
    assert refused.header("allow") == "DELETE, GET, PATCH"


# The books


def test_every_change_is_in_the_books_with_who_and_what_and_no_secret(house: House) -> None:
    admin = tool(house)
    made = admin("POST", "/clients", {"name": "Booked", "id": "booked", "redirect_uris": ["https://b.example/cb"]}).json
    by_person(house, ROOT)("PATCH", "/clients/booked", {"name": "Twice booked"}, if_match="*")
    newest, before = admin("GET", "/audit?q=booked").json["lines"][:2]
    assert (newest["by"], newest["edits"]) == (
        "person root-0 by client shop",
        [{"path": "name", "op": "replace", "before": "Booked", "after": "Twice booked"}],
    )
    assert (before["by"], before["what"]) == ("client tool", "/admin/api/clients")
    everything = json.dumps(admin("GET", "/audit?limit=200").json)
    assert made["client_secret"] not in everything
    assert PASSWORD not in everything


def test_a_refusal_is_in_the_books_with_its_trail(house: House) -> None:
    by_person(house, HELPER)("PATCH", "/people/helper-3", {"roles": ["admin"]}, if_match="*")
    line = tool(house)("GET", "/audit?refusal=IK1607&limit=1").json["lines"][0]
    assert line["outcome"] == "refused"
    assert (line["trail"][-1]["check"], line["trail"][-1].get("passed", False)) == (
        "nobody is raised above whoever does it",
        False,
    )
    assert all(step["passed"] for step in line["trail"][:-1])


def test_the_books_keep_nothing_personal_of_whoever_was_erased(house: House) -> None:
    admin = tool(house)
    sub = add_person(admin, "forget@example.org", claims={"name": "Very Personal"})
    admin.change("DELETE", f"/people/{sub}")
    line = admin("GET", f"/audit?q=person.erase%20native%20{sub}").json["lines"][0]
    assert {one["path"] for one in line["edits"]} <= {"sub", "roles", "locked", "created_at"}


def test_the_books_are_paged_from_the_newest_on(house: House) -> None:
    admin = tool(house)
    first = admin("GET", "/audit?limit=3").json
    second = admin("GET", f"/audit?limit=3&before={first['next']}").json
    times = [(one["at"], one["n"]) for one in (*first["lines"], *second["lines"])]
    assert len({*times}) == 6
    assert times == sorted(times, reverse=True)
    assert code_of(admin("GET", "/audit?before=x")) == "IK1611"
    assert code_of(admin("GET", "/audit?colour=red")) == "IK1611"


def test_the_document_describes_every_route(house: House) -> None:
    document = Api(house, "")("GET", "/openapi.json").json
    described = {(method.upper(), path) for path, one in document["paths"].items() for method in one}
    assert described == {
        *(("GET", one.path) for one in READINGS.values()),
        *((one.method, one.path) for one in ACTIONS.values()),
    }
    assert document["components"]["schemas"]["NewClient"]["additionalProperties"] is False


def test_a_token_of_the_code_flow_that_was_redeemed_is_the_persons_own(house: House) -> None:
    browser = Visitor(house)
    code = browser.code(scope="openid admin:clients:read", resource=API)
    api = Api(house, redeem(house, code).json["access_token"])
    assert code_of(api("GET", "/clients")) == "IK1603", "Ada allowed it, and has no role to allow"
