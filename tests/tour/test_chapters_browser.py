"""The chapters as a person takes them: each in some window and theme here, in all of them with ``-m marathon``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from innkeeper.tour.book import HOPS
from innkeeper.tour.plays import chapters
from tests.inn import Inn
from tests.tour.guest import CALM, SIZES, Guest
from tests.tour.world import SEEDED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.browser

OPEN = [one.key for one in chapters() if not one.needs or one.needs in SEEDED]
WINDOWS = [(size, scheme) for scheme in ("light", "dark") for size in SIZES]
SOME = [(key, *WINDOWS[n % len(WINDOWS)]) for n, key in enumerate(OPEN)]
ALL = [(key, *window) for key in OPEN for window in WINDOWS]
PAINT = 200
"""Milliseconds within which something is seen."""
JANK = 250
"""Milliseconds that a click may take with many messages on the page, on a machine that is busy."""


@contextmanager
def seen(browser: Browser, house: Inn, size: str = "desktop", scheme: Any = "light", **how: Any) -> Iterator[Guest]:
    """A guest with a window of this size and theme, in whose console nothing may complain."""
    width, height = SIZES[size]
    window = {"viewport": {"width": width, "height": height}, **CALM, **how}
    context = browser.new_context(color_scheme=scheme, **window)
    guest = Guest(context.new_page(), house.url)
    yield guest
    context.close()
    assert guest.complaints == []


def kept(tmp_path: Path, name: str) -> Path:
    """Where a picture is kept: INNKEEPER_PICTURES, or the test's own folder."""
    folder = Path(os.environ.get("INNKEEPER_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.png"


def looked_at(browser: Browser, house: Inn, key: str, size: str, scheme: str, picture: Path, *, axe: bool) -> None:
    """Play a chapter in a window, open one of its messages, and keep a picture."""
    with seen(browser, house, size, scheme) as guest:
        guest.play(key)
        assert guest.sideways() == 0
        assert guest.page.locator(".act-done").count() == guest.page.locator(".act").count()
        assert guest.page.locator(".surprise").count() == 0
        guest.page.screenshot(path=picture, full_page=True)
        guest.page.locator(".hop-link").last.click()
        assert guest.sideways() == 0
        assert guest.page.locator(".message.open").is_visible()
        if axe:
            assert guest.barriers() == []


@pytest.mark.parametrize(("key", "size", "scheme"), SOME)
def test_a_chapter_is_played(browser: Browser, house: Inn, tmp_path: Path, key: str, size: str, scheme: str) -> None:
    looked_at(browser, house, key, size, scheme, kept(tmp_path, f"chapter-{key}-{size}-{scheme}"), axe=False)


@pytest.mark.marathon
@pytest.mark.parametrize(("key", "size", "scheme"), ALL)
def test_a_chapter_is_played_everywhere(
    browser: Browser, house: Inn, tmp_path: Path, key: str, size: str, scheme: str
) -> None:
    looked_at(browser, house, key, size, scheme, kept(tmp_path, f"chapter-{key}-{size}-{scheme}"), axe=True)


def test_a_chapter_can_be_taken_by_keyboard_alone(browser: Browser, house: Inn) -> None:
    with seen(browser, house) as guest:
        page = guest.page
        page.goto(f"{guest.url}/tour/chapters/client-credentials")
        while page.evaluate("document.activeElement.id") != "begin":
            page.keyboard.press("Tab")
        for number in range(1, 6):
            page.keyboard.press("Enter")
            page.locator(f"#act-{number}.act-done").wait_for()
            page.locator("#next:focus, #onward:focus").wait_for()
        assert guest.text("#remember-title") == "To remember"
        page.keyboard.press("Enter")
        page.wait_for_url("**/tour/chapters/code")


def test_a_link_can_start_a_chapter(browser: Browser, house: Inn) -> None:
    with seen(browser, house) as guest:
        guest.page.goto(f"{guest.url}/tour/chapters/discovery?play")
        guest.page.wait_for_selector(".remember")
        guest.page.reload()
        assert guest.page.locator(".act-done").count() == 5, "the address has become that of the replay"


def test_a_chapter_needs_no_scripts(browser: Browser, house: Inn) -> None:
    with seen(browser, house, java_script_enabled=False) as guest:
        page = guest.page
        page.goto(f"{guest.url}/tour/chapters/discovery")
        page.click("#begin")
        assert page.url.endswith("#act-1")
        page.click("#next")
        page.click("#play-all")
        assert page.locator(".remember").is_visible()


def test_whoever_likes_it_moving_sees_the_same(browser: Browser, house: Inn) -> None:
    with seen(browser, house, reduced_motion="no-preference") as guest:
        guest.page.goto(f"{guest.url}/tour/chapters/client-credentials")
        guest.page.click("#begin")
        guest.page.locator("#act-1.act-done").wait_for()
        guest.page.click("#next")
        guest.page.locator(".hotel[data-gym=open][data-inside=yes]").wait_for()
        assert guest.page.get_attribute("#hotel", "data-who") == "agent"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out(browser: Browser, house: Inn, scheme: str) -> None:
    with seen(browser, house, scheme=scheme) as guest:
        for path in ("/", "/tour/chapters", "/tour/chapters/refresh", "/tour/visits/none"):
            guest.page.goto(f"{guest.url}{path}")
            assert guest.barriers() == [], path
        guest.complaints.clear()  # the page that is not there was asked for
        guest.go_in()
        assert guest.barriers() == []
        guest.page.click("#leave")
        assert guest.barriers() == []
        guest.sign_in()
        assert guest.barriers() == []
        guest.page.click("#allow")
        guest.page.wait_for_selector(".keycard")
        guest.hold("vip", "tampered")
        assert guest.barriers() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_double_size_nothing_keeps_people_out(browser: Browser, house: Inn, scheme: str) -> None:
    zoomed = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}
    with seen(browser, house, scheme=scheme, **zoomed) as guest:
        guest.play("mistakes")
        assert guest.sideways() == 0
        assert guest.barriers() == []


def test_from_right_to_left_nothing_runs_out_of_the_window(browser: Browser, house: Inn) -> None:
    for size in SIZES:
        with seen(browser, house, size) as guest:
            guest.play("client-credentials")
            guest.page.evaluate("document.documentElement.dir = 'rtl'")
            assert guest.sideways() == 0


def test_on_paper_every_message_and_claim_is_there_and_nothing_to_press(browser: Browser, house: Inn) -> None:
    with seen(browser, house) as guest:
        guest.play("client-credentials")
        guest.page.emulate_media(media="print")
        guest.page.set_viewport_size({"width": 720, "height": 1000})
        assert guest.page.locator(".message:visible").count() == guest.page.locator(".message").count() > 2
        assert guest.page.locator("button:visible").count() == 0
        assert guest.page.locator("#tokens .raw-token").first.is_visible()
        assert guest.sideways() == 0


def test_news_comes_again_after_the_line_was_cut(browser: Browser, house: Inn) -> None:
    with seen(browser, house) as guest:
        cut: list[str] = []

        def once(route: Route) -> None:
            if cut:
                route.continue_()
            else:
                cut.append(route.request.url)
                route.fulfill(status=200, content_type="text/event-stream", body="retry: 100\n\n")

        guest.page.route("**/events", once)
        guest.go_in()
        with guest.page.context.expect_page() as opened:
            guest.page.click("[data-aside] a")
        guest.page.locator(".hop-link:has-text('The desk asks who you are')").wait_for()
        assert cut
        opened.value.close()


def test_turns_of_the_clock_the_card_and_the_keys_keep_the_page_where_it_is(browser: Browser, house: Inn) -> None:
    with seen(browser, house) as guest:
        guest.check_in()
        address = guest.page.url
        turn(guest, "clock-night")
        assert guest.page.get_attribute("#hotel", "data-sky") == "night"
        guest.hold("gym")
        assert "the gym opens 06:00 to 22:00" in guest.text("#verdict")
        turn(guest, "clock-noon")
        guest.hold("gym")
        assert "Gym opens" in guest.text("#verdict")
        before = guest.text("#tokens .raw-token")
        turn(guest, "card-renew")
        assert guest.text("#tokens .raw-token") != before
        guest.page.click(".turn[value=card-copy]")
        guest.page.wait_for_selector("#hotel[data-who=thief]")
        guest.hold("room-204")
        assert "Room 204 opens" in guest.text("#verdict")
        assert guest.page.url.split("#")[0] == address.split("#")[0]
        assert guest.barriers() == []


def turn(guest: Guest, name: str) -> None:
    guest.page.click(f".turn[value={name}]")
    guest.page.wait_for_selector(f".turn[value={name}][aria-current]")


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_desks_are_laid_side_by_side_and_a_replay_is_kept(
    browser: Browser, house: Inn, tmp_path: Path, size: str, scheme: str
) -> None:
    with seen(browser, house, size, scheme) as guest:
        guest.page.goto(f"{guest.url}/tour/compare/code")
        guest.page.click("#compare")
        guest.page.wait_for_selector("#claims")
        assert guest.sideways() == 0
        assert guest.barriers() == []
        guest.page.screenshot(path=kept(tmp_path, f"compare-{size}-{scheme}"), full_page=True)
        guest.page.click("text=All messages: The front desk")
        guest.page.click("text=Keep this replay")
        guest.page.wait_for_selector("text=A kept replay")
        assert guest.sideways() == 0
        assert guest.barriers() == []


def test_a_picture_can_be_had_as_png(browser: Browser, house: Inn) -> None:
    with seen(browser, house) as guest:
        guest.play("discovery")
        guest.page.click(".take summary")
        with guest.page.expect_download() as downloaded:
            guest.page.click("[data-png]")
        assert downloaded.value.path().read_bytes().startswith(b"\x89PNG")


def test_many_messages_are_drawn_at_once(browser: Browser, house: Inn) -> None:
    """As many as the guest book keeps of a visit: opening the last of them is still a matter of moments."""
    with seen(browser, house) as guest:
        guest.page.goto(guest.url)
        guest.page.click("#start-agent")
        guest.page.wait_for_selector(".keycard")
        for _ in range(HOPS - 3):
            guest.page.request.post(f"{guest.page.url}/doors", form={"card": "none", "door": "gym"}, max_redirects=0)
        guest.page.reload()
        assert guest.page.locator(".hop").count() == HOPS - 1
        guest.hold("gym")
        took = guest.page.evaluate("""() => {
            const began = performance.now();
            document.querySelector(".hop:last-child .hop-link").click();
            document.body.getBoundingClientRect();
            return performance.now() - began;
        }""")
        print(f"a message among {HOPS} opened in {took:.0f} ms")
        assert took < JANK


def test_something_is_seen_at_once(browser: Browser, house: Inn) -> None:
    """Beside a page with nothing on it, from the same house at the same time: the machine may be busy with other things."""
    with seen(browser, house) as guest:
        ours, bare = [min(first_paint(guest, path) for _ in range(5)) for path in ("/tour/chapters/code", "/jwks")]
        print(f"first paint after {ours} ms, of a bare page after {bare} ms")
        assert ours - bare < PAINT
        guest.complaints.clear()  # a bare page has no icon


def first_paint(guest: Guest, path: str) -> float:
    guest.page.goto(f"{guest.url}{path}")
    at: float = guest.page.evaluate("""() => new Promise((done) => new PerformanceObserver((seen) => {
        const first = seen.getEntriesByName("first-contentful-paint")[0];
        if (first) done(first.startTime);
    }).observe({ type: "paint", buffered: true }))""")
    return round(at)
