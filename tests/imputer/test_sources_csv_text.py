"""CSV files are opened strictly: what is repaired is logged, everything else that is not as expected stops the run."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imputer.errors import SourceMalformed, SourceMissing
from imputer.sources.csv_text import one_line, read_sheet
from imputer.sources.reading import DataIssue

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ("Code", "Class title")


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("at_end", ["yes", "no"])
def test_byte_order_mark_and_line_ends_do_not_matter(tmp_path: Path, mark: bytes, line_end: bytes, at_end: str) -> None:
    content = mark + line_end.join([b"Code,Class title", b"00010,Legislators"]) + (line_end if at_end == "yes" else b"")
    sheet = read_sheet(written(tmp_path, content), "noc", HEADER)
    assert sheet.records == [["00010", "Legislators"]]
    assert sheet.issues == []


def test_codes_stay_text_with_leading_zeros(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, b"Code,Class title\n00010,1e5\n"), "noc", HEADER)
    assert sheet.column("Code") == ["00010"]
    assert sheet.column("Class title") == ["1e5"]


def test_padding_and_non_breaking_spaces_of_headers_are_repaired_and_logged(tmp_path: Path) -> None:
    path = written(tmp_path, "\N{NO-BREAK SPACE}Code ,Class\N{NO-BREAK SPACE} title\n1,a\n".encode())
    sheet = read_sheet(path, "noc", HEADER)
    assert sheet.header == HEADER
    assert sheet.issues == [
        DataIssue("noc", "file.csv", None, "Code", "header-whitespace", "\N{NO-BREAK SPACE}Code ", "Code"),
        DataIssue(
            "noc", "file.csv", None, "Class title", "header-whitespace", "Class\N{NO-BREAK SPACE} title", "Class title"
        ),
    ]


def test_only_stated_misprints_of_headers_pass(tmp_path: Path) -> None:
    path = written(tmp_path, b"Cod,Class title\n1,a\n")
    assert read_sheet(path, "noc", HEADER, variants={"Cod": "Code"}).issues[0].rule == "header-misprint"
    with pytest.raises(SourceMalformed, match="expected the header 'Code'; found 'Cod'"):
        read_sheet(path, "noc", HEADER)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Code\n1\n", "expected 2 columns; found 1"),
        (b"", "expected 2 columns; found 0"),
        (b"Class title,Code\na,1\n", "expected the header 'Code'"),
        (b"Code,Class title\n", "expected records below the header; found none"),
        (b"Code,Class title\n1,a\n2\n", "expected 2 cells; found 1 cells; at file.csv, row 2"),
        (b"Code,Class title\n1,a,b\n", "found 3 cells; at file.csv, row 1"),
        (b"Code,Class title\n1,a\n\n2,b\n", "found 0 cells; at file.csv, row 2"),
        (b'Code,Class title\n1,"a\n', "quoted text that ends"),
        (b'Code,Class title\n1,"a"b\n', "quoted text that ends"),
        (b"Code,Class title\n1,\xe9t\xe9\n", "expected UTF-8 text; found byte 0xe9 in line 2"),
        (b"Code,Class title\n1,a\x00\n", r"expected printable text; found '\\x00' in line 2"),
        ("Code,Class title\n1,\N{REPLACEMENT CHARACTER}\n".encode(), "expected printable text"),
        (b"\xef\xbb\xbf\xef\xbb\xbfCode,Class title\n1,a\n", "expected printable text"),
    ],
)
def test_what_no_rule_knows_stops_and_tells_where(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(SourceMalformed, match=told):
        read_sheet(written(tmp_path, content), "noc", HEADER)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"file\.csv.*imputer sources fetch"):
        read_sheet(tmp_path / "file.csv", "noc", HEADER)


def test_legacy_encoding_is_read_only_where_the_publisher_uses_it_and_is_logged(tmp_path: Path) -> None:
    path = written(tmp_path, "Code,Class title\n1,Élève – aîné\n".encode("cp1252"))
    sheet = read_sheet(path, "cops", HEADER, legacy_encoding="cp1252")
    assert sheet.records == [["1", "Élève – aîné"]]
    assert [issue.rule for issue in sheet.issues] == ["legacy-encoding"]


def test_cells_on_one_line_and_paragraphs_apart(tmp_path: Path) -> None:
    path = written(tmp_path, b'Code,Class title\n1,"a \r\nb  c \n \n\n d\t"\n')
    sheet = read_sheet(path, "noc", HEADER)
    assert sheet.paragraphs("Class title") == ["a b c\n\nd"]
    assert read_sheet(path, "noc", HEADER).text("Class title") == ["a b c d"]
    assert sheet.issues == [
        DataIssue("noc", "file.csv", 1, "Class title", "whitespace", "a \r\nb  c \n \n\n d\t", "a b c\n\nd")
    ]


CELLS = st.text(st.characters(exclude_categories=("C",), include_characters="\n\r\t"), max_size=12).filter(
    lambda text: "\ufffd" not in text
)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_a_writer_wrote_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[str]], line_end: bytes
) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([HEADER, *records])
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_bytes(stream.getvalue().encode())
    assert [tuple(record) for record in read_sheet(path, "noc", HEADER).records] == records


@given(CELLS)
def test_one_line_is_a_projection_without_breaks_or_padding(text: str) -> None:
    once = one_line(text)
    assert one_line(once) == once
    assert once == once.strip()
    assert not set(once) & set("\n\r\t\N{NO-BREAK SPACE}")
