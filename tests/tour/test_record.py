"""What is kept of an exchange, and above all what is not."""

from __future__ import annotations

import msgspec

from innkeeper.protocol.parameters import FORM
from innkeeper.tour.record import BODY_LIMIT, MASK, readable_body, readable_headers


def test_a_password_and_a_csrf_proof_are_masked_and_a_user_name_is_not() -> None:
    body = readable_body(FORM, b"username=ada&password=Correct-Horse-7&csrf=abc", 46)
    assert body.fields == (("username", "ada"), ("password", MASK), ("csrf", MASK))
    assert "Correct-Horse-7" not in msgspec.json.encode(body).decode()


def test_a_client_secret_in_a_header_is_masked_and_a_keycard_is_not() -> None:
    headers = readable_headers([(b"Authorization", b"Basic Y29uY2llcmdlOnNlY3JldA=="), (b"accept", b"*/*")])
    assert headers == (("authorization", f"Basic {MASK}"), ("accept", "*/*"))
    assert readable_headers([(b"authorization", b"Bearer abc")]) == (("authorization", "Bearer abc"),)


def test_cookies_keep_their_names_and_attributes_and_lose_their_values() -> None:
    sent = readable_headers([(b"cookie", b"session=abc; tour=def"), (b"set-cookie", b"session=abc; HttpOnly; Path=/")])
    assert sent[0] == ("cookie", f"session={MASK}; tour={MASK}")
    assert sent[1] == ("set-cookie", f"session={MASK}; HttpOnly; Path=/")


def test_a_refresh_token_in_an_answer_is_masked_and_the_access_token_is_what_the_visit_is_about() -> None:
    answer = b'{"access_token":"a.b.c","refresh_token":"r","expires_in":600}'
    body = readable_body("application/json; charset=utf-8", answer, len(answer))
    assert body.fields == (("access_token", "a.b.c"), ("refresh_token", MASK), ("expires_in", "600"))
    assert '"r"' not in body.text


def test_pages_are_kept_as_a_size_because_their_forms_hold_proofs() -> None:
    page = b"<form><input name=csrf value=proof></form>"
    body = readable_body("text/html; charset=utf-8", page, len(page))
    assert (body.kind, body.size, body.fields, body.text) == ("page", len(page), (), "")


def test_what_was_cut_or_cannot_be_read_is_not_shown() -> None:
    assert readable_body("application/json", b'{"refresh_token":"r', BODY_LIMIT + 1).text == ""
    assert readable_body("application/json", b'{"refresh_token":"r', 19).text == ""
    assert readable_body(FORM, b"password=%FF", 12).fields == ()
    assert readable_body("", b"", 0).kind == "none"


def test_json_that_is_no_object_is_shown_whole() -> None:
    body = readable_body("application/json", b"[1,2]", 5)
    assert (body.fields, body.text) == ((), "[\n  1,\n  2\n]")
