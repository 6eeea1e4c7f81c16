"""What stands in a cell of a table, made what the contract's models take.

A cell is a text (of a CSV file, always) or what a workbook holds: a number, true or false, and a
date as its ISO text. No message repeats a cell: it may be anybody's number. Days are written
2026-11-22 or 22/11/2026, never with the month first; a time without an offset is Viet Nam's.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any, Final

from contracts.times import LOCAL_ZONE

Cell = str | int | float | bool | None
"""What a table holds; None and a blank text are an empty cell."""

#: A double keeps so many digits of a whole number; a spreadsheet makes the others zeros.
_KEPT_DIGITS: Final = 15

_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False, "có": True, "không": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,16}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,16}(?:\.[0-9]{1,16})?")
_AREA_CODE: Final = re.compile(r"[0-9]{5}")
_DAY: Final = r"(?:(\d{4})-(\d{2})-(\d{2})|(\d{1,2})/(\d{1,2})/(\d{4}))"
_ONLY_DAY: Final = re.compile(_DAY, re.ASCII)
#: What a workbook's date holds when its time is midnight.
_MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00)?$")
_LOCAL: Final = re.compile(
    _DAY + r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?", re.ASCII
)
_WITH_OFFSET: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


class CellError(ValueError):
    """A cell that does not fit its column; the message says what to write instead."""


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def to_text(cell: Cell) -> str:
    """A text; a whole number of a workbook becomes its digits.

    Raises:
        CellError: for a number of which the spreadsheet has lost digits, or that is none to read.
    """
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool) or cell is None or isinstance(cell, float):
        raise CellError("must be a text; format the column as text and write it anew")
    if len(str(abs(cell))) > _KEPT_DIGITS:
        raise CellError(
            f"a spreadsheet keeps {_KEPT_DIGITS} digits of a number, the others are gone; "
            "format the column as text and write it anew"
        )
    return str(cell)


def to_code(cell: Cell) -> str:
    """A commune code of five digits.

    Raises:
        CellError: above all when a spreadsheet has eaten its leading zeros.
    """
    text = to_text(cell)
    if text.isascii() and text.isdecimal() and len(text) < 5:
        raise CellError(
            "a code has five digits, and its leading zeros are gone: a spreadsheet eats them; "
            "format the column as text and write five digits such as 02647"
        )
    if _AREA_CODE.fullmatch(text) is None:
        raise CellError("must be a commune code of five digits; write for example 02647")
    return text


def to_boolean(cell: Cell) -> bool:
    """True or false, in English, digits or Vietnamese.

    Raises:
        CellError: for anything else.
    """
    if isinstance(cell, bool):
        return cell
    text = unicodedata.normalize("NFC", str(cell)).strip().casefold()
    try:
        return _BOOLEANS[text]
    except KeyError:
        raise CellError("must be yes or no; write true or false, 1 or 0, có or không") from None


def to_integer(cell: Cell) -> int:
    """A whole number.

    Raises:
        CellError: for anything else, such as one with separators.
    """
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    text = str(cell).strip()
    if isinstance(cell, bool) or _INTEGER.fullmatch(text) is None:
        raise CellError("must be a whole number; write it without separators, such as 1200")
    return int(text)


def to_number(cell: Cell) -> int | float:
    """A number.

    Raises:
        CellError: for anything else; a comma could part thousands or decimals, so none is taken.
    """
    if isinstance(cell, float):
        return cell
    text = str(cell).strip()
    if isinstance(cell, bool) or _NUMBER.fullmatch(text) is None:
        raise CellError("must be a number; write it with a decimal point alone, such as 1200.5")
    number = float(text)
    # 1.0 and 1 are one content, which has one id.
    return int(text.partition(".")[0]) if number.is_integer() else number


def to_day(cell: Cell) -> str:
    """A day, as its ISO text.

    Raises:
        CellError: for anything else, such as a number whose format as a date is lost.
    """
    if isinstance(cell, str):
        found = _ONLY_DAY.fullmatch(_MIDNIGHT.sub("", cell.strip()))
        if found is not None:
            return _day_of(found).isoformat()
    raise CellError("must be a day; write 1990-05-17 or 17/05/1990, or format the column as a date")


def to_moment(cell: Cell) -> str:
    """A moment in RFC 3339 form; without an offset it is Viet Nam's, without a time its midnight.

    Raises:
        CellError: for anything else.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if _WITH_OFFSET.fullmatch(text):
            return f"{text[:10]}T{text[11:]}"
        found = _LOCAL.fullmatch(text)
        if found is not None:
            return datetime.combine(_day_of(found), _time_of(found), LOCAL_ZONE).isoformat()
    raise CellError(
        "must be a moment; write 2026-11-22T08:30:00+07:00, 2026-11-22 08:30 or "
        "22/11/2026 08:30, or format the column as a date with a time"
    )


def _day_of(found: re.Match[str]) -> date:
    year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise CellError(
            "names no day of the calendar; the day comes before the month in 17/05/1990"
        ) from None


def _time_of(found: re.Match[str]) -> time:
    hour, minute, second = (int(part or 0) for part in found.group(7, 8, 9))
    microsecond = int((found[10] or "").ljust(6, "0"))
    try:
        return time(hour, minute, second, microsecond)
    except ValueError:
        raise CellError("names no time of the day; write for example 08:30") from None


_READERS: Final[Mapping[str, Callable[[Cell], Any]]] = MappingProxyType(
    {"boolean": to_boolean, "integer": to_integer, "number": to_number, "string": to_text}
)


def reader_of(schema: Mapping[str, Any]) -> Callable[[Cell], Any]:
    """What reads the cells of a field with this JSON Schema."""
    kinds = [schema, *schema.get("anyOf", ())]
    kind = next(one for one in kinds if one.get("type", "null") != "null")
    if kind.get("format") == "date":
        return to_day
    if kind.get("pattern") == "^[0-9]{5}$":
        return to_code
    return _READERS[kind["type"]]


def is_nullable(schema: Mapping[str, Any]) -> bool:
    """Whether the field may be null."""
    return any(one.get("type") == "null" for one in schema.get("anyOf", ()))
