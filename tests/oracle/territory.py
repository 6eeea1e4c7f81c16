"""Units and codes, read from the two CSV files of the reference data and nothing else."""

import csv
from datetime import date
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parents[2] / "contracts" / "data"


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Territory:
    """Which unit a code meant on a day, and which unit stands for it today."""

    def __init__(self, today: date) -> None:
        self._areas = _rows("areas.csv")
        self._lineage = _rows("area_lineage.csv")
        self._today = today
        now = [area for area in self._areas if _valid(area, today)]
        self.communes = [area["area_id"] for area in now if area["level"] == "commune"]
        (self.province,) = (area["area_id"] for area in now if area["level"] == "province")
        self._located: dict[tuple[str, date], str] = {}

    def unit(self, code: str, day: date) -> str:
        """The commune of today in which one lives whom an event of that day put under `code`."""
        if (code, day) not in self._located:
            (then,) = (
                area["area_id"]
                for area in self._areas
                if area["level"] == "commune" and area["code"] == code and _valid(area, day)
            )
            self._located[code, day] = self._successor(then)
        return self._located[code, day]

    def _successor(self, area_id: str) -> str:
        for row in self._lineage:
            begun = date.fromisoformat(row["effective_on"]) <= self._today
            if row["from_area_id"] == area_id and begun:
                return self._successor(row["to_area_id"])
        return area_id


def _valid(area: dict[str, str], day: date) -> bool:
    begins, ends = area["valid_from"], area["valid_to"]
    return (not begins or date.fromisoformat(begins) <= day) and (
        not ends or day <= date.fromisoformat(ends)
    )
