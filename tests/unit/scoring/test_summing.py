"""Sums of units as arrays, against plain sums in a tree of any form."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contracts.areas import Area, Areas, Level
from contracts.catalogue import load
from services.scoring.summing import Known, Summing

CATALOGUE = load()
BIT_OF = {one.id: one.bit or 0 for one in CATALOGUE.counted}
IDS = list(BIT_OF)
PROVINCES = ["now:01", "now:02"]
DISTRICTS = [f"now:1{number}" for number in range(4)]
COMMUNES = [f"now:0000{number}" for number in range(8)]
UNITS = [*PROVINCES, *DISTRICTS, *COMMUNES]

Pair = tuple[str, str]
#: Unit → what it is right below.
TREES = st.fixed_dictionaries(
    {unit: st.sampled_from(PROVINCES) for unit in DISTRICTS}
    | {unit: st.sampled_from(PROVINCES + DISTRICTS) for unit in COMMUNES}
)
PAIRS = st.tuples(st.sampled_from(UNITS), st.sampled_from(IDS))
COUNTS = st.dictionaries(PAIRS, st.tuples(st.integers(0, 2**40), st.integers(0, 2**40)))


def a_tree(parents: Mapping[str, str]) -> Areas:
    def area(unit: str, level: Level) -> Area:
        rest: tuple[Any, ...] = (parents.get(unit), None, None, None, None, None)
        return Area(unit, unit.removeprefix("now:"), "invented", level, *rest)

    units = [
        *(area(unit, "province") for unit in PROVINCES),
        *(area(unit, "district") for unit in DISTRICTS),
        *(area(unit, "commune") for unit in COMMUNES),
    ]
    return Areas(units, [])


def sent(values: Sequence[int]) -> bytes:
    """An array of bigint as PostgreSQL sends it."""
    if not values:
        return struct.pack(">iii", 0, 0, 20)
    elements = (struct.pack(">iq", 8, value) for value in values)
    return struct.pack(">iiiii", 1, 0, 20, len(values), 1) + b"".join(elements)


def counters(counts: dict[Pair, tuple[int, int]], length: int) -> list[tuple[str, bytes, bytes]]:
    """The arrays of a shard, cut behind the last one that is not 0 and filled up to a length."""
    rows = []
    for unit in UNITS:
        sides = [
            {BIT_OF[one]: count[side] for (area, one), count in counts.items() if area == unit}
            for side in (0, 1)
        ]
        width = max([length, *(bit + 1 for bit in sides[0])])
        tops, belows = (sent([side.get(bit, 0) for bit in range(width)]) for side in sides)
        rows.append((unit, tops, belows))
    return rows


def known(figures: dict[Pair, tuple[int, int]]) -> Known:
    return Known(
        [area for area, _ in figures],
        [indicator for _, indicator in figures],
        sent([top for top, _ in figures.values()]),
        sent([below for _, below in figures.values()]),
    )


@given(
    parents=TREES,
    before=COUNTS,
    shards=st.lists(st.tuples(COUNTS, st.integers(0, 63)), max_size=3),
    batches=st.lists(COUNTS, min_size=1, max_size=2),
)
def test_sums(
    parents: Mapping[str, str],
    before: dict[Pair, tuple[int, int]],
    shards: list[tuple[dict[Pair, tuple[int, int]], int]],
    batches: list[dict[Pair, tuple[int, int]]],
) -> None:
    areas = a_tree(parents)
    summing = Summing(areas, CATALOGUE)
    masks: dict[str, int] = {}
    for area, indicator in {pair for batch in batches for pair in batch}:
        # Bit 62 belongs to no indicator.
        masks[area] = masks.get(area, 1 << 62) | 1 << BIT_OF[indicator]
    wanted = summing.upward([(list(masks), list(masks.values())), (["now:00003"], [1 << 62])])
    touched = {
        (unit, one)
        for area, mask in masks.items()
        for unit in areas.lineage_upward(area)
        for one in IDS
        if mask & 1 << BIT_OF[one]
    }
    assert touched == {
        (unit, one) for unit, mask in wanted.items() for one in IDS if mask & 1 << BIT_OF[one]
    }
    if not wanted:
        return

    figures = dict(before)

    def plain(unit: str, indicator: str) -> tuple[int, int]:
        """What a unit has itself, and what those below it have."""
        if (unit, indicator) not in touched:
            return figures.get((unit, indicator), (0, 0))
        parts = [counts.get((unit, indicator), (0, 0)) for counts, _ in shards]
        parts += [plain(child.area_id, indicator) for child in areas.children(unit)]
        return sum(top for top, _ in parts), sum(below for _, below in parts)

    needed = summing.parts(wanted)
    rows = [
        row for counts, length in shards for row in counters(counts, length) if row[0] in wanted
    ]
    own = summing.own(wanted)
    own.add(rows[:1])
    own.add(rows[1:])
    found = summing.changes(
        wanted, own, known({pair: one for pair, one in before.items() if pair[0] in needed})
    )
    changed = {
        (area, indicator): (top, below)
        for area, indicator, top, below in zip(
            found.area_ids, found.indicators, found.numerators, found.denominators, strict=True
        )
    }
    expected = {pair: plain(*pair) for pair in touched}
    assert changed == {
        pair: one for pair, one in expected.items() if one != before.get(pair, (0, 0))
    }
