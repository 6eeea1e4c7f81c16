"""A seeded stream of events that is as hard on the line as the contract allows."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final

from tests.e2e.hard.bodies import citizen_number, new_subject, write_body
from tests.e2e.hard.faults import fault
from tests.e2e.hard.moments import local_day
from tests.e2e.hard.pen import Codes, Desk, Event, Pen
from tests.e2e.hard.people import Citizen
from tests.e2e.hard.reporting import AGENCIES, write_reports
from tests.oracle.figures import indicator_ids

_AREAS: Final = Path(__file__).parents[3] / "contracts" / "data" / "areas.csv"
#: Of all that is sent, what is sent for the first time; the rest repeats some of it.
_FIRST_TIMES: Final = 0.7


@dataclass(frozen=True, slots=True)
class Item:
    """One event on its way: under whose token, and why it must be refused if it must."""

    sender: str
    event: Event
    reason: str | None = None


def hard_stream(seed: int, size: int, now: datetime, *, faults: int = 0) -> list[Item]:
    """Exactly `size` acceptable events, duplicates among them, and `faults` others, shuffled."""
    desk = Desk(seed, now, _codes())
    pens = list(_written(desk, local_day(now), round(size * _FIRST_TIMES)))
    events = [event for pen in pens for event in pen.events][:size]
    while len(events) < size:
        pen = desk.rng.choice(pens)
        for event in desk.rng.choices(pen.events, k=desk.rng.randint(1, 4)):
            events.append(pen.again(event))
    items = [Item(event["source"], event) for event in events[:size]]
    ended = sorted(set(desk.codes.before) - set(desk.codes.since))
    for number in range(faults):
        sender, reason, event = fault(desk.rng, number, now, ended)
        items.append(Item(sender, event, reason))
    desk.rng.shuffle(items)
    return items


def _written(desk: Desk, today: date, wanted: int) -> Iterator[Pen]:
    """Pens that have written so many events or a few more."""
    written = 0
    for number, subject in enumerate(_subjects(desk)):
        pen = Pen(desk, subject)
        match subject.partition(":")[0]:
            case "citizen":
                Citizen(pen, today).live()
            case "area" | "agency":
                write_reports(pen, list(indicator_ids()))
            case _:
                write_body(pen)
        written += len(pen.events)
        yield pen
        if written >= wanted and number > len(_reporters()):
            return


def _subjects(desk: Desk) -> Iterator[str]:
    """Reporters first, then citizens and bodies without end."""
    yield from _reporters()
    number = 0
    while True:
        number += 1
        if desk.rng.random() < 0.65:
            yield f"citizen:{citizen_number(desk.rng)}"
        else:
            yield new_subject(desk, number)


@cache
def _reporters() -> list[str]:
    """The province, some communes of today, some units of before, and agencies."""
    today = [row["area_id"] for row in _areas() if not row["valid_to"]]
    before = [row["area_id"] for row in _areas() if row["valid_to"]]
    units = [*today[:1], *today[1::4], *before[::60]]
    return [*(f"area:{unit}" for unit in units), *(f"agency:{name}" for name in AGENCIES)]


@cache
def _codes() -> Codes:
    communes = [row for row in _areas() if row["level"] == "commune"]
    return Codes(
        before=[row["code"] for row in communes if row["valid_to"]],
        since=[row["code"] for row in communes if not row["valid_to"]],
    )


@cache
def _areas() -> list[dict[str, str]]:
    with _AREAS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
