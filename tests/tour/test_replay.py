"""A visit as a document: kinds of messages, what redirects say, faces and answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from innkeeper.tour.answers import label
from innkeeper.tour.messages import kind_of
from innkeeper.tour.reading import distance, plainly, token_document
from innkeeper.tour.record import MASK, Body
from innkeeper.tour.replay import replay
from innkeeper.tour.visit import carded, holding, tried
from tests.tour.world import BASE, HOUSE, NOW, hop, token, visit

CALLBACK = f"{BASE}/callback"


def door(status: int, challenge: str = "", text: str = "", **trail: Any) -> Any:
    headers = (("www-authenticate", challenge),) if challenge else ()
    trails = (trail,) if trail else ()
    body = Body("json", len(text), (), text) if text else Body()
    return hop(n=5, to="doors", path="/hotel/gym", status=status, reply_headers=headers, reply_body=body, trails=trails)


def shown(*hops: Any, seen: Any = None) -> dict[str, Any]:
    return replay(seen or visit(), hops, HOUSE, NOW)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"path": "/.well-known/openid-configuration"}, "discovery"),
        ({"path": "/tour/visits/v1/leave"}, "leave"),
        ({"path": "/sign-in"}, "sign-in-page"),
        ({"path": "/sign-in", "method": "POST"}, "sign-in"),
        ({"path": "/consent", "method": "POST"}, "consent"),
        ({"path": "/authorize", "reply_headers": (("location", "/sign-in?ticket=t"),)}, "authorize"),
        ({"path": "/authorize", "reply_headers": (("location", "/consent?ticket=t"),)}, "authorize-consent"),
        ({"path": "/authorize", "reply_headers": (("location", f"{CALLBACK}?code=c"),)}, "authorize-ticket"),
        ({"path": "/authorize", "reply_headers": (("location", f"{CALLBACK}?error=access_denied"),)}, "authorize-no"),
        ({"path": "/token", "body": Body("form", 1, (("grant_type", "client_credentials"),))}, "token-agent"),
        ({"path": "/token", "label": "other"}, "token-other"),
        ({"path": "/token"}, "token"),
        ({"path": "/hotel/gym", "to": "doors"}, "door"),
        ({"path": "/somewhere"}, "other"),
    ],
)
def test_each_message_is_known_for_what_it_is(changes: dict[str, Any], kind: str) -> None:
    assert kind_of(hop(**changes)) == kind


def test_a_redirects_parameters_are_explained_where_they_stand() -> None:
    away = hop(path="/authorize", status=303, reply_headers=(("location", f"{CALLBACK}?code=c&state=s&iss=i"),))
    (message,) = shown(away)["hops"]
    following = message["response"]["next"]
    assert following["address"] == CALLBACK
    assert [(part["name"], part["value"]) for part in following["params"]] == [
        ("code", "c"),
        ("state", "s"),
        ("iss", "i"),
    ]
    assert all(part["says"] and part["url"] for part in following["params"])


def test_a_request_of_the_app_can_be_done_by_hand_and_holds_no_secret() -> None:
    body = Body("form", 1, (("grant_type", "client_credentials"), ("client_secret", MASK)))
    asked = hop(path="/token", method="POST", headers=(("authorization", f"Basic {MASK}"),), body=body)
    curl = shown(asked)["hops"][0]["request"]["curl"]
    assert curl.startswith(f"curl -i {BASE}/token -u ")
    assert "grant_type=client_credentials" in curl
    assert MASK not in curl


def test_a_stop_on_the_way_is_no_refusal_and_an_error_is_one() -> None:
    trail = {"about": "authorize", "outcome": "refused", "steps": []}
    to_sign_in = hop(path="/authorize", status=303, reply_headers=(("location", "/sign-in"),), trails=(trail,))
    to_the_app = hop(
        path="/authorize", status=303, reply_headers=(("location", f"{CALLBACK}?error=x"),), trails=(trail,)
    )
    verdicts = [
        shown(one)["hops"][0]["trails"][0]["verdict"]
        for one in (to_sign_in, to_the_app, hop(trails=(trail,), status=401))
    ]
    assert verdicts == ["not yet", "refused", "refused"]


def test_a_trail_that_another_continues_is_told_once() -> None:
    step = {"name": "a", "spec": "RFC 7519 §4", "passed": True}
    guard = {"about": "guard", "outcome": "passed", "steps": [step]}
    whole = {"about": "door", "outcome": "passed", "steps": [step, {**step, "name": "b"}]}
    assert [trail["about"] for trail in shown(hop(trails=(guard, whole)))["hops"][0]["trails"]] == ["door"]


def test_the_keycards_face_bears_the_claims_of_the_token() -> None:
    face = shown(seen=carded(visit(), token()))["card"]
    assert face["claims"]["sub"] == "guest-204"
    assert [one["scope"] for one in face["scopes"] if one["granted"]] == ["room:enter", "gym:enter"]
    assert face["until"] == {"moment": NOW + 600, "text": "15 Jan 2027, 08:10:00 UTC"}


def test_every_claim_comes_with_its_sentence_its_section_and_a_plain_reading() -> None:
    document = token_document("access", token(), NOW)
    claims = {claim["name"]: claim for claim in document["claims"]}
    assert claims["exp"]["plain"] == "15 Jan 2027, 08:10:00 UTC, in 10 min"
    assert claims["aud"]["url"].endswith("#section-4.1.3")
    assert [member["name"] for member in document["header"]] == ["alg", "kid", "typ"]
    assert token_document("access", token(made_up=1), NOW)["claims"][-1]["says"].startswith("Not a registered name")
    assert token_document("access", "opaque", NOW) == {
        "kind": "access",
        "raw": "opaque",
        "parts": ["opaque"],
        "header": [],
        "claims": [],
        "acting": [],
    }
    acting = {"sub": "guest-204", "act": {"sub": "spa-agent", "act": {"sub": "concierge"}}}
    assert token_document("access", token(**acting), NOW)["acting"] == ["guest-204", "concierge", "spa-agent"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(600, "in 10 min"), (-3000, "50 min ago"), (90061, "in 1 d 1 h"), (0, "in 0 s"), (-61, "1 min 1 s ago")],
)
def test_distances_are_told_in_two_units_at_most(seconds: int, told: str) -> None:
    assert distance(seconds) == told


def test_a_moment_beyond_the_calendar_and_a_claim_that_is_none_are_no_trouble() -> None:
    assert plainly("exp", 10**18, NOW).startswith("no date")
    assert plainly("exp", "soon", NOW) == ""
    assert plainly("sub", 5, NOW) == ""


@pytest.mark.parametrize(
    ("status", "challenge", "title"),
    [
        (200, "", "The door opens"),
        (401, 'Bearer resource_metadata="x"', "Who are you?"),
        (401, 'Bearer error="invalid_token"', "This card is no good here"),
        (403, 'Bearer error="insufficient_scope", scope="a"', "A good card, but not for this door"),
        (403, "", "A good card, and still no"),
        (502, "", "An unexpected answer"),
        (401, 'Bearer error="never_heard_of"', "Who are you?"),
    ],
)
def test_a_doors_answer_is_put_in_words(status: int, challenge: str, title: str) -> None:
    seen = tried(carded(visit(), token()), "real", "gym", status, 5)
    (answer,) = shown(door(status, challenge), seen=seen)["doors"]
    assert answer["verdict"]["title"] == title
    assert answer["opened"] == (status == 200)


def test_the_failed_check_is_named_with_what_was_expected_and_found() -> None:
    failed = {"name": "x", "spec": "", "passed": False, "expected": "a", "found": "b", "reason": "no"}
    trail = {"about": "guard", "outcome": "refused", "steps": [{"name": "w", "spec": "", "passed": True}, failed]}
    seen = tried(holding(carded(visit(), token()), "tampered", token(scope="vip:enter")), "tampered", "gym", 401, 5)
    document = shown(door(401, 'Bearer error="invalid_token"', '{"message":"No."}', **trail), seen=seen)
    (answer,) = document["doors"]
    assert answer["failed"]["reason"] == "no"
    assert answer["message"] == "No."
    assert [one["name"] for one in answer["card"]["changed"]] == ["scope"]
    assert next(one["state"] for one in document["hotel"] if one["key"] == "gym") == "refused"
    assert document["hops"][0]["title"] == "Tampered card, held to: Gym"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("audience is this api", "Audience is this API"),
        ("key is the issuers", "Key is the issuer’s"),
        ("the scopes are the clients own", "The scopes are the client’s own"),
        ("public clients may come", "Public clients may come"),
        ("", ""),
    ],
)
def test_a_checks_name_is_spelled_as_one_would_write_it(name: str, told: str) -> None:
    assert label(name) == told


def test_a_try_whose_hop_was_not_kept_still_has_an_answer() -> None:
    seen = tried(carded(visit(), token()), "real", "gym", 403, 0)
    assert shown(seen=seen)["doors"][0]["trail"] is None


def test_the_whole_document_is_plain_json() -> None:
    document = shown(door(200), seen=tried(carded(visit(), token(), token()), "real", "gym", 200, 5))
    assert msgspec.json.decode(msgspec.json.encode(document)) == document
    assert {"flow", "hops", "tokens", "doors"} <= document.keys()
