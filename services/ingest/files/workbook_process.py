"""The program that opens one workbook from standard input and writes its rows to standard output.

It bounds itself first, so that whatever the workbook unfolds to ends here. Values alone are read:
of a formula its last result. One line of JSON a row that is not blank. Arguments: bytes of memory,
seconds of processor time, the sheet's name (empty: the first sheet).
"""

import contextlib
import json
import resource
import sys
from datetime import date, datetime, timedelta
from typing import Any

import python_calamine

_LARGEST_WHOLE = 2**53
_MOST_COLUMNS = 256


def _bound(memory: int, seconds: int) -> None:
    # A core file would hold what the workbook holds.
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        # Not every system knows every limit.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))


def _say(**told: Any) -> None:
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


def _cell(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _LARGEST_WHOLE else value
    if isinstance(value, datetime):
        # A workbook counts days as a fraction: milliseconds are what it keeps of them.
        nearest = value + timedelta(microseconds=500)
        return nearest.replace(microsecond=nearest.microsecond // 1000 * 1000).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int) else str(value)


def _read(name: str) -> None:
    with python_calamine.CalamineWorkbook.from_filelike(sys.stdin.buffer) as workbook:
        sheets = workbook.sheet_names
        if name and name not in sheets:
            _say(refused=f"the workbook has no sheet {name}; it has {', '.join(sheets)}")
            return
        sheet = workbook.get_sheet_by_name(name) if name else workbook.get_sheet_by_index(0)
        columns = sheet.end[1] + 1 if sheet.end else 0
        if columns > _MOST_COLUMNS:
            _say(
                refused=f"the sheet is {columns} columns wide, of which "
                f"{_MOST_COLUMNS} are read; delete stray cells far from the table"
            )
            return
        for number, values in enumerate(sheet.iter_rows(), start=1):
            cells = [_cell(value) for value in values]
            if any(cell not in ("", None) for cell in cells):
                _say(row=number, cells=cells)
        _say(end=True)


def _main() -> None:
    memory, seconds, sheet = sys.argv[1:]
    _bound(int(memory), int(seconds))
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        _read(sheet)
    except python_calamine.PasswordError:
        _say(refused="the workbook has a password; save it without")
    except MemoryError:
        return
    except (python_calamine.CalamineError, IndexError, OSError):
        _say(refused="this is no .xlsx workbook, or a damaged one; open it and save it anew")


if __name__ == "__main__":
    _main()
