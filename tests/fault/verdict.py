"""What must be true in the end, whatever has struck: nothing lost, nothing counted twice."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import ConsumerRecord

from contracts import areas, catalogue
from contracts.pace import shown
from contracts.rejected import RejectedEvent, TopicOrigin
from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from services.chassis.clock import SystemClock
from services.scoring.care.reconciling import reconcile
from services.scoring.core.rules import Rules
from tests.e2e.comparison import Oracle, settled_differences
from tests.e2e.line import Line
from tests.fault.feeding import Feed
from tests.fault.store import Store
from tests.fault.topics import Told, Topics
from tests.fault.waiting import until
from tests.fault.watching import Watch

_SETTLED_SECONDS: Final = 15.0
_GIVE_UP_SECONDS: Final = 120.0

_ALL_DONE: Final = """
    SELECT NOT EXISTS (SELECT FROM touched) AND NOT EXISTS (SELECT FROM corrections)
        AND NOT EXISTS (SELECT FROM refusals)
        AND (SELECT max(round) = min(round) FROM rounds)
"""
_FIGURES: Final = """
    SELECT area_id, indicator, basis, numerator, denominator, value, period, version FROM figures
"""


@dataclass(slots=True)
class Verdict:
    """What was found in the end."""

    sent: int = 0
    """Events that had to be accepted."""
    written: int = 0
    """Events on the topic; one may stand there twice when its acknowledgement was lost."""
    counted: int = 0
    """Events that scoring says it has taken."""
    figures: int = 0
    """Figures that were held against the oracle."""
    subjects: int = 0
    """Subjects that were counted over from their stored facts."""
    told: int = 0
    """Figures whose last event was held against the store."""
    wrong: list[str] = field(default_factory=list)
    """What is not as it must be."""

    def expect(self, what: str, found: object, right: object) -> None:
        """Note it where something is not what it must be."""
        if found != right:
            self.wrong.append(f"{what}: {found}, right is {right}")


async def judge(line: Line, store: Store, topics: Topics, feed: Feed, watch: Watch) -> Verdict:
    """Wait until all is done, and hold everything against what is right."""
    verdict = Verdict(sent=len(feed.sent))
    await _all_done(store)
    await _judge_records(verdict, store, topics, feed)
    oracle = Oracle(item.event for item in feed.sent)
    verdict.figures = len(await asyncio.to_thread(oracle.today))
    verdict.wrong += await settled_differences(line, oracle, _SETTLED_SECONDS)
    # Midnight may have passed meanwhile, and changed figures.
    await _all_done(store)
    await _recount(verdict, store.dsn)
    told = await watch.what_is_marked_has_been_told()
    await _judge_told(verdict, store, told)
    verdict.wrong += watch.violations
    return verdict


async def _all_done(store: Store) -> None:
    """Wait until everything is rolled up and told."""
    async with asyncio.timeout(_GIVE_UP_SECONDS):
        await until(lambda: store.value(_ALL_DONE))


async def _judge_records(verdict: Verdict, store: Store, topics: Topics, feed: Feed) -> None:
    """Each event that was accepted stands on the topic, and each that stands there counts once."""
    records = await topics.read(SUBJECT_EVENTS, {})
    values = [record.value for record in records]
    unreadable = {
        (record.partition, record.offset)
        for record in records
        if record.value and record.value.startswith(b"unreadable")
    }
    verdict.written = len(values) - len(unreadable)
    verdict.counted = int(await store.value("SELECT sum(events)::bigint FROM sources"))
    verdict.expect("events counted", verdict.counted, verdict.written)
    verdict.expect("accepted events that are not on the topic", feed.missing(values), 0)
    ends = {shard: end for shard, end in (await topics.ends()).items() if end}
    rows = await store.fetch("SELECT shard, next_offset FROM shards WHERE next_offset > 0")
    verdict.expect("positions", {row["shard"]: row["next_offset"] for row in rows}, ends)
    refused = await topics.read(REJECTED_EVENTS, {})
    verdict.expect("unreadable records that were told", _places(refused), unreadable)


async def _recount(verdict: Verdict, dsn: str) -> None:
    """Count everything over from the stored facts, as `nhipso reconcile` does."""
    rules = Rules(catalogue.load(), areas.load())
    found = await reconcile(dsn, rules, SystemClock(), lambda *_: None)
    verdict.subjects = found.subjects
    for sort in (found.wrong_subjects, found.wrong_counters, found.wrong_figures):
        verdict.wrong += sort.first


def _places(refused: Iterable[ConsumerRecord]) -> set[tuple[int, int]]:
    """Partition and offset of each record that scoring has refused."""
    told = [RejectedEvent.model_validate_json(record.value or b"") for record in refused]
    return {
        (one.origin.partition, one.origin.offset)
        for one in told
        if isinstance(one.origin, TopicOrigin)
    }


async def _judge_told(verdict: Verdict, store: Store, told: Told) -> None:
    """The last event about each figure tells of it as it stands, and none went back."""
    rows = await store.fetch(_FIGURES)
    verdict.told = len(rows)
    for row in rows:
        name = "/".join(row[:3])
        last = told.latest.get(tuple(row[:3]))
        value = shown(row["numerator"], row["denominator"], row["value"])
        said = last and (last.version, last.numerator, last.denominator, last.value, last.period)
        stands = (row["version"], row["numerator"], row["denominator"], value, row["period"])
        verdict.expect(f"told of {name}", said, stands)
    verdict.expect("figures told that there are not", len(told.latest), len(rows))
    verdict.wrong += told.backwards
