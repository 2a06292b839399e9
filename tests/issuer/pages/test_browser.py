"""The pages in Chromium: no complaint, no sideways scrolling, the keyboard's way, and a form's way to the client."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from innkeeper.issuer.pages.render import page_reply
from innkeeper.protocol.exchange import Reply
from tests.issuer.pages.browser import ORIGIN, answer
from tests.issuer.pages.samples import CLIENT, CONSENT, PAGES, SIGN_IN, SITE
from tests.issuer.pages.servers import Host, button_page, host

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def issuer() -> Iterator[Host]:
    with host() as started:
        yield started


@pytest.fixture
def client() -> Iterator[Host]:
    with host() as started:
        yield started


@pytest.fixture
def still(browser: Browser) -> Iterator[Page]:
    """A page without JavaScript that gets the samples."""
    opened = browser.new_page(java_script_enabled=False)
    opened.route("**/*", answer)
    yield opened
    opened.close()


def test_the_browser_has_nothing_to_complain_of(still: Page) -> None:
    complaints: list[str] = []
    still.on("console", lambda message: complaints.append(f"{still.url}: {message.text}"))
    for name in PAGES:
        still.goto(f"{ORIGIN}/{name}")
        assert still.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(243, 238, 228)"
    assert complaints == []


@pytest.mark.parametrize("width", [320, 640, 960, 1920])
def test_no_page_scrolls_sideways(still: Page, width: int) -> None:
    """A phone at 320 pixels is also a desktop at 400 % (WCAG 2.2 §1.4.10)."""
    still.set_viewport_size({"width": width, "height": 640})
    widths = {}
    for name in PAGES:
        still.goto(f"{ORIGIN}/{name}")
        widths[name] = still.evaluate("document.documentElement.scrollWidth")
    assert {name: wide for name, wide in widths.items() if wide > width} == {}


def test_a_long_name_from_a_client_does_not_break_the_page(page: Page, issuer: Host) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    name = CLIENT | {"name": "x" * 300, "id": "y" * 300, "host": "z" * 300}
    issuer.page = page_reply("consent.html", **CONSENT | {"client": name, "redirect_host": "w" * 300})
    page.goto(f"{issuer.origin}/page")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    expect(page.get_by_role("button", name="Don’t allow")).to_be_visible()


def test_every_control_is_large_enough_for_a_thumb(still: Page) -> None:
    """44 by 44 pixels, more than WCAG 2.2 §2.5.8 asks."""
    still.set_viewport_size({"width": 390, "height": 844})
    seen = 0
    for name in PAGES:
        still.goto(f"{ORIGIN}/{name}")
        for control in still.locator("button:visible, input:visible, a.button:visible").all():
            box = control.bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 44, name
            seen += 1
    assert seen > 10


def test_the_keyboard_goes_through_sign_in_in_order(page: Page) -> None:
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/sign-in")
    expect(page.locator("#username")).to_be_focused()
    for selector in ("#password", "#sign-in", "button[value=cancel]"):
        page.keyboard.press("Tab")
        expect(page.locator(selector)).to_be_focused()
    assert (
        page.locator("button[value=cancel]").evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    )


def test_a_screen_reader_finds_the_fields_and_the_answers_by_name(page: Page) -> None:
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/sign-in-problem")
    expect(page.get_by_role("alert")).to_have_text("That name and password do not match.")
    expect(page.get_by_label("Password")).to_have_accessible_description("That name and password do not match.")
    page.goto(f"{ORIGIN}/consent")
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name("Allow Guest App?")
    expect(page.get_by_role("region", name="It would be able to").get_by_role("listitem")).to_have_count(3)
    page.goto(f"{ORIGIN}/error-development")
    expect(page.get_by_role("list", name="The checks, in order").get_by_role("listitem")).to_have_count(2)


@pytest.mark.parametrize(
    ("press", "sent"),
    [
        ("#password", {"username": ["guest@hotel.example"], "password": ["Correct-Horse-7"]}),
        (
            "button[value=cancel]",
            {"decision": ["cancel"], "username": ["guest@hotel.example"], "password": ["Correct-Horse-7"]},
        ),
    ],
)
def test_enter_signs_in_and_cancel_says_so(page: Page, issuer: Host, press: str, sent: dict[str, list[str]]) -> None:
    issuer.page = page_reply("sign_in.html", **SIGN_IN)
    page.goto(f"{issuer.origin}/page")
    page.fill("#username", "guest@hotel.example")
    page.fill("#password", "Correct-Horse-7")
    with page.expect_response("**/sign-in"):
        page.press(press, "Enter")
    assert parse_qs(issuer.sent[0]) == sent | {"csrf": ["c5rf"], "ticket": ["t1cket"]}


@pytest.mark.parametrize("scripts", [True, False])
def test_form_post_sends_itself_on_and_waits_for_a_press_without_scripts(
    browser: Browser, issuer: Host, client: Host, scripts: bool
) -> None:
    target = f"{client.origin}/callback"
    fields = [("code", "abc"), ("submit", "a field that hides the form's own method")]
    context = PAGES["form-post"][1] | {"action": target, "fields": fields}
    issuer.page = page_reply("form_post.html", form_targets=[target], **context)
    page = browser.new_page(java_script_enabled=scripts)
    page.goto(f"{issuer.origin}/page")
    if not scripts:
        assert client.sent == []
        page.get_by_role("button", name="Continue").click()
    page.wait_for_url(target)
    assert parse_qs(client.sent[0]) == {name: [value] for name, value in fields}
    page.close()


def pressed(page: Page, issuer: Host, targets: tuple[str, ...], leads_to: str) -> list[str]:
    """Press the button of a page with these form targets, whose answer leads on; what the console said."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    issuer.page, issuer.leads_to = button_page(targets), leads_to
    page.goto(f"{issuer.origin}/page")
    page.get_by_role("button").click()
    return said


