"""One edit of a page, and the drift it must lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from page_mutations import parse, serialise
from subjects import subject

from wiq_crawl.errors import StructureDrift

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import html

    Edit = Callable[[html.HtmlElement], object]

LANGUAGES = ("en", "fr")


class Case(NamedTuple):
    """An edit, and words of the drift it must lead to;"""

    edit: Edit
    message: str
    expected: str
    found: str
    selector: str = ""
    next_step: str | None = None
    row: int | None = None
    error: type[StructureDrift] = StructureDrift


def drift(name: str, case: Case) -> StructureDrift:
    original = subject(name)
    root = parse(original.text)
    case.edit(root)
    with pytest.raises(StructureDrift) as raised:
        original.read(serialise(root))
    return raised.value


def check(name: str, case: Case) -> None:
    found = drift(name, case)
    assert type(found) is case.error
    assert case.message in found.message
    assert case.expected in (found.expected or "")
    assert case.found in (found.found or "")
    assert case.selector in (found.selector or "")
    assert case.next_step is None or case.next_step in (found.next_step or "")
    assert found.row == case.row
    assert found.url == subject(name).url
    assert found.url in str(found)
