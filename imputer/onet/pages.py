"""All pages of one list of O*NET Web Services v2, or an error: a part is never taken for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imputer.errors import ProviderPartial

if TYPE_CHECKING:
    from imputer.onet.answers import Answers

# The most rows that the service gives at once; without ``end`` it gives 20.
LONGEST_PAGE = 2000
_STATED = ("start", "end", "total")


def all_items(answers: Answers, path: str, items: str, *, length: int = LONGEST_PAGE) -> list[dict[str, Any]] | None:
    """The items of every page in order; None where the service says that there is no data (422).

    Raises ProviderPartial where a page begins elsewhere than asked for, does not move on, holds another number of
    items than it says, where the total changes on the way, or where the pages end before it or go on after it.
    """
    found: list[dict[str, Any]] = []
    total: int | None = None
    while True:
        start = len(found) + 1
        page = answers.get(path, start=start, end=start + length - 1)
        if page is None:
            if found:
                raise _partial(answers, path, f"{total} items", f"no data from item {start}")
            return None
        rows = page.get(items) if isinstance(page, dict) else None
        stated = [page.get(name) for name in _STATED] if isinstance(page, dict) else []
        numbers = [number for number in stated if isinstance(number, int)]
        if not isinstance(rows, list) or len(numbers) != len(_STATED):
            raise _partial(answers, path, f"a page with start, end, total and {items}", str(page)[:120])
        first, last, whole = numbers
        if total is not None and total != whole:
            raise _partial(answers, path, f"{total} items on every page", f"{whole} on the page from {start}")
        total = whole
        if first != start or last != start + len(rows) - 1:
            raise _partial(answers, path, f"items {start} to {start + len(rows) - 1}", f"items {first} to {last}")
        found += rows
        if len(found) == whole and not page.get("next"):
            return found
        if not rows or len(found) >= whole or len(rows) > length:
            raise _partial(answers, path, f"{whole} items", f"{len(found)} items{' and more' * bool(page.get('next'))}")


def _partial(answers: Answers, path: str, expected: str, found: str) -> ProviderPartial:
    return ProviderPartial(
        "O*NET Web Services answered in part",
        expected,
        found,
        url=answers.url(path),
        next_step="try again later, or use the database files (WIQ_ONET=database)",
    )
