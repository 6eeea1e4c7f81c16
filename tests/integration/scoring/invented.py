"""Invented records of ``subject-events.v1``, and a plain recount to hold the counters against."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import numpy as np

from contracts import areas, catalogue
from contracts.events import TYPE_PREFIX, domain_of
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.times import local_day
from services.scoring.core.counting import DENOMINATOR, NUMERATOR
from services.scoring.core.pieces import at_once
from services.scoring.core.reading import Reader
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CATALOGUE = catalogue.load()
AREAS = areas.load()
RULES = Rules(CATALOGUE, AREAS)

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


def recount(values: Iterable[bytes], now: datetime, rules: Rules = RULES) -> Counts:
    """What is counted in each unit itself, by folding everything once in memory."""
    state = ShardState(rules)
    batch = Reader(rules).read(list(values), state.ids)
    assert batch.errors == []
    today = local_day(now).toordinal()
    state.take(batch.writes, today)
    at_once(state.evaluating_all(today))
    counts = state.recount()
    found: Counts = {}
    for unit in np.flatnonzero(counts.any(axis=(1, 2))).tolist():
        for one in rules.catalogue.counted:
            top, below = (int(counts[unit, row, one.bit]) for row in (NUMERATOR, DENOMINATOR))
            if top or below:
                found[rules.territory.area_ids[unit], one.id] = (top, below)
    return found


def rolled_up(counts: Counts) -> Counts:
    """The same with every unit above."""
    found: Counts = {}
    for (area_id, indicator), (top, below) in counts.items():
        for unit in AREAS.lineage_upward(area_id):
            so_far = found.get((unit, indicator), (0, 0))
            found[unit, indicator] = (so_far[0] + top, so_far[1] + below)
    return found


async def counters(pool: asyncpg.Pool, shard: int | None = None, rules: Rules = RULES) -> Counts:
    """What the shards have counted, all together or one of them."""
    rows = await pool.fetch(
        "SELECT area_id, numerators, denominators FROM counters WHERE shard = $1 OR $1 IS NULL",
        shard,
    )
    name_of = {one.bit: one.id for one in rules.catalogue.counted}
    found: Counts = {}
    for area_id, tops, belows in rows:
        for bit, (top, below) in enumerate(zip(tops, belows, strict=True)):
            so_far = found.get((area_id, name_of.get(bit, f"bit {bit}")), (0, 0))
            found[area_id, name_of.get(bit, f"bit {bit}")] = (so_far[0] + top, so_far[1] + below)
    return {pair: figure for pair, figure in found.items() if any(figure)}


async def touched(pool: asyncpg.Pool, shard: int) -> dict[str, set[str]]:
    """The indicators that are marked for the roll-up in each unit, by all batches of a shard."""
    name_of = {1 << (one.bit or 0): one.id for one in CATALOGUE.counted}
    found: dict[str, set[str]] = {}
    for row in await pool.fetch("SELECT area_ids, masks FROM touched WHERE shard = $1", shard):
        for area_id, mask in zip(row["area_ids"], row["masks"], strict=True):
            names = {name for bit, name in name_of.items() if mask & bit}
            found.setdefault(area_id, set()).update(names)
    return found


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
        "snapshots": "shard, part",
        "journal": "shard, batch",
        "counters": "area_id, shard",
        "corrections": "shard, batch",
        "touched": "shard, batch",
        "reports": "reporter, indicator, period",
        "refusals": "shard, record_offset",
        "sources": "source, domain, shard",
    }
    return [
        await pool.fetch(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - names above
        for table, order in tables.items()
    ]
