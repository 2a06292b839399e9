"""A person at a browser, for clients that cannot drive one: signs in, answers the consent page, and is sent back.

Run as ``python -m tests.interop.visitor URL [allow|deny]`` it prints the address that the client's answer came to.
"""

from __future__ import annotations

import sys

import httpx2

from tests.cli.guest import ANSWERS, Form


def sent_back(url: str, decision: str = "allow") -> str:
    """Where the pages behind an authorization URL lead in the end: the redirect URI with the client's answer."""
    with httpx2.Client(timeout=20) as browser:
        page, home = browser.get(url), httpx2.URL(url)
        for _ in range(12):
            if page.is_redirect:
                target = page.url.join(page.headers["location"])
                if (target.host, target.port) != (home.host, home.port):
                    return str(target)
                page = browser.get(target)
            else:
                page = _filled_in(browser, page, decision)
    raise AssertionError(f"the pages of {url} lead nowhere")


def _filled_in(browser: httpx2.Client, page: httpx2.Response, decision: str) -> httpx2.Response:
    form = Form(page.text)
    button = next((form.buttons[name] for name in ("sign-in", decision) if name in form.buttons), None)
    assert button is not None, f"{page.status_code} at {page.url}, with nothing to answer:\n{page.text}"
    filled = {name: ANSWERS.get(name, value) for name, value in form.fields.items()}
    return browser.post(page.url.join(form.action), data=filled | button)


if __name__ == "__main__":
    print(sent_back(*sys.argv[1:]))
