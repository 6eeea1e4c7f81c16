"""What the line shows over HTTP is what the oracle computes, also when processes are killed."""

import asyncio
from datetime import UTC, datetime
from random import Random
from typing import Final

from tests.e2e.comparison import settled_differences
from tests.e2e.conftest import Sent
from tests.e2e.hard.stream import hard_stream
from tests.e2e.sending import batches, sender

SETTLED_SECONDS: Final = 60.0
EVENTS: Final = 20_000
FAULTS: Final = 300


async def test_20000_hard_events_lead_to_the_figures_of_the_oracle(sent: Sent) -> None:
    rng = Random(1)
    items = hard_stream(20_261, EVENTS, datetime.now(UTC), faults=FAULTS)
    sent.ledger.items += items
    async with sender(sent.line) as to:
        await to.send(batches(items, lambda: rng.choice((1, 7, 60, 250, 500))), mode=rng)
    assert to.answered == EVENTS + FAULTS
    await assert_figures_are_right(sent)


async def test_killing_scoring_and_ingest_in_the_middle_changes_no_figure(sent: Sent) -> None:
    rng = Random(2)
    items = hard_stream(20_262, EVENTS, datetime.now(UTC), faults=FAULTS)
    sent.ledger.items += items
    async with sender(sent.line) as to, asyncio.TaskGroup() as group:
        group.create_task(to.send(batches(items, lambda: rng.choice((1, 60, 500))), mode=rng))
        for number, service in enumerate(("scoring", "ingest", "scoring"), start=1):
            await to.answered_at_least(number * len(items) // 5)
            killed = sent.line.kill(service)
            await asyncio.to_thread(sent.line.wait_restarted, service, killed)
    assert to.answered == EVENTS + FAULTS
    assert to.retries > 0, "ingest was away for nobody, so its death was not tested"
    await assert_figures_are_right(sent)


async def assert_figures_are_right(sent: Sent) -> None:
    oracle = await asyncio.to_thread(sent.ledger.oracle)
    await asyncio.to_thread(oracle.today)
    differences = await settled_differences(sent.line, oracle, SETTLED_SECONDS)
    shown = "\n".join(differences[:10])
    assert not differences, f"{len(differences)} differences, the first of them:\n{shown}"
