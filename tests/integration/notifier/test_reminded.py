"""A unit is told once of a report that is due or missing, and no more once it has come."""

import asyncio
from datetime import UTC, date, datetime, timedelta

from faststream.kafka import KafkaBroker

from contracts.report_events import (
    REPORT_DUE,
    REPORT_MISSING,
    REPORT_RECEIVED,
    ReportData,
    ReportEvent,
    ReportEventType,
    report_event,
)
from contracts.topics import REPORT_EVENTS, TOPIC_CONFIGS
from services.chassis.kafka import ensure_topics
from services.chassis.settings import KafkaSettings
from services.notifier.pipeline.reminded import Reminded
from tests.integration.notifier.conftest import COMMUNE, NOW, Bench, mailboxes, told

UNIT = f"unit:{COMMUNE}"
DUE, MISSING = "report-due.2026-10", "report-missing.2026-10"


def event(event_type: ReportEventType, at: datetime = NOW, area: str = COMMUNE) -> str:
    data = ReportData(
        area=area,
        period="2026-10",
        kind="month",
        day=at.date(),
        opens=date(2026, 11, 1),
        due=date(2026, 11, 25),
        closes=date(2026, 12, 10),
        expected=2,
        missing=() if event_type == REPORT_RECEIVED else ("dt.soc.5",),
    )
    return report_event(event_type, data, at).model_dump_json()


async def take(bench: Bench, *payloads: str) -> None:
    taking = Reminded(KafkaBroker(), bench.pool, bench.metrics)
    await taking.take([ReportEvent.model_validate_json(one) for one in payloads])


async def test_a_unit_gets_one_message_for_each_and_none_once_the_report_has_come(
    bench: Bench,
) -> None:
    telling = bench.telling(mailboxes(UNIT), repeat_interval=30 * 86_400)
    await take(bench, event(REPORT_DUE))
    for _ in range(2):
        await bench.tell(telling)
    await take(bench, event(REPORT_DUE, NOW + timedelta(days=2)))
    bench.clock.advance(timedelta(days=2))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1)]

    late = NOW + timedelta(days=6)
    await take(bench, event(REPORT_MISSING, late))
    bench.clock.set(late)
    await bench.evaluate()
    await bench.tell(telling)
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1), (UNIT, 1)]

    await take(bench, event(REPORT_RECEIVED, late + timedelta(hours=1)))
    bench.clock.advance(timedelta(days=60))
    await bench.tell(telling)
    assert await bench.letters() == [(UNIT, 1), (UNIT, 1)]
    assert sorted(await bench.states()) == [
        (DUE, "resolved", "report-missing"),
        (MISSING, "resolved", "report-received"),
    ]


async def test_events_that_come_again_change_nothing(bench: Bench) -> None:
    batch = [event(REPORT_DUE), event(REPORT_RECEIVED, NOW + timedelta(hours=1))]
    await take(bench, *batch)
    waiting = await bench.events()
    assert len(waiting) == 2
    await take(bench, *batch)
    await take(bench, event(REPORT_DUE))
    assert await bench.states() == [(DUE, "resolved", "report-received")]
    assert await bench.events() == waiting


async def test_lagging_indicators_and_reports_make_one_letter(bench: Bench) -> None:
    await bench.take(told(100, fresh_at=NOW + timedelta(days=3)))
    await bench.evaluate()
    await bench.evaluate(timedelta(days=3))
    await take(bench, event(REPORT_MISSING, bench.clock.now()))
    await bench.tell(bench.telling(mailboxes(UNIT)))
    assert await bench.letters() == [(UNIT, 2)]


async def test_nothing_is_asked_of_a_unit_that_has_ended(bench: Bench) -> None:
    await take(bench, event(REPORT_DUE, datetime(2025, 6, 20, tzinfo=UTC), area="legacy:02647"))
    bench.clock.set(datetime(2025, 6, 30, tzinfo=UTC))
    await bench.evaluate()
    assert await bench.states() == [(DUE, "firing", "report-due")]
    bench.clock.set(datetime(2025, 7, 1, tzinfo=UTC))
    await bench.evaluate()
    assert await bench.states() == [(DUE, "resolved", "unit-ended")]


async def test_it_reads_the_topic(kafka: str, bench: Bench) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, partitions=2)
    await ensure_topics(settings, {REPORT_EVENTS: TOPIC_CONFIGS[REPORT_EVENTS]})
    broker = KafkaBroker(kafka, apply_types=False, logger=None, graceful_timeout=1)
    Reminded(broker, bench.pool, bench.metrics)
    await broker.start()
    try:
        await broker.publish(event(REPORT_MISSING).encode(), REPORT_EVENTS, key=COMMUNE.encode())
        while not await bench.states():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.1)
    finally:
        await broker.stop()
    assert (MISSING, "firing", "report-missing") in await bench.states()
