"""Read units and lineage from the two CSV files of a folder."""

import csv
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, TypeVar

from contracts.areas.checking import AreasError
from contracts.areas.model import Areas
from contracts.areas.unit import LEVELS, Area, Succession

AREAS_FILE: Final = "areas.csv"
LINEAGE_FILE: Final = "area_lineage.csv"

_YES_NO: Final = {"": None, "yes": True, "no": False}

Row = TypeVar("Row")


def load(folder: Path | None = None) -> Areas:
    """The units of a folder with both files, or those that ship with the contract.

    These are Yên Bái and Lào Cai before and after 1 July 2025. What was read is kept.

    Raises:
        AreasError: a file cannot be used; the message says which, where and why.
    """
    return _shipped() if folder is None else _of_folder(folder)


@cache
def _shipped() -> Areas:
    with resources.as_file(resources.files("contracts") / "data") as folder:
        return _of_folder(folder)


@cache
def _of_folder(folder: Path) -> Areas:
    return read(folder / AREAS_FILE, folder / LINEAGE_FILE)


def read(areas_csv: Path, lineage_csv: Path) -> Areas:
    """Read units and lineage from two CSV files.

    Raises:
        AreasError: a file cannot be read, a row is malformed, or the whole does not hold together.
    """
    units, lineage = rows(areas_csv, lineage_csv)
    try:
        return Areas(units, lineage)
    except AreasError as error:
        raise AreasError(f"{areas_csv} and {lineage_csv.name}: {error}") from None


def rows(areas_csv: Path, lineage_csv: Path) -> tuple[list[Area], list[Succession]]:
    """The rows of both files as they stand, whether they hold together or not.

    Raises:
        AreasError: a file cannot be read or a row is malformed.
    """
    return list(_rows(areas_csv, _area)), list(_rows(lineage_csv, _succession))


def _rows(path: Path, form: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                try:
                    yield form(_whole(row))
                except KeyError as error:
                    raise AreasError(f"{path} has no column {error}; add it") from None
                except ValueError as error:
                    raise AreasError(f"{path}, line {reader.line_num}: {error}") from None
    except OSError as error:
        raise AreasError(
            f"cannot read {path}: {error.strerror}; check the path and that it may be read"
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise AreasError(f"{path} is no CSV file in UTF-8: {error}") from None


def _whole(row: dict[str, str]) -> dict[str, str]:
    """The row, unless the reader had to fill it up or had fields left over."""
    if None in row or None in row.values():
        raise ValueError("it has more or fewer fields than the heading")
    return row


def _area(row: dict[str, str]) -> Area:
    for level in LEVELS:
        if row["level"] == level:
            break
    else:
        raise ValueError(f"area {row['area_id']} has an unknown level {row['level']}")
    return Area(
        area_id=row["area_id"],
        code=row["code"],
        name=row["name"],
        level=level,
        parent_id=row["parent_id"] or None,
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        latitude=_float(row["latitude"]),
        longitude=_float(row["longitude"]),
        area_km2=_float(row["area_km2"]),
    )


def _succession(row: dict[str, str]) -> Succession:
    takes = row.get("takes_residents", "").strip().lower()
    if takes not in _YES_NO:
        raise ValueError(f"takes_residents is {takes!r}; say yes, no or nothing")
    return Succession(
        row["from_area_id"],
        row["to_area_id"],
        date.fromisoformat(row["effective_on"]),
        int(row["from_parts"]),
        _YES_NO[takes],
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _float(text: str) -> float | None:
    return float(text) if text else None
