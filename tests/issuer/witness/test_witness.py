"""What the witness tells of a whole run: everything that was decided and changed, and nothing that is secret."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from innkeeper.cli.logs import configure
from innkeeper.issuer.desk.registry import rotate_secret
from innkeeper.issuer.witness.audit import chains, lines, verify
from tests.issuer.house import PASSWORD, SECRET, Answer, Asked
from tests.issuer.visitor import ROBOT, SHOP, redeem, refresh
from tests.issuer.witness.conftest import Witnessed
from tests.issuer.witness.disk import full_disk


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, as ``serve`` logs it."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure(as_json=True)
    handler, text = root.handlers[0], io.StringIO()
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(text)
    root.setLevel(logging.DEBUG)
    yield text
    root.handlers[:] = before
    root.setLevel(level)


def books(witnessed: Witnessed) -> list[dict[str, Any]]:
    (files,) = chains(witnessed.audit).values()
    assert verify("serve-1", files).problem == ""
    return list(lines(files))


def whole_run(witnessed: Witnessed) -> set[str]:
    """A day at the inn, good and bad. Returns every secret and token that came up in it."""
    house, visitor = witnessed.house, witnessed.visitor
    secrets = {PASSWORD, SECRET, "robot-secret", "wrong-secret", "wrong-password", "forged.token.here"}
    answers: list[Answer] = []
    page = visitor.authorize(scope="openid offline_access room:enter")
    answers.append(visitor.sign_in(page, password="wrong-password"))
    code = visitor.code(scope="openid offline_access room:enter")
    first = redeem(house, code)
    second = refresh(house, first.json["refresh_token"])
    replayed = redeem(house, code)
    answers += [first, second, replayed]
    answers.append(refresh(house, second.json["refresh_token"]))
    answers.append(house.token({"grant_type": "client_credentials", **ROBOT}))
    answers.append(
        house.token({"grant_type": "client_credentials", "client_id": "robot", "client_secret": "wrong-secret"})
    )
    basic = base64.b64encode(b"robot:wrong-secret").decode()
    answers.append(house.token({"grant_type": "client_credentials"}, authorization=f"Basic {basic}"))
    answers.append(house.token({"grant_type": "refresh_token", "refresh_token": "forged.token.here", **SHOP}))
    answers.append(house.post("/introspect", {"token": first.json["access_token"], **SHOP}))
    answers.append(house.post("/revoke", {"token": first.json["access_token"], **SHOP}))
    answers.append(house.get("/userinfo", authorization=f"Bearer {first.json['access_token']}"))
    answers.append(house.get("/userinfo", authorization="Bearer forged.token.here"))
    answers.append(
        house.post("/par", {"client_id": "shop", "client_secret": SECRET, "redirect_uri": "https://evil.example"})
    )
    answers.append(house.ask(Asked("GET", "/authorize", b"client_id=nobody&redirect_uri=https://evil.example")))
    secrets |= {code, basic, house.run(rotate_secret(house.issuer.realm, "robot", 0))}
    for answer in answers:
        secrets |= {value for name, value in _said(answer) if name.endswith(("token", "code")) and len(value) > 15}
    return secrets | {value for value in visitor.cookies.values() if len(value) > 15}


def _said(answer: Answer) -> list[tuple[str, str]]:
    if answer.header("content-type") == "application/json":
        return [(name, value) for name, value in answer.json.items() if isinstance(value, str)]
    return parse_qsl(urlsplit(answer.header("location") or "").query)


def test_neither_log_nor_books_nor_metrics_nor_traces_hold_a_secret(witnessed: Witnessed, logged: io.StringIO) -> None:
    secrets = whole_run(witnessed)
    kept = b"".join(one.read_bytes() for one in witnessed.audit.iterdir()).decode()
    spans = "\n".join(span.to_json() for span in witnessed.spans.get_finished_spans())
    said = {"log": logged.getvalue(), "books": kept, "metrics": witnessed.metrics.text()[0].decode(), "traces": spans}
    assert len(secrets) > 15
    assert all(len(text) > 1_000 for text in said.values())
    found = {(where, secret) for where, text in said.items() for secret in secrets if secret in text}
    assert found == set()
    assert not re.search(r"eyJ[\w-]+\.[\w-]+", "".join(said.values()))


def test_the_books_say_who_did_what_and_who_was_refused_by_which_number(witnessed: Witnessed) -> None:
    whole_run(witnessed)
    told = books(witnessed)
    refused = [(one["what"], one["refusal"], one.get("client", "")) for one in told if one["outcome"] == "refused"]
    assert ("/token", "IK201", "robot") in refused
    assert "/sign-in" in {what for what, *_ in refused}
    changes = {change.split(" ")[0] + " " + change.split(" ")[1] for one in told for change in one.get("changes", ())}
    assert {"open session", "give consent", "add grant", "spend code", "revoke token", "revoke grant"} <= changes
    (token,) = [one for one in told if "spend refresh" in str(one.get("changes")) and one["outcome"] == "passed"][:1]
    assert (token["client"], token["subject"], token["grant"]) == ("shop", "ada-1", "refresh_token")
    (robot,) = [one for one in told if one.get("grant") == "client_credentials" and one["outcome"] == "passed"]
    assert (robot["client"], robot["subject"], robot["network"], robot["checks"] > 10) == (
        "robot",
        "robot",
        "127.0.0.1",
        True,
    )


def test_looking_something_up_leaves_no_line(witnessed: Witnessed) -> None:
    token = redeem(witnessed.house, witnessed.visitor.code(scope="openid")).json["access_token"]
    before = len(books(witnessed))
    witnessed.house.get("/jwks")
    witnessed.house.post("/introspect", {"token": token, **SHOP})
    witnessed.house.get("/userinfo", authorization=f"Bearer {token}")
    assert len(books(witnessed)) == before


def test_what_is_decided_when_nobody_waits_is_in_the_books_too(witnessed: Witnessed) -> None:
    house = witnessed.house
    house.get("/jwks")
    house.issuer.realm.observe(house_refusal(witnessed))
    assert books(witnessed)[-1]["refusal"] == "IK201"


def house_refusal(witnessed: Witnessed) -> Any:
    witnessed.house.token({"grant_type": "client_credentials", "client_id": "robot", "client_secret": "wrong-secret"})
    return witnessed.house.last


def test_nothing_is_handed_out_that_cannot_be_written_down(witnessed: Witnessed) -> None:
    chain = witnessed.house.issuer.witness._chain  # type: ignore[union-attr]
    assert chain is not None
    with full_disk(chain):
        answer = witnessed.house.token({"grant_type": "client_credentials", **ROBOT})
    assert (answer.status, answer.header("retry-after"), b"access_token" in answer.body) == (503, "2", False)
    assert witnessed.house.token({"grant_type": "client_credentials", **ROBOT}).status == 200
    assert books(witnessed)


def test_metrics_count_by_endpoint_grant_outcome_and_number(witnessed: Witnessed) -> None:
    whole_run(witnessed)
    text = witnessed.metrics.text()[0].decode()
    assert 'innkeeper_decisions_total{about="token",grant="client_credentials",outcome="passed",refusal=""} 1.0' in text
    assert re.search(r'innkeeper_decisions_total{about="token",grant="",outcome="refused",refusal="IK201"} 2.0', text)
    assert re.search(r'innkeeper_requests_total{endpoint="/token",method="POST",status="401"} 2.0', text)
    assert re.search(r'innkeeper_request_seconds_count{endpoint="/userinfo"} 2.0', text)
    assert "evil.example" not in text


def test_unknown_paths_make_no_new_series(witnessed: Witnessed) -> None:
    for number in range(50):
        witnessed.house.get(f"/nowhere/{number}")
    assert "nowhere" not in witnessed.metrics.text()[0].decode()


def test_a_span_has_the_checks_of_its_trail_as_events(witnessed: Witnessed) -> None:
    witnessed.house.token({"grant_type": "client_credentials", "client_id": "robot", "client_secret": "wrong-secret"})
    span = witnessed.spans.get_finished_spans()[-1]
    trail = witnessed.house.last
    assert [event.name for event in span.events] == [step.check.name for step in trail.steps]
    assert span.name == "POST /token"
    assert dict(span.attributes or {})["innkeeper.refusal"] == "IK201"
    last = dict(span.events[-1].attributes or {})
    assert (last["passed"], last["refusal"], last["spec"]) == (False, "IK201", "RFC 6749 §2.3.1")
