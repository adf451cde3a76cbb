"""Double gender forms made one: «Adjoint administratif/adjointe administrative», «Adjoint(e) administratif(ive)».

Both spellings, and the masculine or feminine alone, come to the same key once words are reduced.
"""

from __future__ import annotations

import re

# «(e)», «(rice)», «(ière)» glued to a word.
_GLUED_ENDING = re.compile(r"(?<=[a-z])\([a-z]{1,6}\)")
_MAN_OR_WOMAN = re.compile(r"\b([a-z]*man) ?/ ?(?:[a-z]*)woman\b")
_MEN_OR_WOMEN = re.compile(r"\b([a-z]*men) ?/ ?(?:[a-z]*)women\b")
_OR_ESS = re.compile(r"\b([a-z]{4,}) ?/ ?([a-z]{4,}ess(?:es)?)\b")
_WORD = re.compile(r"[a-z0-9+#'-]+")
_SLASH = re.compile(r" ?/ ?")
# A feminine phrase repeats at most this many words of the masculine one.
_LONGEST_PHRASE = 4


def one_gender(title: str, language: str) -> str:
    """A lower-case title without accents, its double forms replaced by the first of the two."""
    if language == "en":
        title = _MEN_OR_WOMEN.sub(r"\1", _MAN_OR_WOMAN.sub(r"\1", _GLUED_ENDING.sub("", title)))
        return _OR_ESS.sub(lambda found: found[1] if _alike(found[1], found[2]) else found[0], title)
    title = _SLASH.sub("/", _GLUED_ENDING.sub("", title))
    while "/" in title:
        before, after = title.split("/", 1)
        title = _joined(before, after)
    return title


def _joined(before: str, after: str) -> str:
    """Two sides of a slash as one: the words after it that repeat a phrase before it in the feminine are dropped."""
    masculine = [(found.start(), found[0]) for found in _WORD.finditer(before)]
    feminine = list(_WORD.finditer(after))
    if not masculine or not feminine:
        return f"{before} {after}"
    for count in range(1, min(_LONGEST_PHRASE, len(masculine), len(feminine)) + 1):
        if _alike(masculine[-count][1], feminine[0][0]):
            return before + after[feminine[count - 1].end() :]
    return f"{before} {after}"


def _alike(one: str, other: str) -> bool:
    """Whether two words begin as a masculine and its feminine do."""
    shorter = min(len(one), len(other))
    shared = next((place for place in range(shorter) if one[place] != other[place]), shorter)
    return shared >= max(2, min(4, shorter - 3))
