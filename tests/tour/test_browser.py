"""The tour as a person takes it: in Chromium, wide and narrow, light and dark, with and without scripts, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.inn import Inn
from tests.tour.guest import CALM, SIZES, Guest
from tests.tour.pictures import take, take_moving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture
def guest(browser: Browser, house: Inn) -> Iterator[Guest]:
    context = browser.new_context(**CALM)
    guest = Guest(context.new_page(), house.url)
    yield guest
    context.close()
    assert guest.complaints == []


def test_a_guest_checks_in_and_every_message_is_there(guest: Guest) -> None:
    guest.check_in()
    assert guest.text(".keycard-holder") == "sub\nguest-204"
    titles = [one.strip() for one in guest.page.locator(".hop-title").all_inner_texts()]
    assert len(titles) == 12
    paths = guest.page.locator(".ask-text").all_text_contents()
    assert [path.split()[1] for path in paths if "well-known" not in path and "tour" not in path] == [
        "/authorize", "/sign-in", "/sign-in", "/authorize", "/consent", "/consent", "/authorize", "/callback", "/token", "/jwks",
    ]  # fmt: skip
    assert "Correct-Horse-7" not in guest.page.content()


def test_the_note_is_explained_before_it_is_carried(guest: Guest) -> None:
    guest.go_in()
    note = guest.text(".note")
    assert "code_challenge" in note
    assert "The first half of the banknote" in note


@pytest.mark.parametrize(
    ("door", "card", "title", "why"),
    [
        ("room-204", "real", "The door opens", "Welcome"),
        ("room-305", "real", "A good card, and still no", "the holder's booking is for room 204"),
        ("vip", "real", "A good card, but not for this door", "vip:enter is missing"),
    ],
)
def test_doors_answer_in_hotel_words_and_in_oauths(guest: Guest, door: str, card: str, title: str, why: str) -> None:
    guest.check_in()
    guest.hold(door, card)
    assert guest.text("#answer-title") == title
    assert why in guest.text(".answer-why")
    assert guest.page.locator(".answer-checks .check").count() >= 12


def test_a_guest_checks_out_and_neither_door_nor_desk_knows_her_card_any_more(guest: Guest) -> None:
    guest.check_in()
    guest.hold("staff")
    assert "is no employee" in guest.text("#verdict")
    guest.page.click(".turn[value=desk-checkout]")
    guest.page.wait_for_selector("#hotel[data-at=desk]")
    assert "revoke" in guest.page.locator(".ask-text").all_text_contents()[-1]
    assert guest.page.locator(".turn[value=card-renew]").count() == 0
    guest.hold("room-204")
    assert "the stay is from" in guest.text(".answer-why")


BAD = {
    "none": "no Authorization header",
    "expired": "it expired",
    "tampered": "the signature does not fit",
    "other": "/hotel/mcp",
    "unsigned": "alg is 'none'",
    "identity": "ID token",
    "homemade": "the signature does not fit",
    "confused": "alg is 'HS256'",
}


def test_each_bad_card_is_refused_with_its_own_reason(guest: Guest) -> None:
    guest.check_in()
    for card, why in BAD.items():
        guest.hold("gym", card)
        assert guest.text("#answer-title") in {"This card is no good here", "Who are you?"}
        assert why in guest.text(".answer-why")
        assert guest.page.locator(".check.refused").first.is_visible()
    assert guest.page.locator(".tally .no").count() == len(BAD)
    assert "8, of which 0 opened" in guest.text(".tally summary")


def test_a_message_opens_with_its_parameters_checks_and_sections(guest: Guest) -> None:
    guest.check_in()
    guest.page.click(".hop-link:has-text('exchanges the ticket')")
    opened = guest.page.locator(".message.open")
    assert opened.count() == 1
    assert "The second half of the banknote" in opened.inner_text()
    assert opened.locator("a[href$='rfc7636#section-4.5']").count() == 1
    opened.locator(".checks summary").first.click()
    assert "verifier" in opened.locator(".checked").inner_text()


def test_messages_can_be_stepped_through_by_keyboard(guest: Guest) -> None:
    guest.check_in()
    first, second = guest.page.locator(".hop-link").nth(0), guest.page.locator(".hop-link").nth(1)
    first.focus()
    guest.page.keyboard.press("ArrowDown")
    assert second.get_attribute("aria-current") == "true"
    assert first.get_attribute("aria-current") is None
    assert guest.page.evaluate("document.activeElement.getAttribute('href')") == "#hop-2"


def test_the_whole_tour_can_be_taken_by_keyboard_alone(guest: Guest) -> None:
    page = guest.page
    page.goto(guest.url)
    page.focus("#start-guest")
    page.keyboard.press("Enter")
    page.wait_for_selector("#leave")
    page.focus("#leave")
    page.keyboard.press("Enter")
    page.wait_for_selector("#username")
    page.focus("#username")
    page.keyboard.type("guest@hotel.example")
    page.keyboard.press("Tab")
    page.keyboard.type("Correct-Horse-7")
    page.keyboard.press("Enter")
    page.wait_for_selector("#allow")
    page.focus("#allow")
    page.keyboard.press("Enter")
    page.wait_for_selector(".keycard")
    page.focus("button[value=vip]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer")
    assert guest.text("#answer-title") == "A good card, but not for this door"


def test_who_says_no_at_the_desk_gets_no_card_and_is_told_what_happened(guest: Guest) -> None:
    guest.go_in()
    guest.page.click("#leave")
    guest.sign_in()
    guest.page.click("#deny")
    guest.page.wait_for_selector("text=No keycard this time")
    assert "access_denied" in guest.text(".stage-panel")
    assert guest.page.locator(".hop-title:has-text('without a ticket')").count() == 1


def test_a_visit_made_in_another_tab_is_watched_live(guest: Guest) -> None:
    guest.go_in()
    with guest.page.context.expect_page() as opened:
        guest.page.click("[data-aside] a")
    desk = opened.value
    guest.page.locator(".hop-link:has-text('The desk asks who you are')").wait_for()
    guest.sign_in(desk)
    desk.click("#allow")
    guest.page.wait_for_selector(".keycard")
    assert guest.page.locator(".hop").count() == 12


def test_the_agents_visit_needs_no_pages(guest: Guest) -> None:
    guest.page.goto(guest.url)
    guest.page.click("#start-agent")
    guest.page.wait_for_selector(".keycard")
    assert guest.page.locator(".hop").count() == 2
    assert "The concierge asks for a keycard" in guest.text("#hops")


def test_everything_works_without_scripts(browser: Browser, house: Inn) -> None:
    context = browser.new_context(java_script_enabled=False)
    guest = Guest(context.new_page(), house.url)
    guest.check_in()
    guest.page.check("#card-tampered")
    guest.page.click("button[value=gym]")
    assert guest.text("#answer-title") == "This card is no good here"
    assert guest.page.locator(".message").count() == 13
    assert guest.page.locator("[data-copy]:visible").count() == 0, "what needs a script is not offered"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_looks_right_everywhere(browser: Browser, house: Inn, size: str, scheme: Any, tmp_path: Path) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **CALM)
    guest = Guest(context.new_page(), house.url)
    guest.page.goto(guest.url)
    assert guest.sideways() == 0
    guest.page.screenshot(path=tmp_path / "entrance.png")
    guest.check_in()
    guest.hold("gym")
    guest.hold("vip")
    for link in guest.page.locator(".hop-link").all():
        link.click()
        assert guest.sideways() == 0
    assert guest.page.locator(".hotel .lift .figure.guest").is_visible()
    guest.page.screenshot(path=tmp_path / "visit.png", full_page=True)
    assert guest.complaints == []
    context.close()


def test_at_double_size_nothing_runs_out_of_the_window(browser: Browser, house: Inn) -> None:
    context = browser.new_context(viewport={"width": 640, "height": 450}, device_scale_factor=2, **CALM)
    guest = Guest(context.new_page(), house.url)
    guest.check_in()
    guest.hold("vip")
    assert guest.sideways() == 0
    context.close()


@pytest.mark.parametrize("name", ["tour", "change"])
def test_a_picture_of_the_documentation_can_be_taken_anew(
    browser: Browser, house: Inn, tmp_path: Path, name: str
) -> None:
    take(browser, house, tmp_path, [name])
    assert (tmp_path / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_the_moving_picture_is_drawn_from_a_real_replay(browser: Browser, house: Inn, tmp_path: Path) -> None:
    drawn = take_moving(browser, house, tmp_path)
    page = browser.new_page()
    page.goto(drawn.as_uri())
    assert page.locator("g").count() == drawn.read_text("utf-8").count("@keyframes") == 12
    page.close()
