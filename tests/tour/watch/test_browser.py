"""Your own traffic as a developer watches it: in Chromium, live, by keyboard, wide and narrow, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.inn import Inn
from tests.tour.guest import CALM, SIZES, Guest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture
def app(house: Inn) -> Iterator[httpx2.Client]:
    """The developer's application, whose traffic is watched."""
    with httpx2.Client(base_url=house.url, timeout=30) as app:
        app.post("/tour/watch/start")
        app.post("/tour/watch/clear")
        yield app
        app.post("/tour/watch/stop")


@pytest.fixture
def seen(browser: Browser, house: Inn, app: httpx2.Client) -> Iterator[Guest]:
    context = browser.new_context(**CALM, viewport={"width": 1280, "height": 900})
    seen = Guest(context.new_page(), house.url)
    yield seen
    context.close()
    assert seen.complaints == []


def ask(app: httpx2.Client, secret: str = "concierge-secret", **more: Any) -> None:
    form = {"grant_type": "client_credentials", "scope": "gym:enter", **more}
    app.post("/token", data=form, auth=("concierge", secret))


def watch(seen: Guest, query: str = "") -> None:
    seen.page.goto(f"{seen.url}/tour/watch{query}")


def count(seen: Guest, text: str) -> None:
    seen.page.wait_for_function("text => document.getElementById('count').textContent === text", arg=text)


def test_messages_arrive_by_themselves_and_the_filter_holds_for_them(seen: Guest, app: httpx2.Client) -> None:
    watch(seen)
    assert "Nothing yet" in seen.text("#nothing")
    ask(app)
    count(seen, "1 of 1 messages")
    seen.page.select_option("[name=outcome]", "refused")
    assert "outcome=refused" in seen.page.url
    assert seen.page.is_visible("#none-fit")
    ask(app, "wrong")
    count(seen, "1 of 2 messages")
    assert "The secret is the client’s" in seen.text(".seen-refused")
    seen.page.reload()
    count(seen, "1 of 2 messages")


def test_by_keyboard_alone(seen: Guest, app: httpx2.Client) -> None:
    for secret in ("wrong", "concierge-secret", "wrong"):
        ask(app, secret)
    watch(seen)
    count(seen, "3 of 3 messages")
    keys = seen.page.keyboard
    keys.press("j")
    keys.press("j")
    keys.press("j")
    keys.press("k")
    keys.press("Enter")
    seen.page.wait_for_selector("#opened article")
    assert seen.text("#opened .status") == "200"
    keys.press("p")
    seen.page.wait_for_selector(".seen[data-pinned=yes]")
    keys.press("/")
    keys.type("ik201")
    count(seen, "2 of 3 messages")
    assert "text=ik201" in seen.page.url
    keys.press("Escape")
    keys.press("Escape")
    keys.press("p")
    app.post("/tour/watch/clear")


def test_secrets_are_revealed_on_purpose_and_masked_again(seen: Guest, app: httpx2.Client) -> None:
    ask(app)
    watch(seen)
    seen.page.click(".seen-link")
    seen.page.wait_for_selector("#opened article")
    assert "••••••••" in seen.text("#opened")
    assert "Y29uY2llcmdlOmNv" not in seen.page.content()
    seen.page.click("[data-reveal] button")
    seen.page.wait_for_selector(".notice-open")
    assert "Y29uY2llcmdlOmNv" in seen.text("#opened")
    seen.page.click("#opened .token-fold summary")
    assert "gym:enter" in seen.text("#opened .claims-claims")
    seen.page.click("text=Mask them again")
    seen.page.wait_for_selector(".notice-open", state="detached")
    assert "Y29uY2llcmdlOmNv" not in seen.page.content()


def test_a_message_is_mended_and_sent_again(seen: Guest, app: httpx2.Client) -> None:
    app.post("/token", data={"grant_type": "client_credentials", "client_id": "concierge", "client_secret": "wrong"})
    watch(seen)
    seen.page.click(".seen-link")
    seen.page.click("#again summary")
    seen.page.get_by_label("client_secret").fill("concierge-secret")
    seen.page.click("#again button")
    seen.page.wait_for_selector("text=sent again from")
    assert seen.text("#opened .status") == "200"
    count(seen, "2 of 2 messages")


def test_a_stream_that_breaks_is_taken_up_without_loss(seen: Guest, app: httpx2.Client) -> None:
    watch(seen)
    ask(app)
    count(seen, "1 of 1 messages")
    seen.page.context.set_offline(True)
    ask(app)
    ask(app, "wrong")
    seen.page.context.set_offline(False)
    count(seen, "3 of 3 messages")
    seen.complaints = [one for one in seen.complaints if "ERR_INTERNET_DISCONNECTED" not in one]


def test_hundreds_of_messages_cost_the_page_little(seen: Guest, app: httpx2.Client) -> None:
    watch(seen)
    meter = seen.page.context.new_cdp_session(seen.page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})
    for _ in range(520):
        app.get("/jwks")
    count(seen, "500 of 500 messages")
    spent = {one["name"]: one["value"] for one in meter.send("Performance.getMetrics")["metrics"]}
    seconds = spent["ScriptDuration"] + spent["LayoutDuration"] + spent["RecalcStyleDuration"]
    print(f"{seconds * 1000:.0f} ms of the page's own time for 520 messages")
    assert seconds < 2
    app.post("/tour/watch/clear")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_no_barriers_and_nothing_sideways(
    browser: Browser, house: Inn, app: httpx2.Client, size: str, scheme: Any
) -> None:
    ask(app)
    ask(app, "wrong", scope="a-scope-with-a-name-that-is-rather-long:enter")
    width, height = SIZES[size]
    context = browser.new_context(**CALM, color_scheme=scheme, viewport={"width": width, "height": height})
    seen = Guest(context.new_page(), house.url)
    watch(seen)
    assert seen.barriers() == []
    seen.page.click(".seen-refused .seen-link")
    seen.page.wait_for_selector("#opened article")
    assert seen.barriers() == []
    assert seen.sideways() <= 0
    seen.page.set_viewport_size({"width": width // 2, "height": height // 2})  # what zooming to 200 % leaves
    assert seen.sideways() <= 0
    context.close()
    assert seen.complaints == []


def test_without_scripts_all_of_it_is_there(browser: Browser, house: Inn, app: httpx2.Client) -> None:
    ask(app)
    ask(app, "wrong")
    context = browser.new_context(**CALM, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{house.url}/tour/watch")
    page.select_option("[name=outcome]", "refused")
    page.click("[data-without-script]")
    assert page.locator(".seen:visible").count() == 1
    page.click(".seen-link:visible")
    assert "IK201" in page.inner_text("#opened")
    assert "outcome=refused" in page.url
    page.click("[data-reveal] button")
    assert "Shown in full" in page.inner_text("#opened")
    page.goto(f"{house.url}/tour/watch")
    page.click("button:text('Stop watching')")
    assert "Not watching" in page.inner_text("#state")
    context.close()
