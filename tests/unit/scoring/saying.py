"""How these tests speak: invented events in few words, folded and evaluated on a set day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from contracts import areas, catalogue
from contracts.events import TYPE_PREFIX
from contracts.subjects import SubjectKind
from contracts.times import LOCAL_ZONE, epoch_microseconds
from services.scoring.core.evaluation import Standing, evaluators
from services.scoring.core.facts import Change, Facts

TODAY = date(2026, 11, 22)
CATALOGUE = catalogue.load()
AREAS = areas.load()
EVALUATORS = evaluators(CATALOGUE, AREAS)
BIT_OF = {one.id: 1 << one.bit for one in CATALOGUE.counted if one.bit is not None}

#: An event in few words: type without prefix, data, and how many local days before TODAY.
Said = tuple[str, dict[str, Any], int]


def at_noon(day: date) -> int:
    """Noon of a local day, in epoch microseconds."""
    return epoch_microseconds(datetime.combine(day, time(12), LOCAL_ZONE).astimezone(UTC))


def change(name: str, data: dict[str, Any], days_ago: int = 30, event_id: str = "e") -> Change:
    """A change that happened at noon, some days before TODAY."""
    moment = at_noon(TODAY - timedelta(days=days_ago))
    return Change(f"{TYPE_PREFIX}{name}", moment, event_id, data)


def fold(kind: SubjectKind, changes: list[Change]) -> Facts:
    """The facts of a subject of which only these changes are known."""
    table = EVALUATORS[kind].table
    facts = table.empty()
    for one in changes:
        table.fold(facts, one)
    return facts


def standing(kind: SubjectKind, said: list[Said], today: date = TODAY) -> Standing:
    """Where a subject stands of which these things were said."""
    facts = fold(kind, [change(*one) for one in said])
    return EVALUATORS[kind].evaluate(facts, today.toordinal())


def counts(found: Standing, indicator: str) -> tuple[bool, bool]:
    """Whether a standing counts in the denominator and in the numerator of an indicator."""
    bit = BIT_OF[indicator]
    return bool(found.population & bit), bool(found.numerator & bit)
