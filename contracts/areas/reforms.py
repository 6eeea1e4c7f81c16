"""What new units would change: merged, split, renamed, founded, ended, and codes used again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from contracts.areas.unit import Area, Succession

_DAY: Final = timedelta(days=1)


class Kind(StrEnum):
    """What happens to units on a day."""

    MERGED = "merged"
    SPLIT = "split"
    RENAMED = "renamed"
    FOUNDED = "founded"
    REUSED = "code reused"
    ENDED = "without successor"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `before` become `after` on the day `on` (None: it is no reform).

    `heir` is the successor of a split that takes the residents, None without exactly one.
    """

    on: date | None
    kind: Kind
    before: tuple[Area, ...] = ()
    after: tuple[Area, ...] = ()
    heir: Area | None = None
    note: str = ""


def changes(
    present: Iterable[Area],
    present_lineage: Iterable[Succession],
    areas: Sequence[Area],
    lineage: Sequence[Succession],
) -> list[Change]:
    """What the new units change against the present ones, by day.

    The new ones need not hold together; what the lineage calls by an unknown id is left out.
    """
    known, known_lineage = {area.area_id: area for area in present}, set(present_lineage)
    by_id = {area.area_id: area for area in areas}
    fresh = [
        one
        for one in lineage
        if one not in known_lineage and one.from_area_id in by_id and one.to_area_id in by_id
    ]
    found = [
        *_succeeding(by_id, fresh),
        *_founded(known, by_id, lineage),
        *_ended(known, by_id, lineage),
        *_reused(known, by_id, lineage),
        *_corrected(known, by_id),
    ]
    order = list(Kind)
    return sorted(
        found,
        key=lambda one: (
            one.on or date.min,
            order.index(one.kind),
            [area.area_id for area in one.before + one.after],
        ),
    )


def rewritten(present: Iterable[Area], areas: Sequence[Area]) -> Iterator[str]:
    """What the new units say of the past that the present ones do not, a sentence each.

    Events and figures bear the codes and ids of their day for ever, so a unit is ended, never
    removed, and gets a successor where it changes.
    """
    by_id = {area.area_id: area for area in areas}
    for was in present:
        now = by_id.get(was.area_id)
        if now is None:
            yield f"area {was.area_id} is missing; units are ended with valid_to, never removed"
            continue
        for field in ("code", "level", "parent_id", "valid_from"):
            before, after = getattr(was, field), getattr(now, field)
            if before != after:
                yield (
                    f"area {was.area_id} has the {field} {after or 'open'} in place of "
                    f"{before or 'open'}; end it, and let a unit with an id of its own take over"
                )


def _succeeding(by_id: Mapping[str, Area], fresh: Sequence[Succession]) -> Iterator[Change]:
    split: dict[str, list[Succession]] = defaultdict(list)
    whole: dict[tuple[date, str], list[Succession]] = defaultdict(list)
    for one in fresh:
        if one.from_parts == 1:
            whole[one.effective_on, one.to_area_id].append(one)
        else:
            split[one.from_area_id].append(one)
    for area_id, parts in split.items():
        heirs = [by_id[one.to_area_id] for one in parts if one.inherits]
        yield Change(
            parts[0].effective_on,
            Kind.SPLIT,
            (by_id[area_id],),
            tuple(by_id[one.to_area_id] for one in parts),
            heirs[0] if len(heirs) == 1 else None,
            "" if len(parts) == parts[0].from_parts else f"{parts[0].from_parts} parts",
        )
    taking = {one.to_area_id for parts in split.values() for one in parts}
    for (day, area_id), taken in whole.items():
        after = by_id[area_id]
        alone = len(taken) == 1 and area_id not in taking and after.valid_from == day
        yield Change(
            day,
            Kind.RENAMED if alone else Kind.MERGED,
            tuple(by_id[one.from_area_id] for one in taken),
            (after,),
            after,
            "" if alone or after.valid_from == day else "it goes on, and takes them in",
        )


def _founded(
    known: Mapping[str, Area], by_id: Mapping[str, Area], lineage: Sequence[Succession]
) -> Iterator[Change]:
    taking = {one.to_area_id for one in lineage}
    for area in by_id.values():
        if area.area_id not in known and area.area_id not in taking:
            yield Change(area.valid_from, Kind.FOUNDED, after=(area,))


def _ended(
    known: Mapping[str, Area], by_id: Mapping[str, Area], lineage: Sequence[Succession]
) -> Iterator[Change]:
    succeeded = {one.from_area_id for one in lineage}
    for area in by_id.values():
        was = known.get(area.area_id)
        news = was is None or was.valid_to != area.valid_to
        if area.valid_to is not None and news and area.area_id not in succeeded:
            yield Change(area.valid_to + _DAY, Kind.ENDED, before=(area,))


def _reused(
    known: Mapping[str, Area], by_id: Mapping[str, Area], lineage: Sequence[Succession]
) -> Iterator[Change]:
    """Codes whose last bearer's residents did not go to the new bearer."""
    heirs = {(one.from_area_id, one.to_area_id) for one in lineage if one.inherits}
    for area in by_id.values():
        if area.area_id in known:
            continue
        begins = area.valid_from or date.min
        earlier = [
            other
            for other in by_id.values()
            if (other.level, other.code) == (area.level, area.code)
            and (other.valid_from or date.min) < begins
        ]
        last = max(earlier, key=lambda one: one.valid_from or date.min, default=None)
        if last is not None and (last.area_id, area.area_id) not in heirs:
            yield Change(area.valid_from, Kind.REUSED, (last,), (area,))


def _corrected(known: Mapping[str, Area], by_id: Mapping[str, Area]) -> Iterator[Change]:
    for was in known.values():
        now = by_id.get(was.area_id)
        if now is None:
            continue
        fields = [
            field
            for field in ("name", "latitude", "longitude", "area_km2")
            if getattr(was, field) != getattr(now, field)
        ]
        if fields:
            yield Change(None, Kind.CORRECTED, (was,), (now,), note=", ".join(fields))
