"""Units by code and day, many at a time: what `Areas` says of each."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.areas import Areas
from services.scoring.core.conditions import NEVER
from services.scoring.core.territory import NOWHERE, Territory
from tests.unit.scoring.saying import AREAS, RULES, bearer

TERRITORY = RULES.territory
CODES = sorted({int(area.code) for area in AREAS if area.level == "commune"})
REFORM = date(2025, 7, 1)

_DAYS = st.one_of(
    st.dates(),
    st.dates(date(2025, 6, 28), date(2025, 7, 3)),
    st.sampled_from([date.min, date.max, REFORM]),
)
_PLACES = st.tuples(st.sampled_from(CODES) | st.integers(0, 99_999), _DAYS)


def plainly(areas: Areas, code: int, day: date, today: date) -> tuple[str | None, int]:
    commune = bearer(areas, f"{code:05d}", day)
    if commune is None:
        return None, NEVER
    reform = areas.next_succession(commune.area_id, today)
    stands = areas.current(commune.area_id, today)
    return stands, NEVER if reform is None else reform.toordinal()


@settings(deadline=None, max_examples=300)
@given(st.lists(_PLACES, max_size=20), _DAYS)
def test_units_stand_as_areas_say(places: list[tuple[int, date]], today: date) -> None:
    codes = np.array([code for code, _ in places], np.int64)
    days = np.array([day.toordinal() for _, day in places], np.int64)
    found, reforms = TERRITORY.stand(codes, days, today.toordinal())
    names = [None if at == NOWHERE else TERRITORY.area_ids[at] for at in found.tolist()]
    assert list(zip(names, reforms.tolist(), strict=True)) == [
        plainly(AREAS, code, day, today) for code, day in places
    ]


def test_every_commune_on_its_days_and_beside_them() -> None:
    for area in AREAS:
        if area.level != "commune":
            continue
        edges = {
            date.fromordinal(day.toordinal() + step)
            for day in (area.valid_from, area.valid_to)
            if day is not None
            for step in (-1, 0, 1)
        }
        days = sorted({date(2025, 1, 1), date(2026, 1, 1)} | edges)
        codes = np.full(len(days), int(area.code), np.int64)
        found = TERRITORY.communes(codes, np.array([day.toordinal() for day in days]))
        for day, at in zip(days, found.tolist(), strict=True):
            expected = bearer(AREAS, area.code, day)
            name = None if at == NOWHERE else TERRITORY.area_ids[at]
            assert name == (None if expected is None else expected.area_id)


def test_places_and_names_are_the_same_units() -> None:
    assert len(TERRITORY.area_ids) == len(list(AREAS))
    assert all(TERRITORY.area_ids[at] == name for name, at in TERRITORY.place_of.items())


def test_where_there_is_no_unit_at_all_nobody_stands_anywhere() -> None:
    nowhere = Territory(Areas([], []))
    found, reforms = nowhere.stand(np.array([2647]), np.array([739_000]), 739_000)
    assert (found.tolist(), reforms.tolist()) == ([NOWHERE], [NEVER])
