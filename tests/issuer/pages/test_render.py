"""Each page: what a script finds by id, what a screen reader finds by name, and what no hostile name can add."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from jinja2 import TemplateNotFound, UndefinedError

from innkeeper.issuer.pages.compare import Comparison
from innkeeper.issuer.pages.render import render
from tests.issuer.pages.markup import Markup, sample
from tests.issuer.pages.samples import CLIENT, DEVELOPMENT, PAGES

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 191 }}"


def hostile(value: Any) -> Any:
    """The same context with every text in it turned into an attack; what is empty stays empty."""
    if isinstance(value, str):
        return value and HOSTILE + value
    if isinstance(value, Comparison):
        return hostile(msgspec.structs.asdict(value))
    if isinstance(value, Mapping):
        return {key: hostile(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(hostile(one) for one in value)
    return value


def submitted(page: Markup) -> dict[str, str | None]:
    """What the form sends whatever button is pressed."""
    return {field["name"] or "": field["value"] for field in page.all("input") if field.get("type") == "hidden"}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_inline(name: str) -> None:
    page = sample(name)
    assert "style" not in page.tags
    assert all(script.get("src") for script in page.all("script"))
    for tag, attributes in page.elements:
        written = {key for key in attributes if key == "style" or key.startswith("on")}
        assert not written, f"<{tag}> has {written}"


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_text_adds_no_element_and_no_attribute(name: str) -> None:
    template, context = PAGES[name]
    attacked = Markup(render(template, **hostile(context)).decode())
    assert [(tag, list(found)) for tag, found in attacked.elements] == [
        (tag, list(found)) for tag, found in sample(name).elements
    ]
    assert "<script>alert(1)" in attacked.text
    assert "1337" not in attacked.text


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_its_language_its_title_and_its_main_part(name: str) -> None:
    page = sample(name)
    assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert page.tags.count("title") == page.tags.count("main") == page.tags.count("h1") == 1
    assert re.search(r"\S · innkeeper", page.text)


@pytest.mark.parametrize("name", PAGES)
def test_headings_go_down_one_step_at_a_time(name: str) -> None:
    levels = [int(tag[1]) for tag in sample(name).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_what_an_element_refers_to_is_on_the_page_once(name: str) -> None:
    page = sample(name)
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    pointers = ("for", "aria-labelledby", "aria-describedby")
    named = [attributes[key] or "" for _, attributes in page.elements for key in pointers if key in attributes]
    assert {one for several in named for one in several.split()} <= set(ids)


@pytest.mark.parametrize("name", PAGES)
def test_every_image_has_its_words_or_is_passed_over(name: str) -> None:
    page = sample(name)
    assert all("alt" in image for image in page.all("img"))
    assert all(drawing.get("aria-hidden") == "true" for drawing in page.all("svg"))


@pytest.mark.parametrize(
    ("name", "variable"), [(name, variable) for name, (_, context) in PAGES.items() for variable in context]
)
def test_a_variable_left_out_is_an_error_and_never_a_blank(name: str, variable: str) -> None:
    template, context = PAGES[name]
    with pytest.raises(UndefinedError):
        render(template, **{key: value for key, value in context.items() if key != variable})


def test_a_page_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        render("../render.py")


def test_sign_in_has_its_fields_by_id_with_labels_and_the_browsers_own_help() -> None:
    page = sample("sign-in")
    assert [label["for"] for label in page.all("label")] == ["username", "password"]
    assert page.by_id("username")[1] | {"value": "", "spellcheck": "false"} == {
        "id": "username",
        "name": "username",
        "value": "",
        "required": None,
        "autocomplete": "username",
        "autocapitalize": "none",
        "spellcheck": "false",
        "autofocus": None,
    }
    assert page.by_id("password")[1] == {
        "id": "password",
        "name": "password",
        "type": "password",
        "required": None,
        "autocomplete": "current-password",
    }
    assert page.all("form")[0] == {"method": "post", "action": "/sign-in", "class": "stack"}
    assert submitted(page) == {"csrf": "c5rf", "ticket": "t1cket"}


def test_sign_in_is_the_answer_to_enter_and_cancel_needs_no_password() -> None:
    first, second = sample("sign-in").all("button")
    assert first.get("id") == "sign-in"
    assert "name" not in first
    assert (second["name"], second["value"]) == ("decision", "cancel")
    assert "formnovalidate" in second


def test_a_problem_is_announced_and_tied_to_both_fields() -> None:
    page = sample("sign-in-problem")
    assert page.by_id("problem")[1]["role"] == "alert"
    for name in ("username", "password"):
        assert page.by_id(name)[1]["aria-describedby"] == "problem"
    assert "autofocus" in page.by_id("password")[1]
    assert page.by_id("username")[1]["value"] == "guest@hotel.example"
    assert "Not signed in · innkeeper" in page.text


@pytest.mark.parametrize("development", [True, False])
def test_the_seed_password_shows_in_development_only(development: bool) -> None:
    assert ("Correct-Horse-7" in sample("sign-in", development=development).text) is development


def test_consent_says_who_asks_for_what_until_when_and_where_the_answer_goes() -> None:
    text = " ".join(sample("consent").text.split())
    for told in (
        "Allow Guest App?",
        "Ada Guest",
        "guest@hotel.example",
        "guests.example",
        "Open your room",
        "room:enter",
        "The hotel http://127.0.0.1:8400/hotel",
        "30 days or until you check out.",
        "every 15 minutes",
        "127.0.0.1:8765",
    ):
        assert told in text


def test_a_client_known_only_by_where_the_answer_goes_is_not_said_to_be_somewhere_too() -> None:
    text = sample("consent", client=CLIENT | {"host": "127.0.0.1:8765"}).text
    assert text.count("127.0.0.1:8765") == 1


@pytest.mark.parametrize(("minutes", "told"), [(15, "every 15 minutes."), (1, "every minute."), (0, "")])
def test_how_often_access_is_checked_again_is_told_where_it_is(minutes: int, told: str) -> None:
    text = sample("consent", access_minutes=minutes).text
    assert told in text
    assert ("Checked again" in text) is bool(minutes)


def test_what_is_asked_for_the_first_time_is_marked_new() -> None:
    assert sample("consent").text.count("new") == 1
    assert "new" not in sample("consent-plain").text


@pytest.mark.parametrize("loopback", [True, False])
def test_an_answer_to_this_computer_is_pointed_out(loopback: bool) -> None:
    assert ("program on this computer" in sample("consent", loopback=loopback).text) is loopback


def test_consent_answers_with_allow_or_deny() -> None:
    page = sample("consent")
    for name in ("allow", "deny"):
        tag, button = page.by_id(name)
        assert (tag, button["name"], button["value"]) == ("button", "decision", name)
    assert submitted(page) == {"csrf": "c5rf", "ticket": "t1cket"}
    assert {"href": "/sign-in?switch=1"} in page.all("a")


def test_a_request_for_no_scope_still_says_what_is_given() -> None:
    assert "Know that you signed in" in sample("consent", asks=[]).text


def test_outside_development_an_error_tells_its_number_and_no_reason() -> None:
    page = sample("error")
    page.by_id("error-page")
    assert "IK104" in page.text
    assert {"href": "https://innkeeper.example/errors/IK104"} in page.all("a")
    assert not any(word in page.text for word in ("registered URIs", "Why", "checks", "8765"))


def test_in_development_an_error_shows_the_reason_the_difference_and_the_checks() -> None:
    page = sample("error-development")
    text = " ".join(page.text.split())
    assert "the redirect URI is not one of the 2 registered" in text
    assert "/[differs: C]allback[differs: /]" in text
    assert "/[differs: c]allback[something is missing here]" in text
    assert "https://guests.example/signed-in" in text
    assert text.index("Passed: client is known") < text.index("Refused: redirect uri is registered")


def test_no_markup_stands_between_the_characters_of_a_comparison() -> None:
    """White space in the template would be read as white space in what was sent."""
    sent = re.search(r'<dd class="compared">(.*?)</dd>', _html("error-development"), re.DOTALL)
    assert sent
    shown = re.sub(r"<span class=\"visually-hidden\">.*?</span>|<[^>]*>", "", sent[1].strip("\n"))
    assert shown == "http://127.0.0.1:8765/Callback/"


def test_an_error_without_a_comparison_or_a_docs_page_is_whole() -> None:
    page = sample("error-development", development=DEVELOPMENT | {"comparison": None, "steps": []})
    assert "Sent against registered" not in page.text
    problem = {"number": "IK1", "error": "server_error", "title": "T", "text": "X", "docs_url": ""}
    assert sample("error", problem=problem).all("a") == []


@pytest.mark.parametrize("client", [CLIENT, None])
def test_signing_out_is_asked_for(client: object) -> None:
    page = sample("logout", client=client)
    assert page.by_id("logout-confirm")[0] == "form"
    assert page.by_id("logout")[1]["value"] == "logout"
    assert [button["value"] for button in page.all("button")] == ["logout", "cancel"]
    assert ("Guest App" in page.text) is (client is not None)


@pytest.mark.parametrize("back", ["https://guests.example/", None])
def test_signed_out_leads_back_where_there_is_a_way(back: str | None) -> None:
    page = sample("signed-out", back_url=back)
    page.by_id("logged-out")
    assert [link["href"] for link in page.all("a")] == ([back] if back else [])


def test_form_post_carries_every_field_and_a_button_for_who_has_no_script() -> None:
    page = sample("form-post")
    assert page.all("form")[0]["action"] == "https://guests.example/callback"
    assert submitted(page) == {"code": "abc", "state": "xyz"}
    assert len(page.all("button")) == 1
    assert [(script["src"] or "").partition("?")[0] for script in page.all("script")] == ["/static/submit.js"]


def _html(name: str) -> str:
    template, context = PAGES[name]
    return render(template, **context).decode()
