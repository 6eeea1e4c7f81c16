"""A figure day by day: of one unit, and of one that has taken over others."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts import areas
from contracts.areas import Area, Areas, Level, Succession
from services.scoring.core.series import Part, Point, daily, parts

DAY = timedelta(days=1)
REFORM = date(2025, 7, 1)
EVE = REFORM - DAY
SHIPPED = areas.load()
LAO_CAI, PROVINCE = "2025:02647", "2025:15"
LATE = datetime(2025, 7, 9, 3, tzinfo=UTC)


WHOLE, ONE, TWO, THREE, FOUR = "a:01", "a:00001", "a:00002", "a:00003", "a:00004"


def area(area_id: str, first: date | None = None, last: date | None = None) -> Area:
    level: Level = "province" if area_id == WHOLE else "commune"
    parent = None if area_id == WHOLE else WHOLE
    code = area_id.removeprefix("a:")
    return Area(area_id, code, area_id, level, parent, first, last, None, None, None)


#: One is split at the reform, its residents go to two; two and three then merge into four.
MERGER = date(2026, 1, 1)
INVENTED = Areas(
    [
        area(WHOLE),
        area(ONE, last=EVE),
        area(TWO, first=REFORM, last=MERGER - DAY),
        area(THREE, first=REFORM, last=MERGER - DAY),
        area(FOUR, first=MERGER),
    ],
    [
        Succession(ONE, TWO, REFORM, 2, takes_residents=True),
        Succession(ONE, THREE, REFORM, 2, takes_residents=False),
        Succession(TWO, FOUR, MERGER, 1),
        Succession(THREE, FOUR, MERGER, 1),
    ],
)

FIGURES = {
    ONE: [Point(EVE - DAY, 1, 10), Point(REFORM, 0, 0)],
    TWO: [Point(REFORM, 3, 11), Point(MERGER, 0, 0)],
    THREE: [Point(REFORM, 2, 2), Point(MERGER, 0, 0)],
    FOUR: [Point(MERGER, 6, 14)],
}


def read(
    of: str, tree: date | None, first: date, last: date, stored: dict[str, list[Point]] = FIGURES
) -> list[tuple[date, int | None, int | None, bool]]:
    of_parts = parts(INVENTED, INVENTED[of], tree)
    return [
        (point.day, point.numerator, point.denominator, point.is_carried)
        for point in daily(of_parts, stored, first, last)
    ]


@pytest.mark.parametrize(
    ("of", "since"), [(ONE, EVE - DAY), (TWO, REFORM), (THREE, REFORM), (FOUR, MERGER)]
)
def test_as_it_was_a_series_begins_with_the_unit(of: str, since: date) -> None:
    found = read(of, None, EVE - 3 * DAY, MERGER + DAY)
    assert found[0][0] == since
    assert not any(carried for *_, carried in found)


def test_carried_figures_are_the_sum_of_the_units_of_their_day() -> None:
    """All of a split unit goes to the successor that takes its residents."""
    found = read(FOUR, MERGER, EVE - DAY, MERGER)
    assert found[:3] == [(EVE - DAY, 1, 10, True), (EVE, 1, 10, True), (REFORM, 5, 13, True)]
    assert found[-2:] == [(MERGER - DAY, 5, 13, True), (MERGER, 6, 14, False)]
    assert read(TWO, MERGER - DAY, EVE, REFORM) == [(EVE, 1, 10, True), (REFORM, 3, 11, False)]
    assert read(THREE, MERGER, EVE, REFORM) == [(REFORM, 2, 2, False)]


def test_a_tree_of_an_earlier_day_carries_less() -> None:
    assert read(FOUR, MERGER - DAY, EVE, MERGER) == [(MERGER, 6, 14, False)]
    assert read(TWO, EVE, EVE, REFORM) == [(REFORM, 3, 11, False)]


@pytest.mark.parametrize("tree", [None, MERGER])
def test_what_still_stands_under_the_old_name_is_the_successors(tree: date | None) -> None:
    """The service was down over the merger: for two days nothing had moved."""
    moved = MERGER + 2 * DAY
    stored = {
        TWO: [Point(REFORM, 3, 11), Point(moved, 0, 0)],
        THREE: [Point(REFORM, 2, 2), Point(moved, 0, 0)],
        FOUR: [Point(moved, 6, 14)],
    }
    assert read(FOUR, tree, MERGER, moved, stored) == [
        (MERGER, 5, 13, False),
        (MERGER + DAY, 5, 13, False),
        (moved, 6, 14, False),
    ]


def test_a_chain_is_the_successors_one_link_after_the_other() -> None:
    """What was left under the first name is the second's until that one ends."""
    assert parts(INVENTED, INVENTED[FOUR], None) == [
        Part(FOUR, MERGER),
        Part(ONE, MERGER),
        Part(TWO, MERGER),
        Part(THREE, MERGER),
    ]
    assert parts(INVENTED, INVENTED[TWO], None) == [Part(TWO, REFORM), Part(ONE, REFORM)]


