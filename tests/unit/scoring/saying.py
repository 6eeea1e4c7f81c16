"""How these tests speak: invented events in few words, folded and evaluated on a set day.

Events go the whole way of the core: as records through the reader, into the state of a shard.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import numpy as np

from contracts import areas, catalogue
from contracts.events import TYPE_PREFIX, domain_of
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.subjects import SubjectKind
from contracts.times import LOCAL_ZONE, epoch_microseconds, format_rfc3339
from services.scoring.core.conditions import NEVER
from services.scoring.core.counting import DENOMINATOR, NUMERATOR, Counts
from services.scoring.core.reading import Batch, Reader
from services.scoring.core.rules import Rules
from services.scoring.core.state import Change, ShardState
from services.scoring.core.subjects import Standings, Subjects
from services.scoring.core.territory import NOWHERE as NO_PLACE
from services.scoring.core.texts import Ids

TODAY = date(2026, 11, 22)
CATALOGUE = catalogue.load()
AREAS = areas.load()
RULES = Rules(CATALOGUE, AREAS)
READER = Reader(RULES)
BIT_OF = {one.id: 1 << one.bit for one in CATALOGUE.counted if one.bit is not None}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTIFIERS = {
    SubjectKind.CITIZEN: "{:032x}",
    SubjectKind.HOUSEHOLD: "{:032x}",
    SubjectKind.ORGANISATION: "{:010d}",
    SubjectKind.INSTITUTION: "truong-{}",
    SubjectKind.DOSSIER: "H15.{}",
}

#: An event in few words: type without prefix, data, and how many local days before TODAY.
Said = tuple[str, dict[str, Any], int]
#: A fact as it is known: when it happened, the event's id, and what it says.
Register = tuple[int, str, dict[str, Any]]
#: What is known of a subject, by slot.
Facts = dict[int, Register]
#: The two words that name a subject.
Key = tuple[int, int]


class Event(NamedTuple):
    """An event about some subject: its full type, epoch microseconds, id, data."""

    type: str
    time: int
    id: str
    data: dict[str, Any]


class Standing(NamedTuple):
    """Where one subject counts: unit, masks of the catalogue's bits, the day it is due."""

    area_id: str | None
    population: int
    numerator: int
    due: int | None = None


NOWHERE = Standing(None, 0, 0)

#: Each subject of a shard: its facts, and where it has been counted.
Content = dict[tuple[SubjectKind, Key], tuple[Facts, Standing]]


def at_noon(day: date) -> int:
    """Noon of a local day, in epoch microseconds."""
    return epoch_microseconds(datetime.combine(day, time(12), LOCAL_ZONE).astimezone(UTC))


def event(name: str, data: dict[str, Any], days_ago: int = 30, event_id: str = "e") -> Event:
    """An event at noon, some days before TODAY."""
    return Event(f"{TYPE_PREFIX}{name}", at_noon(TODAY - timedelta(days=days_ago)), event_id, data)


def subject(kind: SubjectKind, number: int = 1) -> str:
    """An invented subject in inside form."""
    return f"{kind}:{_IDENTIFIERS[kind].format(number)}"


