"""People who look after their account in these tests: signing in, setting up an app, showing its code."""

from __future__ import annotations

import html
import re

import pyotp

from tests.issuer.house import PASSWORD, Answer
from tests.issuer.visitor import Form, Visitor

ADA, BOB = "ada@example.org", "bob@example.org"
STEP = 30


class App:
    """An authenticator app that scanned the page's secret."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)

    def code(self, visitor: Visitor, ahead: int = 0) -> str:
        """What the app shows now, or some steps ahead."""
        return self._totp.at(visitor.house.clock.now + ahead * STEP)


def at_account(visitor: Visitor, path: str = "/account", username: str = ADA, password: str = PASSWORD) -> Answer:
    """A page of the account, signing in where that is asked."""
    page = visitor.get(path)
    return visitor.sign_in(page, username, password) if 'id="sign-in"' in page.text else page


def secret_on(page: Answer) -> str:
    found = re.search(r'id="secret"><code>([^<]*)</code>', page.text)
    assert found, page.text[:500]
    return found[1].replace(" ", "")


def recovery_codes_on(page: Answer) -> list[str]:
    return re.findall(r"<code>([A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4})</code>", page.text)


def set_up(visitor: Visitor, username: str = ADA) -> tuple[App, list[str]]:
    """Turn codes on for a person who has none; their app and their recovery codes. The clock moves on to a new code."""
    page = at_account(visitor, "/account/codes", username)
    app = App(secret_on(page))
    shown = visitor.submit(page, code=app.code(visitor))
    assert "Codes are on" in shown.text, shown.text[:2000]
    visitor.house.clock.move(STEP)
    return app, recovery_codes_on(shown)


def half_way(visitor: Visitor, username: str = ADA, **changes: str) -> Answer:
    """The page that asks for a code, after the right password."""
    page = visitor.sign_in(visitor.authorize(prompt="login", **changes), username)
    assert 'name="code"' in page.text, page.text[:500]
    return page


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.authorize(prompt="none").sent_back.get("error") != "login_required"


def hidden(page: Answer) -> dict[str, str]:
    return Form(page).hidden


def words(page: Answer) -> str:
    """A page's text without its markup."""
    told = re.sub(r"</?(?:time|bdi|a)\b[^>]*>", "", page.text)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", told)).split())
