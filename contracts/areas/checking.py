"""Refuses units and lineage under which a subject would count nowhere, twice or by chance."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from contracts.areas.unit import LEVELS, Area, Succession

#: So many problems stand in one message.
_NAMED: Final = 5

_AREA_ID: Final = re.compile(r"[A-Za-z0-9._-]+:[A-Za-z0-9._-]+")
_COMMUNE_CODE: Final = re.compile(r"[0-9]{5}")
_DAY: Final = timedelta(days=1)

#: The successions of each unit that ends in them.
_Takers = Mapping[str, Sequence[Succession]]


class AreasError(ValueError):
    """Units or lineage that cannot be used; the message says which and what is wrong."""


def check(areas: Sequence[Area], lineage: Sequence[Succession]) -> None:
    """Check that the data hold together.

    Raises:
        AreasError: naming the first few problems.
    """
    found = problems(areas, lineage)
    if found:
        more = [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        raise AreasError("; ".join(found[:_NAMED] + more))


def problems(areas: Sequence[Area], lineage: Sequence[Succession]) -> list[str]:
    """Everything that is wrong, a sentence each."""
    by_id = {area.area_id: area for area in areas}
    takers: dict[str, list[Succession]] = defaultdict(list)
    for succession in lineage:
        takers[succession.from_area_id].append(succession)
    # What names units that are not there, or runs in a circle, cannot be looked at any further.
    return [*_names(areas), *_references(by_id, lineage)] or [
        *_circles(by_id, takers),
        *_places(by_id),
        *_codes(areas),
        *_successions(by_id, takers),
        *_ends(areas, takers),
    ]


def _names(areas: Sequence[Area]) -> Iterator[str]:
    for area_id, times in Counter(area.area_id for area in areas).items():
        if times > 1:
            yield (
                f"two units are called {area_id}; an id names one unit for ever, "
                "give the new one an id of its own"
            )
    for area in areas:
        if not _AREA_ID.fullmatch(area.area_id) or area.area_id.partition(":")[2] != area.code:
            yield f"the id of area {area.area_id} must be <code system>:{area.code}"
        if area.level == "commune" and not _COMMUNE_CODE.fullmatch(area.code):
            yield f"the code of commune {area.area_id} must have five digits"


def _references(by_id: Mapping[str, Area], lineage: Sequence[Succession]) -> Iterator[str]:
    for area in by_id.values():
        if area.parent_id is not None and area.parent_id not in by_id:
            yield f"area {area.area_id} has an unknown parent {area.parent_id}"
    named = {one.from_area_id: None for one in lineage} | {one.to_area_id: None for one in lineage}
    for area_id in named:
        if area_id not in by_id:
            yield f"the lineage names an unknown area {area_id}"


def _circles(by_id: Mapping[str, Area], takers: _Takers) -> Iterator[str]:
    def parents(area_id: str) -> list[str]:
        parent_id = by_id[area_id].parent_id
        return [] if parent_id is None else [parent_id]

    def heirs(area_id: str) -> list[str]:
        return [succession.to_area_id for succession in takers.get(area_id, ())]

    yield from _returning(by_id, parents, "chain of parents")
    yield from _returning(by_id, heirs, "lineage")


def _returning(
    area_ids: Iterable[str], after: Callable[[str], Iterable[str]], what: str
) -> Iterator[str]:
    for start in area_ids:
        ahead, seen = list(after(start)), set[str]()
        while ahead:
            area_id = ahead.pop()
            if area_id == start:
                yield f"the {what} of area {start} runs in a circle"
                break
            if area_id not in seen:
                seen.add(area_id)
                ahead.extend(after(area_id))


def _places(by_id: Mapping[str, Area]) -> Iterator[str]:
    """A unit exists at some time, and all that time below one of a higher level that exists."""
    for area in by_id.values():
        if _first(area) > _last(area):
            yield f"area {area.area_id} ends on {area.valid_to}, before it begins"
        if area.parent_id is None:
            if area.level != "province":
                yield f"the {area.level} {area.area_id} has no parent; only a province has none"
            continue
        parent = by_id[area.parent_id]
        if LEVELS.index(parent.level) >= LEVELS.index(area.level):
            yield f"the {area.level} {area.area_id} cannot lie in the {parent.level} {parent.area_id}"
        if _first(area) < _first(parent) or _last(area) > _last(parent):
            yield (
                f"area {area.area_id} exists on days on which its parent {parent.area_id} does not; "
                "end it with its parent and let another take over"
            )


def _codes(areas: Sequence[Area]) -> Iterator[str]:
    """No code names two units of one level on one day."""
    bearers: dict[tuple[str, str], list[Area]] = defaultdict(list)
    for area in areas:
        bearers[area.level, area.code].append(area)
    for (level, code), bearing in bearers.items():
        for before, after in pairwise(sorted(bearing, key=_first)):
            if _first(after) <= _last(before):
                yield (
                    f"the {level} code {code} names {before.area_id} and {after.area_id} "
                    f"on {max(_first(after), _first(before))}; end the one before the other begins"
                )


def _successions(by_id: Mapping[str, Area], takers: _Takers) -> Iterator[str]:
    for area_id, successions in takers.items():
        yield from _parts(area_id, successions)
        area = by_id[area_id]
        for succession in successions:
            day, heir = succession.effective_on, by_id[succession.to_area_id]
            if area.level != heir.level:
                yield f"the {area.level} {area_id} cannot go to the {heir.level} {heir.area_id}"
            if not heir.is_valid(day):
                yield f"area {heir.area_id} takes over {area_id} on {day}, but does not exist then"
            if area.valid_to != day - _DAY:
                yield (
                    f"area {area_id} is taken over on {day}, so its last day (valid_to) must be "
                    f"{day - _DAY}, not {area.valid_to or 'open'}"
                )


def _parts(area_id: str, successions: Sequence[Succession]) -> Iterator[str]:
    """One day, one number of parts, each named once, and exactly one that takes the residents."""
    if len({(one.effective_on, one.from_parts) for one in successions}) > 1:
        yield f"the successors of area {area_id} must share effective_on and from_parts"
        return
    parts = successions[0].from_parts
    names = ", ".join(one.to_area_id for one in successions)
    if parts < 1 or len({one.to_area_id for one in successions}) < len(successions):
        yield f"area {area_id} is cut into {parts} parts, for {names}; name each successor once"
    elif len(successions) > parts:
        yield f"area {area_id} was split into {names}, more than {parts} parts; correct from_parts"
    elif (heirs := sum(one.inherits for one in successions)) != 1:
        yield (
            f"area {area_id} was split into {names} ({parts} parts), and {heirs or 'none'} of them "
            "take its residents; say takes_residents yes for exactly one"
        )


def _ends(areas: Sequence[Area], takers: _Takers) -> Iterator[str]:
    """Subjects count in communes: one that ends without a successor would lose them."""
    for area in areas:
        if area.level == "commune" and area.valid_to is not None and area.area_id not in takers:
            yield (
                f"commune {area.area_id} ends on {area.valid_to} without a successor; "
                "its residents would count nowhere: name one in the lineage"
            )


def _first(area: Area) -> date:
    return area.valid_from or date.min


def _last(area: Area) -> date:
    return area.valid_to or date.max
