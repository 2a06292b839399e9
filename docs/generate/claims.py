"""What each claim and header member means, from the same words as the tour and ``innkeeper explain``."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.tokens.words import CLAIMS, HEADER, Word


def page() -> str:
    return f"""# Claims

What a token says, in a sentence a name. The tour and `innkeeper explain` use the same words.

## In the header

{_table(HEADER)}

## Among the claims

{_table(CLAIMS)}
"""


def _table(words: Mapping[str, Word]) -> str:
    rows = "\n".join(f"| `{name}` | {word.says} | {_origin(word)} |" for name, word in words.items())
    return f"| name | meaning | defined by |\n|---|---|---|\n{rows}"


def _origin(word: Word) -> str:
    return ", ".join(filter(None, (word.by, word.spec)))
