"""The console: what is shown to whom, a change in two steps, and the forms that were not sent from it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from gettext import NullTranslations

import pytest

from innkeeper.issuer.desk.admin.actions import ACTIONS
from innkeeper.issuer.pages import speaking
from innkeeper.issuer.witness.audit import open_chain
from innkeeper.issuer.witness.witness import Witness
from tests.issuer.house import PASSWORD, Answer, Clock, House
from tests.issuer.http.administrators import ADMINISTERED, AUDITOR, DEVELOPER, HELPER, ROOT, tool
from tests.issuer.http.people import ADA, BOB, at_account, is_signed_in, set_up, words
from tests.issuer.visitor import Form, Visitor


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("console")

    def witness(clock: Clock) -> Witness:
        return Witness(clock, chain=open_chain(folder / "audit", "serve", clock(), 10_000_000))

    made = House(folder, ADMINISTERED, witness=witness)
    yield made
    made.close()


def at(
    house: House, path: str = "/admin", username: str = ROOT, visitor: Visitor | None = None
) -> tuple[Visitor, Answer]:
    """A page of the console, signing in where that is asked."""
    browser = visitor or Visitor(house)
    return browser, at_account(browser, path, username)


def links(page: Answer) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'href="(/admin[^"]*)"', page.text)]


def number(page: Answer) -> str:
    found = re.search(r'class="plate">(IK\d+)<', page.text)
    assert found, page.text[:1500]
    return found[1]


def done(browser: Visitor, path: str, **typed: str) -> Answer:
    """A change through both of its steps: what is typed, and the answer to what was shown."""
    page = browser.get(path)
    review = browser.submit(page, **typed) if 'id="review"' in page.text else page
    assert 'id="confirm"' in review.text, words(review)[:600]
    return browser.submit(review)


# Who comes in


def test_the_console_asks_to_sign_in_and_comes_back_to_the_page_that_was_asked_for(house: House) -> None:
    browser = Visitor(house)
    page = browser.get("/admin/clients/shop")
    assert 'id="sign-in"' in page.text
    assert "<h1><bdi>The shop</bdi>" in browser.sign_in(page, ROOT).text


def test_the_console_speaks_as_the_browser_does(house: House) -> None:
    browser, _ = at(house)
    page = browser.get("/admin", accept_language="de")
    assert '<html lang="de" dir="ltr">' in page.text
    assert "Auf einen Blick" in words(page)
    assert "Sie haben die Rolle admin." in words(page)
    person = words(browser.get("/admin/people/bob-2", accept_language="es"))
    assert "Cuenta Abierta" in person
    assert "Roles Ninguno" in person
    key = words(browser.get("/admin/do/key.rotate/native", accept_language="fr"))
    assert "Secondes de publication avant qu’elle signe" in key


PLACES = (
    "", "/clients", "/clients/shop", "/clients?q=nothing-is-called-that", "/agents", "/people", "/people/bob-2", "/resources",
    "/realms", "/realms/native", "/realms/native/keys", "/policy", "/audit", "/audit?q=nothing-is-called-that", "/health",
    "/clients/nobody", "/policy?done=policy.change", *(f"/do/{one}" for one in ACTIONS if one.endswith((".add", ".invite"))),
    "/do/client.change/shop", "/do/client.rotate-secret/shop", "/do/client.remove/shop", "/do/person.change/bob-2",
    "/do/person.lock/bob-2", "/do/person.erase/bob-2", "/do/key.rotate/native", "/do/policy.change",
)  # fmt: skip


class _Bracketed(NullTranslations):
    """A language in which everything that is translated stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@pytest.mark.parametrize("place", PLACES)
