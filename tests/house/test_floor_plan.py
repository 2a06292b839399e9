"""Each specification has one room, and the plan drawn from the docstrings says which."""

from __future__ import annotations

from docs.generate.floor_plan import Home, homes, quarrels
from docs.generate.modules import modules


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = [module.room for module in modules() if not module.headline]
    assert not silent, f"no docstring: {', '.join(silent)}"


def test_no_specification_has_two_homes() -> None:
    plan = homes(modules())
    print(*(f"{home.words:45} {home.room}" for home in plan), sep="\n")
    assert plan, "the plan is empty: no first line names a specification"
    assert list(quarrels(plan)) == []


def test_a_specification_with_two_homes_is_noticed() -> None:
    pkce = [Home("RFC 7636", (), "protocol/pkce.py", ""), Home("RFC 7636", ("4.6",), "issuer/core/code.py", "")]
    assert list(quarrels(pkce)) == ["RFC 7636 has several homes: protocol/pkce.py, issuer/core/code.py"]


def test_a_divided_specification_may_have_several_rooms_but_no_section_two() -> None:
    token, code = Home("RFC 6749", ("3.2",), "token.py", ""), Home("RFC 6749", ("4.1.3",), "code.py", "")
    assert list(quarrels([token, code])) == []
    assert list(quarrels([token, code, Home("RFC 6749", ("4.1",), "other.py", "")])) == [
        "RFC 6749 §4.1.3 has two homes: code.py and other.py"
    ]
    assert list(quarrels([token, Home("RFC 6749", (), "all.py", "")])) == [
        "all.py: name the sections of RFC 6749 that live here, others have a part of it too"
    ]
