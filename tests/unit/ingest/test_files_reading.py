"""Files of rows: what is read of CSV and of workbooks, and what is refused as a whole."""

# ruff: noqa: DTZ001 - a sheet's dates have no zone

import io
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from services.ingest.core.rows import Row, TableError
from services.ingest.files.reading import FileSettings, form_of, opened
from tests.fakes.workbook import Formula, of_rows, sheet_xml, workbook

HEADING = ("type", "subject", "time", "level", "activated")
LINE = "identity.eid-changed.v1,citizen:000123456789,2026-03-01,2,true"


def rows(
    content: bytes, name: str = "rows.csv", sheet: str | None = None, **limits: int
) -> Iterator[Row]:
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.flush()
        form = form_of(name, content[:8])
        with opened(stream, form, FileSettings(**limits), sheet) as found:
            yield from found


def complaint(content: bytes, name: str = "rows.csv", **options: object) -> str:
    with pytest.raises(TableError) as caught:
        list(rows(content, name, **options))  # type: ignore[arg-type]
    assert "000123456789" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_with_either_separator_mark_and_end(mark: str, separator: str, end: str) -> None:
    text = mark + ",".join(HEADING) + "\n" + LINE + "\n\n" + LINE
    content = text.replace(",", separator).replace("\n", end).encode()
    found = list(rows(content))
    assert [row.line for row in found] == [2, 4]
    assert found[0].cells == dict(
        zip(
            ("type", "subject", "time", "data.level", "data.activated"),
            LINE.split(","),
            strict=True,
        )
    )


def test_quoted_texts_hold_separators_quotes_and_line_ends() -> None:
    text = 'type,subject,time,reason\na,b,c,"x, ""y""\nz"\nd,e,f,g\n'
    found = list(rows(text.encode()))
    assert found[0].cells["data.reason"] == 'x, "y"\nz'
    assert [row.line for row in found] == [2, 4]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        ("\ufefftype,subject".encode("utf-16"), "UTF-16"),
        (",".join(HEADING).encode() + b"\nph\xf3ng,a", "line 2: is not UTF-8 (byte 3"),
        (",".join(HEADING).encode() + b"\na\x00b", "line 2: holds the character NUL"),
        (",".join(HEADING).encode() + b'\na,"b\nc', "line 3: quotes do not fit"),
        (",".join(HEADING).encode() + b'\na,"b"c,d', "line 2: quotes do not fit"),
        (",".join(HEADING).encode() + b'\n"' + b"a,b\n" * 40_000, "a cell is longer than 131,072"),
        (LINE.encode(), "is neither an attribute"),
        (b"type,subject,time\n" + b"x" * 1_100_000, "line 2: is longer"),
    ],
)
def test_a_text_that_cannot_be_read_says_where_and_what_to_do(content: bytes, told: str) -> None:
    assert told in complaint(content)


def test_rows_before_a_fault_have_been_read() -> None:
    content = ",".join(HEADING).encode() + f"\n{LINE}\n".encode() + b"\xff"
    found = rows(content)
    assert next(found).line == 2
    with pytest.raises(TableError, match="line 3"):
        next(found)


def test_rows_are_counted() -> None:
    content = "\n".join([",".join(HEADING), LINE, LINE]).encode()
    assert len(list(rows(content, max_rows=2))) == 2
    assert "line 3: a file may have 1 rows" in complaint(content, max_rows=1)


def test_a_workbook_gives_values() -> None:
    content = of_rows(
        [
            HEADING,
            ["a", "b", datetime(2026, 3, 1, 8, 30, 15), Formula("1+1", 2.0), True],
            [],
            ["a", "b", datetime(2026, 3, 1), 1.5, False],
        ]
    )
    first, second = rows(content, "rows.xlsx")
    assert (first.line, second.line) == (2, 4)
    assert first.cells == {
        "type": "a",
        "subject": "b",
        "time": "2026-03-01T08:30:15",
        "data.level": 2,
        "data.activated": True,
    }
    assert str(second.cells["time"]).startswith("2026-03-01")
    assert second.cells["data.level"] == 1.5


def test_a_sheet_may_be_named() -> None:
    content = workbook({"Một": sheet_xml([HEADING]), "Hai": sheet_xml([HEADING, ["a", "b", "c"]])})
    assert len(list(rows(content, "rows.xlsx"))) == 0
    assert len(list(rows(content, "rows.xlsx", sheet="Hai"))) == 1
    assert "has no sheet Ba; it has Một, Hai" in complaint(content, "rows.xlsx", sheet="Ba")


def test_a_workbook_is_known_by_its_content() -> None:
    assert len(list(rows(of_rows([HEADING, ["a", "b", "c"]]), "rows.csv"))) == 1


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"PK\x03\x04 no archive", "rows.xlsx", "damaged"),
        (LINE.encode(), "rows.xlsx", "no .xlsx workbook"),
        (b"\xd0\xcf\x11\xe0 old", "rows.xlsx", "of the old kind"),
        (b"%PDF", "rows.pdf", "only .csv and .xlsx"),
        (of_rows([]), "rows.xlsx", "the sheet is empty"),
        (of_rows([["x"] * 300]), "rows.xlsx", "300 columns wide"),
    ],
)
def test_a_workbook_that_cannot_be_read_says_what_to_do(
    content: bytes, name: str, told: str
) -> None:
    assert told in complaint(content, name)


def test_a_cell_far_away_does_not_unfold_into_a_large_sheet() -> None:
    part = sheet_xml([HEADING]).replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    assert "MiB of memory" in complaint(workbook({"a": part}), "rows.xlsx")


def test_a_bomb_ends_at_its_bounds() -> None:
    row = '<row r="2"><c r="A2" t="inlineStr"><is><t>' + "x" * 200_000_000 + "</t></is></c></row>"
    part = sheet_xml([HEADING]).replace("</sheetData>", f"{row}</sheetData>")
    content = workbook({"a": part})
    assert len(content) < 1_000_000
    limit = {"workbook_bytes": 256 * 1024 * 1024}
    assert "MiB of memory" in complaint(content, "rows.xlsx", **limit)


def test_a_workbook_that_is_left_early_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_bytes(of_rows([HEADING, *([["a", "b", "c"]] * 20_000)]))
    with (
        path.open("rb") as stream,
        opened(stream, form_of(path.name, b"PK\x03\x04"), FileSettings()) as found,
    ):
        assert next(found).line == 2
    # A warning of a process or pipe that is left open would be an error.


def test_only_a_file_of_the_system_is_taken() -> None:
    with (
        pytest.raises(io.UnsupportedOperation),
        opened(io.BytesIO(b"PK\x03\x04"), form_of("x", b"PK\x03\x04"), FileSettings()),
    ):
        pass
