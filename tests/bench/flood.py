"""100,000 events at once: how long until all are answered, stored, rolled up, and right."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from tests.e2e.comparison import Oracle, settled_differences
from tests.e2e.hard.stream import hard_stream
from tests.e2e.line import Line
from tests.e2e.sending import batches, sender

BATCH: Final = 500
_SEED: Final = 100
_GIVE_UP_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05

_BEHIND: Final = """
    SELECT $1 - (SELECT coalesce(sum(next_offset), 0) FROM scoring.shards)
        + (SELECT count(*) FROM scoring.touched)
"""


@dataclass(frozen=True)
class Flooded:
    """What a flood came to. Times in seconds."""

    events: int
    answered_202: int
    sent_again: int
    """Requests that had to be tried again; 0 unless ingest was away."""
    to_last_answer: float
    from_last_answer_to_stored: float
    """Until PostgreSQL held every event, and every figure was rolled up."""
    differences: int
    restarted_after: float | None
    """From the death of scoring to its next process; None when nothing was killed."""


async def flood(line: Line, events: int, *, kill_scoring: bool) -> Flooded:
    """Send events to an empty line in batches of 500, and hold its figures against the oracle."""
    items = hard_stream(_SEED, events, datetime.now(UTC))
    parcels = batches(items, lambda: BATCH)
    restarted_after = None
    postgres = await asyncpg.connect(line.endpoints()["postgres"])
    try:
        async with sender(line) as to:
            begun = time.monotonic()
            sending = asyncio.create_task(to.send(parcels))
            if kill_scoring:
                await to.answered_at_least(events // 2)
                killed = line.kill("scoring")
                restarted_after = await asyncio.to_thread(line.wait_restarted, "scoring", killed)
            await sending
            answered = time.monotonic()
        # Ingest writes each accepted event once, unless a request had to be sent again.
        await _until_stored(postgres, to.answered, answered + _GIVE_UP_SECONDS)
        stored = time.monotonic()
    finally:
        await postgres.close()
    oracle = Oracle(item.event for item in items)
    return Flooded(
        events=events,
        answered_202=to.answered,
        sent_again=to.retries,
        to_last_answer=answered - begun,
        from_last_answer_to_stored=stored - answered,
        differences=len(await settled_differences(line, oracle, 30)),
        restarted_after=restarted_after,
    )


async def _until_stored(postgres: asyncpg.Connection, events: int, deadline: float) -> None:
    while (behind := await postgres.fetchval(_BEHIND, events)) > 0:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{behind} events or marks are still not taken up")
        await asyncio.sleep(_POLL_SECONDS)