def record(kind: SubjectKind, told: Event, number: int = 1) -> bytes:
    """The record of an event, as ingest writes it."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": told.id,
            "source": SOURCE_OF_DOMAIN[domain_of(told.type)],
            "type": told.type,
            "subject": subject(kind, number),
            "time": format_rfc3339(_EPOCH + timedelta(microseconds=told.time)),
            "datacontenttype": "application/json",
            "data": told.data,
        }
    ).encode()


def read(values: Sequence[bytes | None], ids: Ids | None = None, reader: Reader = READER) -> Batch:
    """Read records, of which none may be refused."""
    batch = reader.read(values, ids or Ids())
    assert batch.errors == []
    return batch


def take(state: ShardState, values: Sequence[bytes | None], today: date = TODAY) -> Change:
    """Let a shard take records, of which none may be refused."""
    return state.take(read(values, state.ids).writes, today.toordinal())


def fold(
    kind: SubjectKind, events: Iterable[Event], today: date = TODAY, rules: Rules = RULES
) -> ShardState:
    """A shard in which only these things are known of only one subject."""
    state = ShardState(rules)
    values = [record(kind, one) for one in events]
    batch = read(values, state.ids, READER if rules is RULES else Reader(rules))
    state.take(batch.writes, today.toordinal())
    return state


def facts(state: ShardState, kind: SubjectKind) -> Facts:
    """What is known of the only subject of a kind; nothing where there is none."""
    known = facts_of_all(state.subjects[kind])
    assert len(known) <= 1
    return next(iter(known.values()), {})


def facts_of_all(subjects: Subjects) -> dict[Key, Facts]:
    """What is known of each subject, by its key."""
    return {
        (int(high), int(low)): {
            slot: register_at(subjects, slot, int(place))
            for slot in range(subjects.width)
            if (place := subjects.register(np.array([row]), slot)[0])
        }
        for row, (high, low) in enumerate(subjects.keys)
    }


def register_at(subjects: Subjects, slot: int, place: int) -> Register:
    """A fact that stands at some place."""
    moment, event_id, _ = subjects.order_of(slot, place)
    return moment, event_id, subjects.data(slot, place)


def stands(state: ShardState, kind: SubjectKind, today: date) -> Standing:
    """Where the only subject of a kind counts on some day; `NOWHERE` where there is none."""
    found = standings_of(state.standings(kind, today.toordinal()))
    assert len(found) <= 1
    return found[0] if found else NOWHERE


def standings_of(columns: Standings, rules: Rules = RULES) -> list[Standing]:
    """Standings, one by one."""
    areas_, populations, numerators, due = (column.tolist() for column in columns)
    return [
        Standing(
            None if area == NO_PLACE else rules.territory.area_ids[area],
            population,
            numerator,
            None if day == NEVER else day,
        )
        for area, population, numerator, day in zip(
            areas_, populations, numerators, due, strict=True
        )
    ]


def content(state: ShardState, rules: Rules = RULES) -> Content:
    """All that a shard knows: each subject's facts, and where it has been counted."""
    found: Content = {}
    for kind, subjects in state.subjects.items():
        stood = standings_of(subjects.standings, rules)
        for (key, known), one in zip(facts_of_all(subjects).items(), stood, strict=True):
            found[kind, key] = (known, one)
    return found


def standing(kind: SubjectKind, said: Iterable[Said], today: date = TODAY) -> Standing:
    """Where a subject stands of which these things were said."""
    return stands(fold(kind, [event(*one) for one in said]), kind, today)


def bearer(areas_: areas.Areas, code: str, day: date) -> areas.Area | None:
    """The commune that bore a code on a day, or else the last one that had by then."""
    by_then = [
        (one.valid_from or date.min, one)
        for one in areas_
        if one.level == "commune" and one.code == code
        if one.valid_from is None or one.valid_from <= day
    ]
    return max(by_then, key=lambda pair: pair[0])[1] if by_then else None


def counts(found: Standing, indicator: str) -> tuple[bool, bool]:
    """Whether a standing counts in the denominator and in the numerator of an indicator."""
    bit = BIT_OF[indicator]
    return bool(found.population & bit), bool(found.numerator & bit)


def counted(totals: Counts, rules: Rules = RULES) -> dict[tuple[str, str], tuple[int, int]]:
    """(area id, indicator id) → numerator and denominator, where anybody is counted."""
    found = {}
    for unit in np.flatnonzero(totals.any(axis=(1, 2))).tolist():
        for one in rules.catalogue.counted:
            top, below = (int(totals[unit, row, one.bit]) for row in (NUMERATOR, DENOMINATOR))
            if top or below:
                found[rules.territory.area_ids[unit], one.id] = (top, below)
    return found
