"""People and programs who administer in these tests, and the admin API as they call it."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from innkeeper.issuer.core.admin.permissions import PERMISSIONS
from innkeeper.issuer.settings import SeedClient, SeedPerson
from tests.issuer.house import ORIGIN, PASSWORD, SETTINGS, Answer, Asked, House, named
from tests.issuer.visitor import Visitor, redeem

API = f"{ORIGIN}/admin/api"
ROOT, HELPER, AUDITOR, DEVELOPER = "root@example.org", "helper@example.org", "auditor@example.org", "dev@example.org"
TOOL_SECRET = "the secret of the tool that administers"
SHOP_SCOPES = ["openid", "profile", "email", "offline_access", "room:enter", "gym:enter", "sauna:heat"]

ADMINISTERED = replace(
    SETTINGS,
    client=[
        *(replace(one, scopes=[*SHOP_SCOPES, *PERMISSIONS]) if one.id == "shop" else one for one in SETTINGS.client),
        SeedClient(
            id="tool",
            name="The tool",
            secret=TOOL_SECRET,
            grants=("client_credentials",),
            scopes=[*PERMISSIONS, "room:enter"],
        ),
    ],
    person=[
        *SETTINGS.person,
        SeedPerson(sub="root-0", username=ROOT, password=PASSWORD, roles=["admin"], claims={"name": "Root"}),
        SeedPerson(sub="helper-3", username=HELPER, password=PASSWORD, roles=["helpdesk"]),
        SeedPerson(sub="auditor-4", username=AUDITOR, password=PASSWORD, roles=["auditor"]),
        SeedPerson(sub="dev-5", username=DEVELOPER, password=PASSWORD, roles=["developer"]),
    ],
)
"""The test inn with a tool that administers, an admin, a helper, an auditor, a developer; the shop may ask for everything."""


class Api:
    """The admin API, called with one token."""

    def __init__(self, house: House, token: str) -> None:
        self.house = house
        self.token = token

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """A call; ``path`` goes on after ``/admin/api`` and is written as it is sent."""
        return self.house.ask(self.asked(method, path, body, **headers))

    def asked(self, method: str, path: str, body: object = None, **headers: str) -> Asked:
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"content_type": "application/json"} if data else {}
        where, _, query = path.partition("?")
        return Asked(
            method,
            f"/admin/api{where}",
            query.encode("ascii"),
            named({**sent, **kind, **headers}),
            (data,) if data else (),
        )

    def etag(self, path: str) -> str:
        found = self("GET", path).header("etag")
        assert found is not None, path
        return found

    def change(self, method: str, path: str, body: object = None, at: str = "") -> Answer:
        """A change to what is there now, ``at`` its own address where the change has another one."""
        return self(method, path, body, if_match=self.etag(at or path))


def tool(house: House, *scopes: str) -> Api:
    """The admin API with a token of the tool's, for these scopes or all."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "tool",
        "client_secret": TOOL_SECRET,
        "scope": " ".join(scopes or PERMISSIONS),
        "resource": API,
    }
    return Api(house, house.token(form).json["access_token"])


def by_person(house: House, username: str, *scopes: str, visitor: Visitor | None = None, **more: str) -> Api:
    """The admin API with a token that this person allowed the shop, which asked for all of it."""
    asked = {"scope": " ".join(("openid", *(scopes or PERMISSIONS))), "resource": API, **more}
    browser = visitor or Visitor(house)
    page = browser.authorize(**asked)
    if 'id="sign-in"' in page.text:
        page = browser.sign_in(page, username)
    answer = browser.allow(page) if 'id="allow"' in page.text else page
    return Api(house, redeem(house, answer.sent_back["code"]).json["access_token"])


def problem(answer: Answer) -> dict[str, Any]:
    """A problem document, with the status that it names."""
    assert answer.header("content-type") == "application/problem+json", (answer.status, answer.headers, answer.body)
    document: dict[str, Any] = json.loads(answer.body)
    assert document["status"] == answer.status
    return document


def code_of(answer: Answer) -> str:
    return str(problem(answer)["code"])
