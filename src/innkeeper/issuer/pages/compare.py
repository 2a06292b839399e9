"""What was sent beside what is registered, cut where the two differ, so that a person sees the one character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

Segment = tuple[str, bool]
"""A piece of text and whether it differs. An empty text that differs stands where the other side has more."""

Segments = tuple[Segment, ...]


class Comparison(msgspec.Struct, frozen=True):
    """``what`` was compared (a parameter's name), and both sides in segments, the nearest registered value first."""

    what: str
    sent: Segments
    registered: tuple[Segments, ...]


def compare(sent: str, registered: Sequence[str], what: str = "redirect_uri") -> Comparison:
    """``sent`` against each registered value, character by character.

    Only ``sent`` and the nearest value are cut; the others are given whole, the nearer first.
    Where nothing is registered, all of ``sent`` differs.
    """
    pairs = sorted((_align(sent, one) for one in registered), key=lambda pair: pair.likeness, reverse=True)
    if not pairs:
        return Comparison(what, ((sent, True),), ())
    others = tuple(((pair.value, False),) for pair in pairs[1:])
    return Comparison(what, pairs[0].left, (pairs[0].right, *others))


def compare_words(sent: str, registered: Sequence[str], what: str = "scope") -> Comparison:
    """``sent``, words with spaces between, against the registered words; their order is of no account.

    A word that is registered is the same on both sides. One that is not is cut against the nearest registered
    word, if any is near. The registered words that came near stand first.
    """
    near = {word: _nearest(word, registered) for word in sent.split(" ") if word not in registered}
    left: list[Segment] = []
    for position, word in enumerate(sent.split(" ")):
        left += [(" ", not word)] if position else []
        pair = near.get(word)
        left += pair.left if pair else [(word, word in near)]
    matched = {pair.value: pair.right for pair in near.values() if pair}
    rest = tuple(((word, False),) for word in registered if word not in matched)
    return Comparison(what, _joined(left), (*matched.values(), *rest))


def visible(text: str, differs: bool = False) -> str:
    """``text`` with what cannot be seen made visible: controls and look-alikes by code point.

    Where the text ``differs`` a space becomes ``␣``, and a letter from outside ASCII is shown with its code point.
    """
    return "".join(_shown(character, differs) for character in text)


class _Pair(msgspec.Struct, frozen=True):
    value: str
    left: Segments
    right: Segments
    likeness: float


_NEAR = 0.6
_ISLAND = 3
_LARGEST = 40_000


def _nearest(word: str, registered: Sequence[str]) -> _Pair | None:
    pairs = [_align(word, one) for one in registered]
    best = max(pairs, key=lambda pair: pair.likeness, default=None)
    return best if best and best.likeness >= _NEAR else None


def _align(sent: str, registered: str) -> _Pair:
    left: list[Segment] = []
    right: list[Segment] = []
    same = 0
    for a, b in _pieces(sent, registered):
        left.append((a, a != b))
        right.append((b, a != b))
        same += len(a) if a == b else 0
    likeness = 2 * same / max(1, len(sent) + len(registered))
    return _Pair(registered, _joined(left), _joined(right), likeness)


def _pieces(a: str, b: str) -> Iterator[tuple[str, str]]:
    """Pieces of both in step: the common start, the middle cut finely, the common end."""
    start = _common(a, b)
    end = _common(a[start:][::-1], b[start:][::-1])
    middle = a[start : len(a) - end], b[start : len(b) - end]
    yield a[:start], b[:start]
    yield from _middle(*middle)
    yield a[len(a) - end :], b[len(b) - end :]


def _middle(a: str, b: str) -> Iterator[tuple[str, str]]:
    """Both cut at every run they share. A run under three characters is chance, and a very long text is left whole."""
    if len(a) * len(b) > _LARGEST:
        yield a, b
        return
    done_a = done_b = 0
    for run in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        if _ISLAND > run.size > 0:
            continue
        yield a[done_a : run.a], b[done_b : run.b]
        done_a, done_b = run.a + run.size, run.b + run.size
        yield a[run.a : done_a], b[run.b : done_b]


def _common(a: str, b: str) -> int:
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _joined(segments: Sequence[Segment]) -> Segments:
    """Neighbours of one kind as one; an empty text is kept only where it differs and has no differing neighbour."""
    joined: list[Segment] = []
    for text, differs in segments:
        if joined and joined[-1][1] == differs:
            joined[-1] = (joined[-1][0] + text, differs)
        elif text or differs:
            joined.append((text, differs))
    return tuple(joined)


def _shown(character: str, differs: bool) -> str:
    if character == " ":
        return "␣" if differs else " "
    code = f"⟨U+{ord(character):04X}⟩"
    if unicodedata.category(character)[0] in "CZ":
        return code
    return character + code if differs and not character.isascii() else character
