"""Python in the docs is run: a session shown with ``>>>`` prints what is shown, other code makes what it says it makes."""

from __future__ import annotations

import doctest
import os
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.docs.given import GIVEN, MOVE, PROOFS
from tests.docs.test_documents import DEFAULT_PORT
from tests.inn import Inn

FOR_PYTEST = "docs/how-to/test-your-api.md"
"""The page whose code is tests: ``tests/testing`` runs it, which has what it asks for."""


def having(kind: str) -> list[str]:
    return list(dict.fromkeys(one.page for one in blocks(kind)))


def texts(page: str, kind: str, port: int) -> list[str]:
    return [one.text.replace(DEFAULT_PORT, str(port)) for one in blocks(kind) if one.page == page]


@pytest.fixture(autouse=True)
def _beside_the_house(house: Inn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INNKEEPER_PORT", str(house.port))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("page", having("pycon"))
def test_a_session_in_python_prints_what_is_shown(page: str, house: Inn) -> None:
    text = "\n".join(texts(page, "pycon", house.port))
    session = doctest.DocTestParser().get_doctest(text, {}, Path(page).stem, page, 0)
    told: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    outcome = doctest.DocTestRunner(optionflags=options, verbose=False).run(session, out=told.append)
    assert outcome.attempted > 0
    assert "".join(told) == ""


@pytest.mark.parametrize("page", [page for page in having("python") if page != FOR_PYTEST])
def test_other_python_is_run_and_makes_what_it_says(page: str, house: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    if page == MOVE:
        monkeypatch.setenv("ISSUER", house.url)
        monkeypatch.setenv("AUDIENCE", f"{house.url}/hotel")
    names = {"__name__": "shown", **(GIVEN[page](house) if page in GIVEN else {})}
    found = texts(page, "python", house.port)
    ahead = {words: proof for (of, words), proof in PROOFS.items() if of == page}
    for number, text in enumerate(found, 1):
        exec(compile(text, f"{page}, block {number}", "exec"), names)
        for words in [one for one in ahead if one in text]:
            ahead.pop(words)(names, house)
    assert ahead == {}, "what is proved is there to be proved"


def test_there_are_sessions_in_the_course() -> None:
    assert sum(page.startswith("docs/tutorial/") for page in having("pycon")) >= 1
