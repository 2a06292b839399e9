"""Forms and queries are read as the standard library reads them, and what it would let pass quietly is refused."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.protocol.parameters import FORM, MOST, Malformed, Parameters, parse_form, parse_query

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.one_of(TEXT, st.text("ab=&+%2Cé;?c3AF:")))
def test_a_query_is_read_as_the_standard_library_reads_it(query: str) -> None:
    try:
        expected: object = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST)
    except ValueError:
        expected = Malformed
    try:
        found: object = parse_query(query).pairs()
    except Malformed as error:
        found = Malformed
        if "NUL" in str(error):
            return
    assert found == expected


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_a_form_is_the_pairs_that_were_encoded(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import urlencode

    body = urlencode(pairs).encode()
    assert parse_form(body, FORM).pairs() == [(name, value) for name, value in pairs]


def test_as_many_parameters_as_are_read_are_read_and_one_more_is_refused() -> None:
    assert len(parse_query("&".join(f"p{n}=1" for n in range(MOST)))) == MOST
    with pytest.raises(Malformed, match="more than 200"):
        parse_query("&".join(f"p{n}=1" for n in range(MOST + 1)))


@pytest.mark.parametrize("query", ["a=%00", "a\0=b", "%C3=a", "a=%C3%28", "a=%FFb"])
def test_what_is_no_text_is_refused(query: str) -> None:
    with pytest.raises(Malformed):
        parse_query(query)


def test_a_repeated_parameter_cannot_be_taken_by_accident() -> None:
    sent = Parameters([("scope", "a"), ("scope", "b"), ("state", "s")])
    for read in (lambda: sent["scope"], lambda: sent.get("scope"), lambda: sent.get("scope", "none")):
        with pytest.raises(Malformed, match="'scope' was sent more than once"):
            read()
    assert (sent.many("scope"), sent.get("state"), sent.get("nonce"), sent.get("nonce", "none")) == (
        ("a", "b"),
        "s",
        None,
        "none",
    )


def test_an_empty_value_counts_as_absent() -> None:
    sent = parse_form(b"scope=&state=s", "application/x-www-form-urlencoded; charset=UTF-8")
    assert ("scope" in sent, sent.get("scope"), sent.pairs()) == (False, None, [("scope", ""), ("state", "s")])
