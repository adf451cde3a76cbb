"""A text for a regular expression, as far as simple ones go: literals, sets, repeats, groups, alternatives."""

from __future__ import annotations

import importlib
import random
import re
from typing import Any

_CATEGORIES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": "abcdefgh", "CATEGORY_SPACE": " "}
_ANY = "abcdefghijklmnopqrstuvwxyz"
_MORE = 3


class UnknownPattern(ValueError):
    """Raised for a pattern for which the stand-in finds no text."""


def text_for_pattern(pattern: str, seed: int) -> str:
    """A text that the pattern matches, the same for the same seed. Raises UnknownPattern."""
    parser: Any = importlib.import_module("re._parser")
    try:
        text = _text(parser.parse(pattern), random.Random(seed))  # noqa: S311 (no secret)
    except (re.error, KeyError, IndexError) as error:
        raise UnknownPattern(f"the stand-in makes no text for the pattern {pattern!r} ({error!r})") from error
    if not re.search(pattern, text):
        raise UnknownPattern(f"the stand-in makes no text for the pattern {pattern!r}")
    return text


def _text(parts: Any, draw: random.Random) -> str:  # noqa: ANN401
    return "".join(_part(str(kind), what, draw) for kind, what in parts)


def _part(kind: str, what: Any, draw: random.Random) -> str:  # noqa: ANN401
    """One part of a pattern as text. Raises KeyError for a kind that is not made."""
    if kind in ("LITERAL", "AT"):
        return chr(what) if kind == "LITERAL" else ""
    if kind in ("ANY", "NOT_LITERAL", "IN"):
        return draw.choice(_members(what) if kind == "IN" else _ANY.replace(chr(what or 0), ""))
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, repeated = what
        return "".join(_text(repeated, draw) for _ in range(draw.randint(least, min(most, least + _MORE))))
    if kind in ("SUBPATTERN", "BRANCH"):
        return _text(what[-1] if kind == "SUBPATTERN" else draw.choice(what[1]), draw)
    raise KeyError(kind)


def _members(parts: Any) -> str:  # noqa: ANN401
    members, negated = "", False
    for part, what in parts:
        kind = str(part)
        if kind == "NEGATE":
            negated = True
        elif kind == "RANGE":
            members += "".join(map(chr, range(what[0], what[1] + 1)))
        else:
            members += chr(what) if kind == "LITERAL" else _CATEGORIES[str(what)]
    return "".join(letter for letter in _ANY if letter not in members) if negated else members