def test_no_words_of_the_console_are_left_unsaid_in_other_languages(
    house: House, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """What is neither data nor marked as English is said by way of the catalogue, and so in every language."""
    browser, _ = at(house)
    monkeypatch.setattr(speaking, "catalogue", lambda _: _Bracketed())
    page = browser.get(f"/admin{place}", accept_language="de").text
    assert unsaid(page.partition("<body")[2]) == []


def unsaid(page: str) -> list[str]:
    """The texts of a page, its labels for the ear among them, that are neither in brackets nor data."""
    for element in ("code", "bdi", "time", "dd", "ins", "del", "textarea"):
        page = re.sub(rf"<{element}\b[^>]*>.*?</{element}>", "", page, flags=re.DOTALL)
    page = re.sub(r"<(\w+)\b[^>]* lang=\"en\"[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r'aria-label="([^"]*)"', r">\1<", page)
    texts = [html.unescape(one) for one in re.findall(r">([^<]+)", page)]
    while any("⟦" in one for one in texts):
        texts = [re.sub(r"⟦[^⟦⟧]*⟧", "", one) for one in texts]
    left = (one.strip(" ›\n") for one in texts)
    return [
        one for one in left if re.search(r"[^\W\d_]{2}", one) and one not in NAMES and not OF_PROTOCOLS.fullmatch(one)
    ]


NAMES = {"The test inn", "The shop", "Ada <b>", "Root", "Bob", BOB, "native", "oauth21"}
"""What people and operators called things in these tests."""

OF_PROTOCOLS = re.compile(r"IK\d+|(?:[a-z]+_)+[a-z]+(?:, (?:[a-z]+_)+[a-z]+)*|https?://\S+")
"""What is called the same in every language: numbers, members, grants, addresses."""


def test_a_guest_without_a_role_is_told_why_and_shown_nothing(house: House) -> None:
    _, page = at(house, username=ADA)
    assert (page.status, number(page)) == (403, "IK1603")
    assert "innkeeper admin grant" in words(page)
    assert "robot" not in page.text


@pytest.mark.parametrize(
    ("username", "parts"),
    [
        (ROOT, {"clients", "agents", "people", "resources", "realms", "policy", "audit", "health"}),
        (AUDITOR, {"clients", "agents", "people", "resources", "realms", "policy", "audit", "health"}),
        (HELPER, {"people", "audit"}),
        (DEVELOPER, {"clients", "agents", "resources"}),
    ],
)
def test_what_one_may_not_see_is_not_in_the_menu_and_is_refused(house: House, username: str, parts: set[str]) -> None:
    browser, page = at(house, username=username)
    shown = {one.split("/")[2].partition("?")[0] for one in links(page) if one.count("/") == 2}
    assert shown == parts
    for part in ("clients", "people", "resources", "realms", "policy", "audit", "health"):
        answer = browser.get(f"/admin/{part}")
        assert answer.status == (200 if part in parts else 403), part
        if part not in parts:
            assert number(answer) == "IK1603"


def test_every_change_is_open_to_whoever_may_and_to_nobody_else(house: House) -> None:
    """Every change with every role: what one may not do is not offered, and refused at its own address."""
    keys = {"client": "robot", "person": "bob-2", "resource": "http:%2F%2F127.0.0.1:8400%2Fspa", "policy": "native"}
    wrong = []
    for username, allowed in (
        (ROOT, {"client", "agent", "person", "resource", "key", "policy"}),
        (AUDITOR, set()),
        (HELPER, {"person"}),
        (DEVELOPER, {"client", "agent", "resource"}),
    ):
        browser, _ = at(house, username=username)
        for action in ACTIONS.values():
            key = "" if action.makes and action.kind != "key" else f"/{keys.get(action.kind, 'native')}"
            answer = browser.get(f"/admin/do/{action.name}{key}")
            refused = answer.status == 403 and number(answer) == "IK1603"
            if refused is (action.kind in allowed):
                wrong.append((username, action.name, answer.status))
    assert wrong == []


def test_who_sees_and_changes_nothing_is_offered_no_change(house: House) -> None:
    browser, _ = at(house, username=AUDITOR)
    for path in ("/admin/clients", "/admin/clients/robot", "/admin/people/bob-2", "/admin/policy"):
        assert not [one for one in links(browser.get(path)) if one.startswith("/admin/do/")], path


# A change in two steps


def test_a_change_is_shown_before_it_is_made(house: House) -> None:
    browser, page = at(house, "/admin/do/client.change/robot")
    review = browser.submit(page, name="The new robot", scopes="room:enter", grants="client_credentials")
    told = words(review)
    assert "Nothing is changed yet." in told
    assert "goes: The robot" in told
    assert "comes: The new robot" in told
    assert "goes: gym:enter" in told
    assert "The robot" in browser.get("/admin/clients/robot").text
    after = browser.submit(review)
    assert "Done: change a client." in words(after)
    assert "The new robot" in words(after)


def test_a_new_client_is_told_its_secret_once(house: House) -> None:
    browser, _ = at(house)
    told = done(browser, "/admin/do/client.add", name="Kiosk", redirect_uris="https://kiosk.example/cb")
    secret = re.search(r'id="client_secret">([^<]{43})<', told.text)
    client_id = re.search(r'id="client_id">([^<]+)<', told.text)
    assert secret
    assert client_id
    assert secret[1] not in browser.get(f"/admin/clients/{client_id[1]}").text


def test_a_person_is_made_locked_unlocked_and_erased(house: House) -> None:
    browser, _ = at(house)
    made = done(
        browser, "/admin/do/person.add", username="eve@example.org", password=PASSWORD, claims='{"name": "Eve"}'
    )
    sub = re.search(r"Subject</dt><dd[^>]*>\s*([^\s<]+)\s*<", made.text)
    assert sub
    eve = Visitor(house)
    assert "Eve" in at_account(eve, username="eve@example.org").text
    locked = done(browser, f"/admin/do/person.lock/{sub[1]}")
    assert "Locked" in words(locked)
    assert not is_signed_in(eve)
    assert "Unlock" in words(locked)
    done(browser, f"/admin/do/person.unlock/{sub[1]}")
    gone = done(browser, f"/admin/do/person.erase/{sub[1]}")
    assert "Done: erase a person." in words(gone)
    assert "eve@example.org" not in gone.text


def test_an_agent_is_added_with_its_owner_paused_and_revoked(house: House) -> None:
    browser, _ = at(house)
    typed = {"name": "Bell boy", "owner": BOB, "purpose": "Carries bags", "scopes": "room:enter"}
    told = done(browser, "/admin/do/agent.add", **typed)
    found = re.search(r'id="client_id">([^<]+)<', told.text)
    assert found
    path = f"/admin/agents/{found[1]}"
    assert "Carries bags" in words(browser.get(path))
    assert "paused" in words(done(browser, f"/admin/do/agent.pause/{found[1]}"))
    assert "revoked" in words(done(browser, f"/admin/do/agent.revoke/{found[1]}"))
    assert "/admin/do/agent.resume" not in browser.get(path).text


def test_a_lost_telephone_is_helped_with_by_a_helper(house: House) -> None:
    lost = Visitor(house)
    set_up(lost, BOB)
    browser, _ = at(house, username=HELPER)
    review = browser.get("/admin/do/person.reset-factors/bob-2")
    assert "goes: codes" in words(review)
    assert "Done" in words(browser.submit(review))
    assert not is_signed_in(lost)


def test_rules_and_keys_and_resources_are_changed_here_too(house: House) -> None:
    browser, page = at(house, "/admin/do/policy.change")
    review = browser.submit(page, access_lifetime="300", profile="oauth21")
    assert "goes: 600" in words(review)
    assert "comes: 300" in words(review)
    assert "set here" in words(browser.submit(review))
    done(browser, "/admin/do/policy.change", access_lifetime="600", profile="oauth21")
    assert "signs soon" in words(done(browser, "/admin/do/key.rotate/native", alg="ES256", ahead="600"))
    made = done(browser, "/admin/do/resource.add", uri="https://bar.example/", name="Bar", scopes="bar:sit = Sit down")
    assert "bar:sit: Sit down" in words(made)


def test_what_does_not_fit_is_told_at_the_form_with_what_was_typed(house: House) -> None:
    browser, page = at(house, "/admin/do/client.add")
    again = browser.submit(page, name="Kept as typed", redirect_uris="http://evil.example/cb")
    assert again.status == 422
    assert "http://evil.example/cb" in words(again)
    assert 'value="Kept as typed"' in again.text
    assert browser.submit(browser.get("/admin/do/person.change/bob-2"), claims="{").status == 422
    assert "8 characters" in words(browser.submit(browser.get("/admin/do/person.password/bob-2"), password="short"))


def test_who_was_slower_is_told_and_nothing_of_theirs_is_done(house: House) -> None:
    browser, page = at(house, "/admin/do/client.change/app")
    typed = {"redirect_uris": "http://127.0.0.1/callback", "scopes": "openid", "grants": "authorization_code"}
    review = browser.submit(page, name="Slower", **typed)
    assert tool(house)("PATCH", "/clients/app", {"name": "Faster"}, if_match="*").status == 200
    lost = browser.submit(review)
    assert (lost.status, number(lost)) == (412, "IK1606")
    assert "Faster" in browser.get("/admin/clients/app").text


def test_a_secret_is_not_in_the_page_that_waits_for_the_confirmation(house: House) -> None:
    browser, page = at(house, "/admin/do/person.password/bob-2")
    review = browser.submit(page, password="a very secret password")
    assert "very secret" not in review.text
    assert "a new one" in words(review)


# Forms that were not sent from our page


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}],
)
def test_a_form_of_another_site_changes_nothing(house: House, headers: dict[str, str]) -> None:
    browser, _ = at(house)
    review = browser.get("/admin/do/person.lock/bob-2")
    refused = browser.post("/admin/do/person.lock/bob-2", Form(review).hidden, **headers)
    assert (refused.status, number(refused)) == (403, "IK1614")
    assert tool(house)("GET", "/people/bob-2").json["locked"] is False


def test_a_form_without_its_proof_changes_nothing(house: House) -> None:
    browser, _ = at(house)
    fields = Form(browser.get("/admin/do/person.lock/bob-2")).hidden
    for sent in ({**fields, "csrf": "x"}, {"change": fields["change"]}):
        assert number(browser.post("/admin/do/person.lock/bob-2", sent)) == "IK1614"


def test_what_was_shown_counts_for_that_change_that_session_and_a_while(house: House) -> None:
    browser, _ = at(house)
    other, _ = at(house)
    shown = Form(browser.get("/admin/do/person.lock/bob-2")).hidden
    elsewhere = Form(other.get("/admin/do/person.lock/bob-2")).hidden
    for path, change in (
        ("/admin/do/person.lock/ada-1", shown["change"]),
        ("/admin/do/person.erase/bob-2", shown["change"]),
        ("/admin/do/person.lock/bob-2", elsewhere["change"]),
        ("/admin/do/person.lock/bob-2", shown["change"][:-4] + "AAAA"),
    ):
        refused = browser.post(path, {"csrf": shown["csrf"], "change": change})
        assert number(refused) == "IK1614", path
    house.clock.move(599)
    again = browser.get("/admin/do/person.lock/bob-2")
    house.clock.move(2)
    assert 'id="sign-in"' in browser.submit(again).text, "the sign-in is too old for a change by now"
    assert tool(house)("GET", "/people/bob-2").json["locked"] is False


def test_a_helper_cannot_make_themselves_more_by_typing_it(house: House) -> None:
    browser, page = at(house, "/admin/do/person.change/helper-3", HELPER)
    assert 'value="admin"' not in page.text, "a role that one cannot give is not shown"
    review = browser.submit(page, username=HELPER, roles="admin")
    assert "admin:" not in words(review).replace("admin:people", "").replace("admin:audit", "")
    refused = browser.get("/admin/do/person.lock/root-0")
    assert (refused.status, number(refused)) == (403, "IK1607")


def test_a_change_needs_a_sign_in_of_now_and_comes_back_to_where_it_was(house: House) -> None:
    browser, _ = at(house)
    house.clock.move(601)
    assert browser.get("/admin/clients").status == 200
    page = browser.get("/admin/do/client.change/robot")
    assert 'id="sign-in"' in page.text
    assert 'id="review"' in browser.sign_in(page, ROOT).text


# Looking


def test_lists_are_searched_and_an_empty_one_says_so(house: House) -> None:
    browser, _ = at(house)
    assert "/admin/clients/shop" in links(browser.get("/admin/clients?q=SHO"))
    nothing = browser.get("/admin/clients?q=nobody")
    assert 'id="nothing"' in nothing.text
    assert "Show everything" in words(nothing)


def test_a_refusal_is_found_in_the_log_with_its_checks(house: House) -> None:
    house.token({"grant_type": "client_credentials", "client_id": "robot", "client_secret": "wrong"})
    browser, page = at(house, "/admin/audit?outcome=refused")
    browser.sign_in(page, ROOT) if 'id="sign-in"' in page.text else None
    page = browser.get("/admin/audit?outcome=refused&client=robot")
    line = browser.get(next(one for one in links(page) if re.fullmatch(r"/admin/audit/[^/]+/\d+", one)))
    assert "The checks, in order" in words(line)
    assert "Refused:" in words(line)
    assert "IK2" in words(line)


def test_a_change_is_found_in_the_log_with_before_and_after(house: House) -> None:
    browser, _ = at(house)
    done(browser, "/admin/do/client.change/robot", name="Booked", scopes="room:enter", grants="client_credentials")
    page = browser.get("/admin/audit?q=client.change")
    line = words(browser.get(next(one for one in links(page) if re.fullmatch(r"/admin/audit/[^/]+/\d+", one))))
    assert "Before and after" in line
    assert "person root-0" in line
    assert "comes: Booked" in line


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/admin/nothing", "IK1610"),
        ("/admin/clients/nobody", "IK1610"),
        ("/admin/do/client.change/nobody", "IK1610"),
        ("/admin/do/client.change", "IK1610"),
        ("/admin/do/nothing/robot", "IK1610"),
        ("/admin/audit/serve-1/999999", "IK1610"),
        ("/admin/realms/native/nothing", "IK1610"),
        ("/admin/clients?limit=x", "IK1611"),
        ("/admin/audit?before=x", "IK1611"),
        ("/admin/clients?q=a&q=b", "IK1611"),
    ],
)
def test_what_is_not_there_is_told_in_the_frame(house: House, path: str, refusal: str) -> None:
    browser, _ = at(house)
    page = browser.get(path)
    assert number(page) == refusal
    assert 'aria-label="Console"' in page.text


def test_every_page_keeps_its_policy_and_is_not_kept(house: House) -> None:
    browser, _ = at(house)
    for path in (
        "/admin",
        "/admin/clients",
        "/admin/clients/shop",
        "/admin/do/client.add",
        "/admin/audit",
        "/admin/health",
    ):
        page = browser.get(path)
        assert page.status == 200, path
        policy = str(page.header("content-security-policy"))
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        assert page.header("cache-control") == "no-store"
        assert "<script" not in page.text
        assert "style=" not in page.text
