"""Reads a workbook that strangers have made: values by calamine, and what calamine does not tell.

Whether a cell shows a percentage, holds a formula that nobody has calculated or is merged with
others decides what its number means. Before anything is read, the file is held against limits: a
small file can unfold to gigabytes, and one cell in the last corner makes a sheet as large as all.
"""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any, Final
from xml.etree import ElementTree as ET

from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook

_MOST_PARTS: Final = 500
_MOST_BYTES: Final = 8 * 1024 * 1024
_MOST_MERGED: Final = 200
_LAST_ROW: Final = 2_000
_LAST_COLUMN: Final = 200
#: What zipfile raises over a damaged, encrypted or unusual package.
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
)
_CHUNK: Final = 256 * 1024

#: How files of old Excel and encrypted ones of new Excel begin.
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_STYLES: Final = "xl/styles.xml"
#: Beside these a workbook holds macros, pictures or other files, which nobody can look through.
_READABLE: Final = re.compile(r".*\.(?:xml|rels|vml)|xl/printerSettings/.*|docProps/.*|.*/")
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_PERCENT_FORMATS: Final = frozenset({9, 10})
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


class WorkbookError(Exception):
    """The file cannot be read; `vi` and `en` say why."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi = vi
        self.en = en


#: Corners of a range, rows and columns counted from 0.
_Range = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: its values, and marks of its cells by their references."""

    name: str
    rows: Sequence[Sequence[Any]]
    percent: frozenset[str]
    formulas: frozenset[str]
    merged: Sequence[_Range]

    def at(self, row: int, column: int) -> Any:
        """The value of a cell, counted from 1; None when it is empty."""
        if row > len(self.rows) or column > len(self.rows[row - 1]):
            return None
        value = self.rows[row - 1][column - 1]
        return None if value == "" else value

    def merged_in(self, row: int, column: int) -> str | None:
        """The range that a cell is merged in, like ``F12:G12``."""
        for one in self.merged:
            (top, left), (bottom, right) = one
            if top < row <= bottom + 1 and left < column <= right + 1:
                return f"{_reference(*one[0])}:{_reference(*one[1])}"
        return None


@dataclass(slots=True)
class _Marks:
    percent: set[str] = field(default_factory=set)
    formulas: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Workbook:
    """All sheets by name, and the texts that stand in no cell: comments, headers, properties."""

    sheets: Mapping[str, Grid]
    texts: Sequence[str]


def read_workbook(content: bytes) -> Workbook:
    """Read an XLSX file.

    Raises:
        WorkbookError: it is none, holds what cannot be looked through, or is too large inside.
    """
    if content.startswith(_OLE):
        raise WorkbookError(
            "tệp đặt mật khẩu, hoặc là tệp .xls đời cũ",
            "the file has a password, or is an old .xls",
        )
    parts = _parts(content)
    try:
        marks = _marks_of_sheets(parts)
        texts = [text for name, part in parts.items() for text in _texts(name, part)]
        with CalamineWorkbook.from_filelike(BytesIO(content)) as workbook:
            sheets = {
                name: _grid(workbook, name, marks.get(name, _Marks()))
                for name in workbook.sheet_names
            }
    except (CalamineError, ET.ParseError, KeyError, ValueError, IndexError):
        raise WorkbookError(
            "tệp XLSX bị hỏng hoặc đặt mật khẩu", "the workbook is damaged or has a password"
        ) from None
    return Workbook(sheets, texts)


def _parts(content: bytes) -> dict[str, bytes]:
    """The parts of the package that hold XML, unfolded within limits."""
    parts: dict[str, bytes] = {}
    room = _MOST_BYTES
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            names = package.namelist()
            if _WORKBOOK not in names:
                raise WorkbookError("đây không phải tệp XLSX", "this is no XLSX workbook")
            if len(names) > _MOST_PARTS:
                raise _too_large()
            for name in names:
                if not _READABLE.fullmatch(name):
                    raise WorkbookError(
                        "tệp có macro, hình ảnh hoặc tệp đính kèm",
                        "the workbook holds macros, pictures or other files",
                    )
                with package.open(name) as part:
                    parts[name] = _read(part, room)
                room -= len(parts[name])
    except _DAMAGED:
        raise WorkbookError("đây không phải tệp XLSX", "this is no XLSX workbook") from None
    readable = {name: part for name, part in parts.items() if name.endswith((".xml", ".rels"))}
    # Office writes no document types; entities in one could unfold without end.
    if any(b"<!DOCTYPE" in part or b"<!ENTITY" in part for part in readable.values()):
        raise WorkbookError("tệp XLSX không hợp lệ", "the workbook is not valid")
    return readable


