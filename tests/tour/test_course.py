"""The course's built pages beside the tour: served where there are any, linked by each chapter, and nobody else's folder."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.testclient import TestClient

from innkeeper.tour import course, course_pages
from innkeeper.tour.plays import chapters
from innkeeper.tour.told import COURSE, contents
from tests.inn import Inn
from tests.tour.world import HOUSE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder in which the site was built."""
    for name, text in (
        ("tutorial/index.html", "<h1>The course</h1>"),
        ("tutorial/code-and-pkce.html", "<h1>PKCE</h1>"),
        ("looks/bell.svg", "<svg/>"),
    ):
        file = tmp_path / course.BUILT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


def test_a_built_site_is_found_and_a_folder_of_somebody_elses_is_not(project: Path, tmp_path: Path) -> None:
    assert course.built(project) == project / course.BUILT
    (project / course.BUILT / "looks" / "bell.svg").unlink()
    assert course.built(project) is None
    assert course.built(tmp_path / "nowhere") is None


def test_its_pages_are_served_and_load_nothing_from_elsewhere(project: Path) -> None:
    client = TestClient(Starlette(routes=course_pages.routes(project / course.BUILT)))
    page = client.get("/course/tutorial/code-and-pkce.html")
    assert (page.status_code, page.text) == (200, "<h1>PKCE</h1>")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert client.get("/course/../pyproject.toml").status_code == 404


def test_each_chapter_links_its_page_where_it_is_served_and_names_its_file_elsewhere(project: Path) -> None:
    served = contents(replace(HOUSE, course=project / course.BUILT))
    assert {one["key"]: one["course"]["url"] for one in served}["code"] == "/course/tutorial/code-and-pkce.html"
    assert all(one["course"]["url"] for one in served)
    named = contents(HOUSE)
    assert {one["course"]["page"] for one in named} == {f"docs/tutorial/{COURSE[one.key]}.md" for one in chapters()}
    assert all(one["course"]["url"] == "" for one in named)


def test_a_house_without_the_pages_says_where_they_are(house: Inn) -> None:
    page = httpx2.get(f"{house.url}/tour/chapters/code", timeout=30).text
    assert "docs/tutorial/code-and-pkce.md" in page
    assert "make docs" in page
