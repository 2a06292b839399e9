"""The site as it is built: every link and anchor leads somewhere, nothing is fetched from elsewhere, anyone can read it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from docs.site.build import build
from docs.site.gather import contents
from docs.site.record import recordings
from tests.inn import Inn
from tests.tour.guest import SIZES, WCAG

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

COURSE = [place for _, pages in contents() for _, place in pages if place.startswith("tutorial/")]
OTHERS = ["index.md", "how-to/take-the-tour.md", "reference/claims.md"]


class Built(HTMLParser):
    """A page: the names one can link to, where its links lead, and what a browser would load with it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.names |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag == "link" and said.get("rel") in {"stylesheet", "icon", "preconnect", "modulepreload", "preload"}:
            self.loads.append(said["href"])
        elif "src" in said:
            self.loads.append(said["src"])


class Site:
    """All pages, by their place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def pages(self) -> dict[str, Built]:
        found = sorted(self.folder.rglob("*.html"))
        return {one.relative_to(self.folder).as_posix(): Built(one) for one in found if one.name != "404.html"}

    def address(self, place: str) -> str:
        """Where a page of the table of contents was built to."""
        return (self.folder / place.replace("README.md", "index.md").replace(".md", ".html")).as_uri()

    def lost(self, place: str, link: str) -> bool:
        """Whether a link of a page leads nowhere."""
        name, _, anchor = unquote(link).partition("#")
        to = posixpath.normpath(posixpath.join(posixpath.dirname(place), name)) if name else place
        if not (self.folder / to).is_file():
            return True
        return bool(anchor) and to in self.pages and anchor not in self.pages[to].names


@pytest.fixture(scope="module")
def site(house: Inn, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("docs") / "site"
    build(folder, house.url)
    return Site(folder)


def inside(links: list[str]) -> list[str]:
    return [link for link in links if not link.split("#")[0].startswith(("http:", "https:", "mailto:", "data:", "//"))]


def test_every_link_and_anchor_leads_somewhere(site: Site) -> None:
    lost = [
        f"{place}: {link}"
        for place, page in site.pages.items()
        for link in inside(page.links)
        if link not in {"", "."} and site.lost(place, link)
    ]
    assert len(site.pages) > 60
    assert lost == []


def test_nothing_is_fetched_from_elsewhere(site: Site) -> None:
    loads = {link for page in site.pages.values() for link in page.loads}
    assert len(loads) > 3
    assert sorted(set(loads) - set(inside(list(loads)))) == []


def test_each_page_of_the_table_of_contents_is_built(site: Site) -> None:
    listed = [place for _, pages in contents() for _, place in pages]
    assert len(COURSE) > 10
    built = [place.replace("README.md", "index.md").replace(".md", ".html") for place in listed]
    assert sorted(set(built) - set(site.pages)) == []


def test_a_diagram_shows_what_was_recorded_and_says_it_in_words(site: Site, house: Inn) -> None:
    text = (site.folder / "tutorial" / "client-credentials.html").read_text("utf-8")
    played = recordings(house.url, ["client-credentials"])["client-credentials"]
    drawn, _, words = text.partition('<figure class="flow"')[2].partition("</svg>")
    assert drawn.count('class="flow-said"') == len(played["visit"]["hops"])
    assert "<title id=" in drawn
    assert "<desc id=" in drawn
    assert "invalid_scope" not in drawn
    assert words.partition("</details>")[0].count("<li>") == len(played["visit"]["hops"])
    assert str(house.port) not in text


@pytest.fixture
def reader(browser: Browser, site: Site) -> Iterator[Reader]:
    one = Reader(browser, site)
    yield one
    one.leave()


class Reader:
    """A person who reads the site from its folder, without a network and without a server."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self._site = site
        self._contexts: list[Any] = []
        self.asked: list[str] = []

    def opens(self, place: str, size: str = "desktop", scheme: Any = "light") -> Page:
        width, height = SIZES[size]
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(self._site.address(place))
        return page

    def trouble(self, page: Page, place: str, scheme: Any) -> list[str]:
        """What keeps people out of a page, and by how much it is wider than a phone."""
        page.set_viewport_size({"width": SIZES["phone"][0], "height": SIZES["phone"][1]})
        page.emulate_media(color_scheme=scheme)
        page.goto(self._site.address(place))
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [*barriers(page), *([f"{wide} pixels too wide"] if wide > 0 else [])]

    def leave(self) -> None:
        for context in self._contexts:
            context.close()


def barriers(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])} places)" for one in found]


@pytest.mark.browser
def test_axe_finds_no_barrier_and_no_page_is_wider_than_a_phone(reader: Reader) -> None:
    """Each page in one theme, by turns; in both with ``-m marathon``."""
    page = reader.opens("index.md")
    found = {
        (place, scheme): wrong
        for n, place in enumerate([*OTHERS, *COURSE])
        if (wrong := reader.trouble(page, place, scheme := ("light", "dark")[n % 2]))
    }
    assert found == {}
    assert [url for url in reader.asked if not url.startswith(("file:", "data:", "about:"))] == []


@pytest.mark.browser
@pytest.mark.marathon
def test_axe_finds_no_barrier_in_either_theme(reader: Reader) -> None:
    page = reader.opens("index.md")
    places = [place for _, pages in contents() for _, place in pages]
    found = {
        (place, scheme): wrong
        for place in places
        for scheme in ("light", "dark")
        if (wrong := reader.trouble(page, place, scheme))
    }
    assert found == {}


@pytest.mark.browser
def test_the_search_finds_a_page_without_a_network(reader: Reader) -> None:
    page = reader.opens("index.md")
    page.keyboard.press("/")
    page.keyboard.type("insufficient_scope")
    page.get_by_role("link", name="first token").first.wait_for()
    assert [url for url in reader.asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []


@pytest.mark.browser
def test_the_theme_is_the_readers_choice_and_the_diagrams_follow(reader: Reader) -> None:
    page = reader.opens("tutorial/client-credentials.md")
    ink = "getComputedStyle(document.querySelector('.flow-name')).fill"
    by_day = page.evaluate(ink)
    page.locator("label[title='Switch to light mode']").click()
    page.locator("label[title='Switch to dark mode']").click()
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    assert page.evaluate(ink) != by_day