def _read(part: IO[bytes], room: int) -> bytes:
    chunks: list[bytes] = []
    while chunk := part.read(_CHUNK):
        room -= len(chunk)
        if room < 0:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> WorkbookError:
    return WorkbookError("nội dung tệp quá lớn", "the workbook is too large inside")


def _marks_of_sheets(parts: Mapping[str, bytes]) -> dict[str, _Marks]:
    percent = _percent_styles(parts.get(_STYLES))
    targets = {one.get("Id"): _path(one.get("Target", "")) for one in _elements(parts[_RELATIONS])}
    found: dict[str, _Marks] = {}
    for sheet in _elements(parts[_WORKBOOK], "sheet"):
        relation = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), None)
        part = parts.get(targets.get(relation, ""))
        if part is not None:
            found[sheet.get("name", "")] = _marks(part, percent)
    return found


def _path(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _marks(part: bytes, percent: frozenset[int]) -> _Marks:
    marks = _Marks()
    for cell in _elements(part, "c"):
        answered = any(_name(one) in ("v", "is") and "".join(one.itertext()) for one in cell)
        reference = cell.get("r", "")
        if answered:
            _check_place(reference)
        elif any(_name(one) == "f" for one in cell):
            marks.formulas.add(reference)
        if int(cell.get("s", "0")) in percent:
            marks.percent.add(reference)
    return marks


def _check_place(reference: str) -> None:
    """Object to a cell far outside: a sheet is read as a rectangle that has it in a corner."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    if column > _LAST_COLUMN or int(found[2]) > _LAST_ROW:
        raise WorkbookError(
            f"ô {reference} nằm ngoài biểu mẫu", f"the cell {reference} lies outside of any form"
        )


def _percent_styles(part: bytes | None) -> frozenset[int]:
    """Numbers of the cell styles that show a percentage."""
    if part is None:
        return frozenset()
    formats = set(_PERCENT_FORMATS)
    styles: frozenset[int] = frozenset()
    for one in _elements(part, "numFmt"):
        if "%" in _QUOTED.sub("", one.get("formatCode", "")):
            formats.add(int(one.get("numFmtId", "0")))
    for one in _elements(part, "cellXfs"):
        styles = frozenset(
            number for number, style in enumerate(one) if int(style.get("numFmtId", "0")) in formats
        )
    return styles


def _grid(workbook: CalamineWorkbook, name: str, marks: _Marks) -> Grid:
    sheet = workbook.get_sheet_by_name(name)
    merged = sheet.merged_cell_ranges or []
    if len(merged) > _MOST_MERGED:
        raise _too_large()
    rows = sheet.to_python(skip_empty_area=False)
    return Grid(name, rows, frozenset(marks.percent), frozenset(marks.formulas), merged)


def _reference(row: int, column: int) -> str:
    return f"{get_column_letter(column + 1)}{row + 1}"


def _texts(name: str, part: bytes) -> Iterator[str]:
    """Texts that stand in no cell; those of cells are in the sheets' values."""
    if name.startswith("xl/worksheets/"):
        for footer in _elements(part, "headerFooter"):
            yield from footer.itertext()
    elif name.startswith(("xl/comments", "xl/threadedComments", "xl/drawings/", "docProps/")):
        yield from ET.fromstring(part).itertext()  # noqa: S314 - no document type, see _parts


def _elements(part: bytes, name: str | None = None) -> Iterator[ET.Element]:
    """Elements of a name, wherever they stand; without one those right below the root."""
    root = ET.fromstring(part)  # noqa: S314 - no document type, see _parts
    if name is None:
        yield from root
        return
    for element in root.iter():
        if _name(element) == name:
            yield element


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
