"""What holds for any input: tables, lists, text, sections, names, dates, addresses and labels."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from page_trees import Node, content_trees, html_of, page_of, tokens_of

from schemas import load_table
from wiq_crawl.addresses import BASE_URL, START_PATHS, resolve
from wiq_crawl.labels import normalise
from wiq_crawl.pages import read_page
from wiq_crawl.pages.blocks import list_blocks
from wiq_crawl.pages.data_tables import read_grid
from wiq_crawl.pages.dates import MONTHS, find_dates
from wiq_crawl.pages.occupational_groups import row_key, split_name
from wiq_crawl.pages.page import parse_html

if TYPE_CHECKING:
    from lxml import etree

PAGE_URL = BASE_URL + "/en/treasury-board-secretariat/services/any-page.html"
CODE = st.from_regex(r"[A-Z]{2,3}(-[A-Z]{2,3})?(\([A-Za-z-]{1,5}\))?", fullmatch=True)
relaxed = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def element(tag: str, html: str) -> etree._Element:
    found = parse_html(f"<html><body><main>{html}</main></body></html>").find(f".//{tag}")
    assert found is not None
    return found


# --- tables ---------------------------------------------------------------------------------------------------------

SPANS = st.sampled_from(["", "1", "1", "1", "2", "3", "0", "7", "-1", "x", " 2 "])
CELLS = st.tuples(st.sampled_from(["td", "th"]), SPANS, SPANS)
GROUPS = st.lists(
    st.tuples(st.sampled_from(["thead", "tbody", "tbody", ""]), st.lists(st.lists(CELLS, max_size=4), max_size=4)),
    max_size=3,
)


def placed(groups: list[list[list[tuple[str, int, int]]]]) -> dict[tuple[int, int], str]:
    """The table model of the HTML standard, slot by slot; of two cells in one slot the first stays."""
    slots: dict[tuple[int, int], str] = {}
    top = 0
    for rows in groups:
        for y, cells in enumerate(rows, top):
            x = 0
            for text, width, height in cells:
                while (x, y) in slots:
                    x += 1
                bottom = top + len(rows) if height == 0 else min(y + height, top + len(rows))
                for right in range(x, x + max(width, 1)):
                    for down in range(y, bottom):
                        slots.setdefault((right, down), text)
                x += max(width, 1)
        top += len(rows)
    return slots


def span(value: str) -> int:
    return int(value) if value.strip().isdigit() else 1


@relaxed
@given(GROUPS)
def test_a_table_is_the_grid_that_the_standard_describes(
    drawn: list[tuple[str, list[list[tuple[str, str, str]]]]],
) -> None:
    parts, groups, number = [], [], 0
    for tag, rows in drawn:
        html, model = "", []
        for cells in rows:
            row = []
            html += "<tr>"
            for cell_tag, colspan, rowspan in cells:
                number += 1
                html += f'<{cell_tag} colspan="{colspan}" rowspan="{rowspan}">cell {number}</{cell_tag}>'
                row.append((f"cell {number}", span(colspan), span(rowspan)))
            html += "</tr>"
            model.append(row)
        parts.append(f"<{tag}>{html}</{tag}>" if tag else html)
        # Rows outside any group follow one another in one implied group.
        if not tag and groups and parts[-2:-1] and not drawn[len(parts) - 2][0]:
            groups[-1] += model
        else:
            groups.append(model)
    grid = read_grid(element("table", f"<table>{''.join(parts)}</table>"))
    slots = placed(groups)
    height = sum(map(len, groups))
    width = max((x for x, _ in slots), default=-1) + 1
    assert grid.cells == [[slots.get((x, y), "") for x in range(width)] for y in range(height)]
    assert grid.letters == sum(len(f"cell{count}") for count in range(1, number + 1))
    assert grid.header_rows <= height


# --- lists ----------------------------------------------------------------------------------------------------------

Drawn = dict[str, Any]
LIST = st.fixed_dictionaries({
    "tag": st.sampled_from(["ol", "ol", "ul"]),
    "start": st.sampled_from([None, None, 0, 1, 3, 13, 27]),
    "reversed": st.sampled_from([False, False, False, True]),
    "style": st.sampled_from([None, None, "type=a", "type=A", "type=i", "type=I", "lst-lwr-alph", "lst-upr-rmn"]),
})  # fmt: skip
LISTS = st.recursive(
    st.tuples(LIST, st.lists(st.tuples(st.sampled_from([None, None, None, 5, 15]), st.none()), min_size=1, max_size=4)),
    lambda nested: st.tuples(
        LIST,
        st.lists(st.tuples(st.sampled_from([None, None, 5]), st.none() | nested), min_size=1, max_size=4),
    ),
    max_leaves=8,
)


def roman(number: int) -> str:
    ones = "i" * number
    for plain, short in (("iiiii", "v"), ("vv", "x"), ("xxxxx", "l"), ("viiii", "ix"), ("iiii", "iv"), ("xxxx", "xl")):
        ones = ones.replace(plain, short)
    return ones


def letter(number: int) -> str:
    pairs = [chr(97 + index) for index in range(26)]
    return (pairs + [first + second for first in pairs for second in pairs])[number - 1]


def marker(attributes: Drawn, number: int) -> str:
    style = attributes["style"] or ""
    if attributes["tag"] == "ul":
        return "•"
    if number < 1:
        return f"{number}."
    if style in ("type=a", "lst-lwr-alph"):
        return f"{letter(number)}."
    if style == "type=A":
        return f"{letter(number).upper()}."
    if style == "type=i":
        return f"{roman(number)}."
    return f"{roman(number).upper()}." if style else f"{number}."


def rendered(drawn: tuple[Drawn, list[Any]], depth: int, blocks: list[Drawn]) -> str:
    """The list as HTML; its items go to ``blocks`` as they are expected."""
    attributes, items = drawn
    tag, style = attributes["tag"], attributes["style"] or ""
    written = f' start="{attributes["start"]}"' if attributes["start"] is not None else ""
    written += " reversed" if attributes["reversed"] else ""
    written += f" {style}" if "=" in style else f' class="{style}"'
    number = attributes["start"]
    if number is None:
        number = len(items) if attributes["reversed"] else 1
    html = f"<{tag}{written}>"
    for value, nested in items:
        number = number if value is None else value
        text = f"item {len(blocks)} text"
        expected = {"kind": "list_item", "depth": depth, "marker": marker(attributes, number), "text": text}
        blocks.append(expected)
        inner = rendered(nested, depth + 1, blocks) if nested else ""
        html += f"<li{'' if value is None else f' value={value}'}>{text} {inner}</li>\n"
        number += -1 if attributes["reversed"] else 1
    return f"{html}</{tag}>"


@relaxed
@given(LISTS)
def test_a_list_gives_every_item_once_in_order_with_depth_and_marker(drawn: tuple[Drawn, list[Any]]) -> None:
    expected: list[Drawn] = []
    html = rendered(drawn, 1, expected)
    assert list_blocks(element(drawn[0]["tag"], html)) == expected


# --- text and sections ----------------------------------------------------------------------------------------------


@relaxed
@given(content_trees())
def test_every_word_of_a_page_stands_once_and_whole_in_its_sections_and_tables(tree: list[Node]) -> None:
    page = read_page(page_of("".join(map(html_of, tree))), PAGE_URL, language="en", depth=2)
    words = tokens_of(tree)
    order = {word: position for position, word in enumerate(words)}
    told: list[str] = []
    for section in page.tables["sections"][1:]:
        own = [word for block in section["blocks"] for word in block["text"].split()]
        assert [order[word] for word in own] == sorted(order[word] for word in own)
        told += own + (section["heading"] or "").split()
    first = page.tables["sections"][0]
    assert first["heading"] == "Any page"
    told += [word for block in first["blocks"] for word in block["text"].split() if word in order]
    for table in page.tables["data_tables"]:
        told += [word for row in table["grid"] for text in row for word in text.split()]
        told += (table["caption"] or "").split()
    assert Counter(told) == Counter(words)


@relaxed
@given(content_trees())
def test_sections_have_unique_keys_paths_that_nest_and_every_anchor(tree: list[Node]) -> None:
    html = "".join(map(html_of, tree))
    page = read_page(page_of(html), PAGE_URL, language="en", depth=2)
    sections = page.tables["sections"]
    assert len({section["section_id"] for section in sections}) == len(sections)
    paths: set[tuple[str, ...]] = {()}
    for section in sections:
        path = tuple(section["path"])
        if section["heading"]:
            assert path[-1] == section["heading"]
            assert path[:-1] in paths
        else:
            assert path in paths
        paths.add(path)
    anchors = Counter(anchor for section in sections for anchor in section["anchors"])
    assert anchors == Counter(parse_html(page_of(html)).xpath("//main//@id"))
    ids = {section["section_id"] for section in sections}
    assert {record["section_id"] for name in ("links", "data_tables") for record in page.tables[name]} <= ids
    hrefs = [link["href"] for link in page.tables["links"]]
    assert Counter(hrefs) == Counter(parse_html(page_of(html)).xpath("//main//a/@href"))


# --- names, dates, addresses, labels --------------------------------------------------------------------------------

NAMES = st.lists(st.text("abcdéèçABCD’-–()", min_size=1, max_size=9), min_size=1, max_size=5).map(" ".join)


@relaxed
@given(NAMES, CODE, st.booleans())
@example(name="Printing Operations (Supervisory)", code="PR(S)", spaced=True)
@example(name="Membres de la GRC (RM)", code="RM", spaced=False)
def test_a_name_and_its_code_come_apart_as_they_were_put_together(name: str, code: str, spaced: bool) -> None:  # noqa: FBT001
    assert split_name(f"{name}{' ' if spaced else ''}({code})", not_applicable=False) == (name, code, spaced)


@relaxed
@given(st.text())
def test_a_name_loses_no_letter(text: str) -> None:
    text = " ".join(text.split())
    name, code, spaced = split_name(text, not_applicable=False)
    assert (f"{name}{' ' if spaced else ''}({code})" if code else name) == text


@relaxed
@given(st.dates(date(1000, 1, 1)), st.sampled_from(["en", "fr"]), st.sampled_from([" ", "\u00a0", "  "]))
@example(date(2006, 2, 1), "fr", " ")
def test_a_written_date_is_found_in_either_language(day: date, language: str, space: str) -> None:
    month = MONTHS[language][day.month - 1]
    first = "1er" if day.day == 1 else str(day.day)
    written = {
        "en": f"{month.capitalize()}{space}{day.day}, {day.year}",
        "fr": f"{first}{space}{month}{space}{day.year}",
    }[language]
    (found,) = find_dates(f"Avis: {written}; 12 345 (101) 11.1.", language)
    assert found.value == day
    assert f"Avis: {written}"[found.start : found.end] == written


@relaxed
@given(st.text() | st.from_regex(r"(https?:)?//?[\[\]:@a-z./#?%]*"), st.sampled_from(list(START_PATHS.values())))
@example("http://[", START_PATHS["en"])
@example("//[::1", START_PATHS["fr"])
def test_any_address_resolves_to_a_known_target(href: str, path: str) -> None:
    found = resolve(href, BASE_URL + path)
    column = next(column for column in load_table("tbs", "links").columns if column.name == "target")
    assert found.target in column.schema["enum"]
    assert found.url is None or "#" not in found.url
    assert found.fragment != ""


@relaxed
@given(st.text())
def test_a_normalised_label_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


KEY_PARTS = st.tuples(
    st.from_regex(r"[A-Z]{2,3}(-[A-Z]{3})?", fullmatch=True),
    st.none() | st.from_regex(r"def-[a-z0-9-]{1,8}", fullmatch=True),
    st.none() | CODE,
    st.none() | CODE,
)


@relaxed
@given(KEY_PARTS, KEY_PARTS)
def test_a_row_key_tells_its_parts_apart(
    first: tuple[str, str | None, str | None, str | None], second: tuple[str, str | None, str | None, str | None]
) -> None:
    assert (row_key(*first) == row_key(*second)) == (first == second)
    assert [None if part == "-" else part for part in row_key(*first).split("/")] == list(first)
