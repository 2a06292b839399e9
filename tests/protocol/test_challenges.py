"""Challenges written and read back (RFC 6750 §3, RFC 9110 §11.6.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.protocol.challenges import Challenge, bearer, parse, write
from innkeeper.protocol.parameters import Malformed


def test_a_first_challenge_has_no_error() -> None:
    assert str(bearer(scope={"pool:enter", "gym:enter"}, resource_metadata="https://h.example/.well-known/x")) == (
        'Bearer scope="gym:enter pool:enter", resource_metadata="https://h.example/.well-known/x"'
    )


def test_nothing_to_say_leaves_the_bare_scheme() -> None:
    assert str(bearer()) == "Bearer"
    assert parse("Bearer") == (bearer(),)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        ("Negotiate", (Challenge("Negotiate"),)),
        ("Negotiate abc==", (Challenge("Negotiate", token68="abc=="),)),
        ("Bearer, Basic", (Challenge("Bearer"), Challenge("Basic"))),
        ('Bearer REALM="a, b"', (Challenge("Bearer", {"realm": "a, b"}),)),
        ("bearer error=invalid_token", (Challenge("bearer", {"error": "invalid_token"}),)),
        ('Bearer a = "1" ,b=2,, DPoP algs="ES256"', (Challenge("Bearer", {"a": "1", "b": "2"}), Challenge("DPoP", {"algs": "ES256"}))),
        (r'Bearer a="say \"no\" \\ twice"', (Challenge("Bearer", {"a": r'say "no" \ twice'}),)),
        ('DPoP error="use_dpop_nonce", Bearer', (Challenge("DPoP", {"error": "use_dpop_nonce"}), Challenge("Bearer"))),
        ("NTLM TlRMTVNTUAAB, Basic realm=\"x\"", (Challenge("NTLM", token68="TlRMTVNTUAAB"), Challenge("Basic", {"realm": "x"}))),
    ],
)  # fmt: skip
def test_headers_seen_in_the_wild_are_read(header: str, expected: tuple[Challenge, ...]) -> None:
    assert parse(header) == expected


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ('Bearer a="1" b="2"', "comma is missing at position 13"),
        ("=", "scheme is expected at position 0"),
        ('Bearer "x"', "scheme is expected at position 7"),
        ('Bearer a="1', "scheme is expected"),
        ('Bearer a="1", a="2"', "'a' stands twice"),
        ('Bearer a="1", A="2"', "'a' stands twice"),
    ],
)
def test_what_is_no_challenge_is_said_so(header: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse(header)


@pytest.mark.parametrize("value", ["a\r\nset-cookie: x=1", "a\nb", "é", "\0"])
def test_a_header_cannot_be_broken_out_of(value: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        write(bearer(error_description=value))


printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
challenges = st.builds(
    Challenge,
    st.sampled_from(("Bearer", "DPoP", "Basic")),
    st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), printable, max_size=4),
)


@given(st.lists(challenges, max_size=3))
def test_what_is_written_is_read_back(several: list[Challenge]) -> None:
    assert parse(", ".join(map(write, several))) == tuple(several)


@given(st.text(max_size=60))
def test_noise_is_read_or_refused_and_never_a_stumble(header: str) -> None:
    try:
        parse(header)
    except Malformed:
        return
