"""An invented reform of the real units: a merger, a split, a renaming and a code used again.

On the day of the reform

- Phường Cam Đường and Xã Hợp Thành merge into a new Phường Cam Đường, with the new code 02672;
- Phường Lào Cai is split: the new Phường Lào Cai keeps the code 02647 and takes the residents, the
  new Phường Kim Tân bears 02680, which was Xã Hợp Thành's;
- Phường Yên Bái is renamed Phường Nguyễn Thái Học and keeps the code 04252.
"""

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from contracts.areas import AREAS_FILE, LINEAGE_FILE, Area, Areas, Succession, load

PROVINCE: Final = "2025:15"
DAY: Final = date(2027, 1, 1)

CAM_DUONG, HOP_THANH, LAO_CAI, YEN_BAI = "2025:02671", "2025:02680", "2025:02647", "2025:04252"
NEW_CAM_DUONG, NEW_LAO_CAI, KIM_TAN, NGUYEN_THAI_HOC = (
    "2027:02672",
    "2027:02647",
    "2027:02680",
    "2027:04252",
)

_NEW: Final = {
    NEW_CAM_DUONG: "Phường Cam Đường",
    NEW_LAO_CAI: "Phường Lào Cai",
    KIM_TAN: "Phường Kim Tân",
    NGUYEN_THAI_HOC: "Phường Nguyễn Thái Học",
}


def rows(day: date = DAY) -> tuple[list[Area], list[Succession]]:
    """The rows of both files after the reform."""
    shipped = load()
    ended = {CAM_DUONG, HOP_THANH, LAO_CAI, YEN_BAI}
    units = [
        replace(area, valid_to=day - timedelta(days=1)) if area.area_id in ended else area
        for area in shipped
    ]
    for area_id, name in _NEW.items():
        code = area_id.partition(":")[2]
        units.append(Area(area_id, code, name, "commune", PROVINCE, day, None, None, None, None))
    lineage = [
        *shipped.lineage,
        Succession(CAM_DUONG, NEW_CAM_DUONG, day, 1),
        Succession(HOP_THANH, NEW_CAM_DUONG, day, 1),
        Succession(LAO_CAI, NEW_LAO_CAI, day, 2, takes_residents=True),
        Succession(LAO_CAI, KIM_TAN, day, 2, takes_residents=False),
        Succession(YEN_BAI, NGUYEN_THAI_HOC, day, 1),
    ]
    return units, lineage


def reformed(day: date = DAY) -> Areas:
    """All units, with the reform on that day."""
    return Areas(*rows(day))


def write(folder: Path, units: list[Area], lineage: list[Succession]) -> Path:
    """Write both files as a province would keep them; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = tuple(Area.__dataclass_fields__)
    with (folder / AREAS_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([getattr(area, column) for column in columns] for area in units)
    said = {None: "", True: "yes", False: "no"}
    with (folder / LINEAGE_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Succession.__dataclass_fields__)
        writer.writerows(
            [
                one.from_area_id,
                one.to_area_id,
                one.effective_on,
                one.from_parts,
                said[one.takes_residents],
            ]
            for one in lineage
        )
    return folder
