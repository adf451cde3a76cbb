"""What the main table must keep, and how the drift says where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conservation import content
from contract_case import LANGUAGES, Case, check
from page_edits import attribute, both, inside, move, remove, rename, text, twice, unwrap
from page_mutations import parse, serialise
from subjects import subject

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = "//main//table"
ROW = f"{TABLE}/tbody/tr[3]"


def cell(number: int) -> str:
    return f"{ROW}/td[{number}]"


MAIN = {
    "another header": Case(
        text(f"{TABLE}//th[3]", "Meaning"), "header of column 3", "«", "«Meaning»", "/th[3]", "labels.toml"
    ),
    "a header more": Case(twice(f"{TABLE}//th[12]"), "number of columns", "12", "13: ", "/thead/tr"),
    "two tables": Case(twice(TABLE), "the main table", "exactly one table with a thead", "2"),
    "no thead": Case(rename(f"{TABLE}/thead", "tbody"), "the main table", "exactly one table with a thead", "0"),
    "no rows": Case(text(f"{TABLE}/tbody", ""), "no rows", "rows in tbody", "none", "/table", "WIQ_RENDER"),
    "a row in tfoot": Case(
        both(inside(TABLE, "<tfoot></tfoot>"), move(ROW, f"{TABLE}/tfoot")),
        "row of the main table",
        "thead or tbody",
        "",
        "/tfoot/tr",
    ),
    "a cell less": Case(remove(cell(4)), "cells of a row", "12 td", "11: <td>", "/tr[3]", row=3),
    "a header in a row": Case(rename(cell(1), "th"), "cells of a row", "12 td", "12: <th>", "/tr[3]", row=3),
    "a row without its element": Case(unwrap(ROW), "lost or told twice", "characters", "", "//main"),
    "a rowspan": Case(
        attribute(cell(1), "rowspan", "2"), "several rows or columns", "no rowspan", "rowspan='2'", "/td[1]"
    ),
    "a colspan": Case(
        attribute(cell(1), "colspan", "1"), "several rows or columns", "no colspan", "colspan='1'", "/td[1]"
    ),
    "an odd abbreviation": Case(text(cell(1), "Ct1"), "column abbreviation", "such as AI", "«Ct1»", "/td[1]", row=3),
    "an odd code": Case(text(cell(2), "30-A9"), "column code", "such as 402", "«30-A9»", "/td[2]", row=3),
    "no name": Case(text(cell(5), ""), "column subgroup", "a name", "«»", "/td[5]", row=3),
    "no link and no N/A": Case(text(cell(9), ""), "column bargaining_update", "one link or «", "«»", "/td[9]", row=3),
    "two links": Case(twice(f"{cell(9)}/a"), "column bargaining_update", "one link", "«2 links»", "/td[9]", row=3),
    "another link text": Case(
        text(f"{cell(9)}/a", "Here"), "column bargaining_update", "«Info»", "«Here»", "/td[9]", "labels.toml", 3
    ),
    "a link without address": Case(
        attribute(f"{cell(9)}/a", "href", ""), "bargaining_update", "an address", "«", "/td[9]", row=3
    ),
    "a definition without fragment": Case(
        attribute(f"{cell(6)}/a", "href", "/en/x.html"), "column definition", "#def-", "x.html", "/td[6]", row=3
    ),
    "a link among the names": Case(
        inside(cell(3), "<a href='/en/x.html'>x</a>"), "link of the main table", "link column", "«x»", "/td[3]/a"
    ),
    "a row twice": Case(twice(ROW), "two rows have one key", "unique row keys", "in rows 3 and 4", "/tr[4]", row=4),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", MAIN)
def test_the_main_table_keeps_its_shape(case: str, language: str) -> None:
    check(f"main {language}", MAIN[case])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "edit",
    [
        unwrap(f"{TABLE}/tbody"),
        both(inside(TABLE, "<tbody></tbody>"), move(f"{TABLE}/tbody[1]/tr[last()]", f"{TABLE}/tbody[2]")),
        rename("//main//section[@id='ToC-tab']", "div"),
    ],
    ids=["no-tbody", "two-tbody", "no-section"],
)
def test_other_wrappings_of_the_rows_give_the_same_rows(edit: Callable[..., object], language: str) -> None:
    original = subject(f"main {language}")
    root = parse(original.text)
    edit(root)
    found = original.read(serialise(root))
    for table in ("occupational_groups", "links", "data_tables"):
        assert content(found)[table] == content(original.records)[table]
