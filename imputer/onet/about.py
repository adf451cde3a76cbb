"""Which database release O*NET Web Services serves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imputer.errors import ProviderPartial

if TYPE_CHECKING:
    from imputer.onet.answers import Answers

_RELEASE = re.compile(r"\b(\d{2}\.\d)\b")


def release_of(answers: Answers) -> str:
    """The database release that ``/about`` names. Its exact shape is not promised: the first text that fits counts."""
    stated = answers.get("about")
    found = _release_in(stated, named=False)
    if found is None:
        raise ProviderPartial(
            "O*NET Web Services does not tell its release",
            "a database release such as 31.0",
            str(stated)[:120],
            url=answers.url("about"),
            next_step="set ONET_RELEASE",
        )
    return found


def _release_in(stated: object, *, named: bool) -> str | None:
    """The first release below a key that speaks of the database."""
    if isinstance(stated, dict):
        parts = [(named or "database" in str(key).lower(), part) for key, part in stated.items()]
    elif isinstance(stated, list):
        parts = [(named, part) for part in stated]
    else:
        match = _RELEASE.search(str(stated)) if named else None
        return match.group(1) if match else None
    found = (_release_in(part, named=about) for about, part in parts)
    return next((release for release in found if release), None)