def test_without_a_form_target_chromium_stops_the_redirect_to_the_client(
    page: Page, issuer: Host, client: Host
) -> None:
    with page.expect_console_message(lambda message: "form-action 'self'" in message.text):
        pressed(page, issuer, (), f"{client.origin}/callback")
    assert client.visits == []
    assert page.url == f"{issuer.origin}/page"


def test_with_its_form_target_the_answer_reaches_the_client(page: Page, issuer: Host, client: Host) -> None:
    target = f"{client.origin}/callback"
    assert pressed(page, issuer, (target,), target) == []
    page.wait_for_url(target)


def test_a_client_may_lead_on_from_its_callback_to_another_port(page: Page, issuer: Host, client: Host) -> None:
    with host() as other:
        hop = f"{client.origin}/callback?hop={other.origin.replace('127.0.0.1', 'localhost')}/home"
        assert pressed(page, issuer, (f"{client.origin}/callback",), hop) == []
        page.wait_for_url("http://localhost:*/home")


def test_an_ipv6_loopback_client_is_reached(page: Page, issuer: Host) -> None:
    try:
        with host("::1") as client:
            target = f"{client.origin}/callback"
            assert pressed(page, issuer, (target,), target) == []
            page.wait_for_url(target)
    except OSError:
        pytest.skip("no IPv6 loopback here")


@pytest.mark.parametrize(("targets", "stopped"), [((), True), (("com.example.app:/callback",), False)])
def test_an_app_is_reached_by_its_own_scheme_only_where_it_is_a_target(
    page: Page, issuer: Host, targets: tuple[str, ...], stopped: bool
) -> None:
    with page.expect_event("requestfailed"):
        said = pressed(page, issuer, targets, "com.example.app:/callback?code=abc")
    with page.expect_console_message(lambda message: message.text == "all was said"):
        page.evaluate("console.log('all was said')")
    assert any("Content Security Policy" in line for line in said) is stopped


def test_on_paper_there_is_what_is_to_be_read_and_nothing_to_press(still: Page) -> None:
    still.emulate_media(media="print")
    still.set_viewport_size({"width": 720, "height": 1000})
    for name in PAGES:
        still.goto(f"{ORIGIN}/{name}")
        assert still.locator(".rack:visible, .button:visible").count() == 0, name
        assert still.evaluate("document.documentElement.scrollWidth") <= 720, name
    still.goto(f"{ORIGIN}/account-recovery")
    expect(still.locator(".recovery code")).to_have_count(10)
    assert still.locator(".lobby").evaluate("(one) => getComputedStyle(one).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_a_page_cannot_be_framed(page: Page, issuer: Host, client: Host) -> None:
    issuer.page = page_reply("sign_in.html", **SIGN_IN)
    client.page = Reply(200, (("content-type", "text/html"),), f"<iframe src='{issuer.origin}/page'>".encode())
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(f"{client.origin}/page")
    assert page.frames[1].url.startswith("chrome-error:")


def test_signing_out_elsewhere_happens_in_frames_and_then_leads_back(page: Page, issuer: Host, client: Host) -> None:
    """Without scripts: the frames load beside the page, which goes back by itself, and the client's page by the button."""
    client.page = Reply(200, (("content-type", "text/html"),), b"<title>done</title>")
    back = f"{client.origin}/bye?state=s"
    frames = [f"{client.origin}/out?sid=1&iss=x", f"{client.origin}/other"]
    issuer.page = page_reply("signed_out.html", **SITE, back_url=back, frames=frames)
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    page.goto(f"{issuer.origin}/page")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(2)
    page.wait_for_url(back)
    assert sorted(client.visits[:2]) == ["/other", "/out"]
    assert client.visits[2] == "/bye"
    assert blocked == []


def test_a_frame_that_was_not_named_is_not_loaded(page: Page, issuer: Host, client: Host) -> None:
    with host() as other:
        client.page = Reply(302, (("location", f"{other.origin}/elsewhere"),))
        issuer.page = page_reply("signed_out.html", **SITE, back_url=None, frames=[f"{client.origin}/out"])
        page.goto(f"{issuer.origin}/page")
        expect(page.locator("iframe")).to_have_count(1)
        page.wait_for_load_state("networkidle")
        assert client.visits == ["/out"]
        assert other.visits == []
