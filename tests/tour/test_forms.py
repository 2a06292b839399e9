"""Forms as a browser would find them."""

from __future__ import annotations

from innkeeper.tour.forms import first_form

PAGE = """
<form action="/search"><input name="q"></form>
<form method="POST" action="/sign-in"><input type="hidden" name="csrf" value="a&amp;b"><input name="username">
<input type="checkbox"><button name="decision" value="allow">Go</button></form>
<input name="stray" value="1"><form method="post" action="/second"><input name="other"></form>
"""


def test_the_first_post_form_is_found_with_its_hidden_fields() -> None:
    form = first_form(PAGE)
    assert form is not None
    assert (form.action, form.fields) == ("/sign-in", {"csrf": "a&b", "username": ""})


def test_a_form_is_filled_in_without_changing_what_it_came_with() -> None:
    form = first_form(PAGE)
    assert form is not None
    assert form.filled(username="ada") == {"csrf": "a&b", "username": "ada"}
    assert form.fields["username"] == ""


def test_a_page_without_a_form_has_none() -> None:
    assert first_form("<p>Nothing</p>") is None
