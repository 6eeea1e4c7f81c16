"""Invented records of ``subject-events.v1``, and a plain recount to hold the counters against."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from contracts import areas, catalogue
from contracts.events import TYPE_PREFIX, domain_of
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.subjects import SubjectKind
from contracts.times import local_day
from services.scoring.core.evaluation import evaluators
from services.scoring.core.facts import Change, Facts
from services.scoring.core.records import reader

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CATALOGUE = catalogue.load()
AREAS = areas.load()
EVALUATORS = evaluators(CATALOGUE, AREAS)
READ = reader(AREAS, frozenset(CATALOGUE.by_id))

#: (area id, indicator) → (numerator, denominator)
Counts = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Told:
    """A record as the shard sees it."""

    offset: int
    value: bytes | None


def citizen(number: int) -> str:
    """The subject of an invented citizen, in inside form."""
    return f"citizen:{number:032x}"


def event(name: str, subject: str, data: dict[str, Any], **attributes: Any) -> bytes:
    """An event as ingest writes it."""
    event_type = TYPE_PREFIX + name
    body = {
        "specversion": "1.0",
        "id": f"{name}-{subject}",
        "source": SOURCE_OF_DOMAIN[domain_of(event_type)],
        "type": event_type,
        "subject": subject,
        "time": "2026-11-20T01:30:00Z",
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(body | attributes).encode()


def registered(number: int, area: str = "02647", **attributes: Any) -> bytes:
    """An adult, in Phường Lào Cai unless said otherwise."""
    data = {"birth_date": "1990-05-17", "area": area}
    return event("identity.citizen-registered.v1", citizen(number), data, **attributes)


def smartphone(number: int, *, has: bool = True, **attributes: Any) -> bytes:
    """A subscription with a smartphone, or without."""
    data = {"own_name": True, "smartphone": has, "internet": True}
    return event("telecom.subscription-changed.v1", citizen(number), data, **attributes)


def paid(number: int, time: str) -> bytes:
    """A payment without cash."""
    data = {"method": "card", "purpose": "fee"}
    return event("payment.transaction-completed.v1", citizen(number), data, time=time, id=time)


def reported(subject: str, indicator: str, period: str, **said: float) -> bytes:
    """A report of a unit or agency."""
    data = {"indicator": indicator, "period": period, **said}
    return event("report.figures-submitted.v1", subject, data, id=f"{subject}-{said}")


def batch(first: int, *values: bytes | None) -> list[Told]:
    """Records with consecutive offsets."""
    return [Told(first + place, value) for place, value in enumerate(values)]


def recount(values: list[bytes], now: datetime) -> Counts:
    """What is counted in each unit itself, by folding everything once in memory."""
    facts: dict[tuple[SubjectKind, str], Facts] = {}
    for value in values:
        read = READ(value)
        assert isinstance(read.body, Change)
        table = EVALUATORS[read.kind].table
        table.fold(facts.setdefault((read.kind, read.subject), table.empty()), read.body)
    tops: Counter[tuple[str, str]] = Counter()
    belows: Counter[tuple[str, str]] = Counter()
    for (kind, _), known in facts.items():
        stands = EVALUATORS[kind].evaluate(known, local_day(now).toordinal())
        for one in CATALOGUE.counted:
            bit = 1 << (one.bit or 0)
            if stands.area_id is not None and stands.population & bit:
                belows[stands.area_id, one.id] += 1
                tops[stands.area_id, one.id] += bool(stands.numerator & bit)
    return {pair: (tops[pair], below) for pair, below in belows.items()}


def rolled_up(counts: Counts) -> Counts:
    """The same with every unit above."""
    found: Counts = {}
    for (area_id, indicator), (top, below) in counts.items():
        for unit in AREAS.lineage_upward(area_id):
            so_far = found.get((unit, indicator), (0, 0))
            found[unit, indicator] = (so_far[0] + top, so_far[1] + below)
    return found


async def counters(pool: asyncpg.Pool) -> Counts:
    """What the shards have counted."""
    rows = await pool.fetch(
        "SELECT area_id, indicator, sum(numerator)::bigint, sum(denominator)::bigint "
        "FROM counters GROUP BY 1, 2"
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows if row[2] or row[3]}


async def figures(pool: asyncpg.Pool, basis: str = "events") -> Counts:
    """What the roll-up has written."""
    rows = await pool.fetch(
        "SELECT area_id, indicator, numerator, denominator FROM figures WHERE basis = $1", basis
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows if row[2] or row[3]}


async def state(pool: asyncpg.Pool) -> list[list[asyncpg.Record]]:
    """All that the shard transaction writes, to hold one moment against another."""
    tables = {
        "shards": "shard",
        "subjects": "shard, subject",
        "counters": "area_id, indicator, shard",
        "touched": "shard, batch",
        "reports": "reporter, indicator, period",
        "refusals": "shard, record_offset",
        "sources": "source, domain, shard",
    }
    return [
        await pool.fetch(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - names above
        for table, order in tables.items()
    ]