def test_a_unit_that_takes_over_twice() -> None:
    later = MERGER + 10 * DAY
    twice = Areas(
        [
            area(WHOLE),
            area(ONE, last=EVE),
            area(TWO),
            area(THREE, last=later - DAY),
        ],
        [Succession(ONE, TWO, REFORM, 1), Succession(THREE, TWO, later, 1)],
    )
    assert parts(twice, twice[TWO], None) == [
        Part(TWO, date.min),
        Part(ONE, REFORM),
        Part(THREE, later),
    ]


def test_the_reform_of_2025() -> None:
    of_parts = parts(SHIPPED, SHIPPED[LAO_CAI], REFORM)
    former = {part.area_id for part in of_parts} - {LAO_CAI}
    assert "legacy:02647" in former  # the code is the same, the unit is not
    assert former == {one.from_area_id for one in SHIPPED.lineage if one.to_area_id == LAO_CAI}
    assert {part.last for part in of_parts[1:]} == {EVE}
    assert {part.area_id for part in parts(SHIPPED, SHIPPED[PROVINCE], REFORM)} == {
        PROVINCE,
        "legacy:10",
        "legacy:15",
    }


def test_the_reform_leaves_the_province_what_its_units_are() -> None:
    """On the old tree and carried to the new one, all communes come to the same sum each day."""
    old = [one for one in SHIPPED.on(EVE) if one.level == "commune"]
    new = [one for one in SHIPPED.on(REFORM) if one.level == "commune"]
    stored = {one.area_id: [Point(EVE, place, 100 + place)] for place, one in enumerate(old)}
    total = sum(range(len(old))), 100 * len(old) + sum(range(len(old)))
    carried = [
        point for one in new for point in daily(parts(SHIPPED, one, REFORM), stored, EVE, EVE)
    ]
    assert sum(point.numerator or 0 for point in carried) == total[0]
    assert sum(point.denominator or 0 for point in carried) == total[1]


def test_days_without_a_point_read_as_the_day_before_with_its_mark() -> None:
    stored = {WHOLE: [Point(REFORM, 1, 2, restated_at=LATE), Point(REFORM + 2 * DAY, 2, 2)]}
    found = daily([Part(WHOLE, date.min)], stored, EVE, REFORM + 3 * DAY)
    assert [(point.day, point.restated_at) for point in found] == [
        (REFORM, LATE),
        (REFORM + DAY, LATE),
        (REFORM + 2 * DAY, None),
        (REFORM + 3 * DAY, None),
    ]


def test_a_sum_bears_the_latest_mark_of_its_parts() -> None:
    one, other = Part(ONE, date.min, EVE), Part(TWO, date.min)
    stored = {
        ONE: [Point(EVE, 1, 2, restated_at=LATE)],
        TWO: [Point(EVE, 1, 2, restated_at=LATE + DAY)],
    }
    (found,) = daily([one, other], stored, EVE, EVE)
    assert found == Point(EVE, 2, 4, restated_at=LATE + DAY, is_carried=True)
    (quantity,) = daily([other], {TWO: [replace(found, numerator=None)]}, EVE, EVE)
    assert quantity.numerator is None
