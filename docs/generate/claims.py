"""What each claim and header member means, from the same words as the tour and ``innkeeper explain``."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.tokens.makers import SPECIALS
from innkeeper.tokens.words import CLAIMS, HEADER, Word


def page() -> str:
    return f"""# Claims

What a token says, in a sentence a name. The tour and `innkeeper explain` use the same words.

## In the header

{_table(HEADER)}

## Among the claims

{_table(CLAIMS)}

{_chapters()}"""


def _chapters() -> str:
    """What each maker adds, or uses in its own way."""
    return "\n".join(f"## In tokens by {made_by}\n\n{_table(words)}\n" for made_by, words in SPECIALS.items())


def _table(words: Mapping[str, Word]) -> str:
    rows = "\n".join(f"| `{name}` | {word.says} | {_origin(word)} |" for name, word in words.items())
    return f"| name | meaning | defined by |\n|---|---|---|\n{rows}"


def _origin(word: Word) -> str:
    return ", ".join(filter(None, (word.by, word.spec)))
