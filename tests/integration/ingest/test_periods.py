"""Reports of units over a real broker and database: what has come, how timely, and who is told."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from contracts import areas, catalogue, reporting
from contracts.report_events import ReportEvent
from contracts.times import LOCAL_ZONE
from contracts.topics import CLOUDEVENTS_JSON, REPORT_EVENTS, TOPIC_CONFIGS
from services.chassis.clock import FixedClock
from services.chassis.database import migrate, open_pool
from services.chassis.kafka import ensure_topics
from services.chassis.settings import KafkaSettings, PostgresSettings
from services.ingest.periods import receipts
from services.ingest.periods.metrics import PeriodMetrics
from services.ingest.periods.reminding import Reminding
from services.ingest.publisher import BrokerAwayError, Publisher
from services.ingest.settings import ReportingSettings
from tests.contract.ingest.service import BATCH, Keys, running, settings_for, tail

PROVINCE, COMMUNE, OTHER = "2025:15", "2025:02647", "2025:04252"
MIGRATIONS = Path(__file__).parents[3] / "services/ingest/migrations"
CALENDAR = {
    "version": 1,
    "schedules": [
        {
            "kind": "month",
            "levels": ["province"],
            "indicators": {"ids": ["dt.gov.1", "dt.gov.5"]},
            "opens": 1,
            "due": 10,
            "closes": 25,
            "grace_days": 2,
            "remind_days": [3],
        },
        {
            "kind": "quarter",
            "levels": ["commune"],
            "indicators": {"ids": ["dt.soc.5", "nf.community-teams"]},
            "opens": 1,
            "due": 10,
            "closes": 25,
        },
    ],
}


def november(day: int) -> datetime:
    return datetime(2026, 11, day, 9, tzinfo=LOCAL_ZONE)


@pytest.fixture
def calendar_folder(tmp_path: Path) -> Path:
    (tmp_path / reporting.CALENDAR_FILE).write_text(yaml.safe_dump(CALENDAR), encoding="utf-8")
    return tmp_path


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path)
    made.write()
    return made


def figures(area: str, indicator: str, period: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": secrets.token_hex(8),
        "source": "urn:nhipso:source:report",
        "type": "vn.nhipso.report.figures-submitted.v1",
        "subject": f"area:{area}",
        "time": "2026-10-02T08:30:00+07:00",
        "data": {"indicator": indicator, "period": period, "numerator": 9, "denominator": 10},
    }


async def test_figures_that_units_send_make_a_report_complete_in_time_or_late(
    kafka: str, database: str, keys: Keys, calendar_folder: Path
) -> None:
    clock = FixedClock(datetime(2026, 10, 5, 9, tzinfo=LOCAL_ZONE))
    settings = settings_for(keys, kafka, database).model_copy(
        update={"reporting": ReportingSettings(folder=calendar_folder)}
    )
    reporter = keys.token(sub="report", sources=["urn:nhipso:source:report"], domains=["report"])
    operator = keys.token(sub="operator", role="operator")
    asked = f"/v1/reports/completeness?period=2026-Q3&level=commune&parent={PROVINCE}"

    async with running(settings, keys, clock) as ingest:

        async def send(*events: dict[str, Any]) -> None:
            status, said, _ = await ingest.post(list(events), content_type=BATCH, token=reporter)
            assert status == 202, said

        async def standing(area: str) -> dict[str, Any]:
            status, answer = await ingest.get(asked, token=operator)
            assert status == 200, answer
            return next(one for one in answer["levels"][0]["units"] if one["area"] == area)

        await send(figures(COMMUNE, "dt.soc.5", "2026-Q3"), figures(OTHER, "dt.soc.5", "2026-Q3"))
        assert (await standing(COMMUNE))["missing"] == ["nf.community-teams"]
        await send(figures(COMMUNE, "nf.community-teams", "2026-Q3"))
        found = await standing(COMMUNE)
        assert (found["complete"], found["timeliness"], found["late_days"]) == (
            True,
            "on-time",
            None,
        )

        clock.set(datetime(2026, 10, 14, 9, tzinfo=LOCAL_ZONE))
        await send(figures(COMMUNE, "dt.soc.5", "2026-Q3"))
        assert (await standing(COMMUNE))["timeliness"] == "on-time"
        assert (await standing(OTHER))["timeliness"] == "late"
        await send(figures(OTHER, "nf.community-teams", "2026-Q3"))
        clock.set(november(20))
        found = await standing(OTHER)
        assert (found["complete"], found["timeliness"], found["late_days"]) == (True, "late", 4)

        _, answer = await ingest.get(asked, token=operator)
        level = answer["levels"][0]
        total = level["total"]
        assert (total["complete"], total["on_time"], total["late"]) == (2, 1, 1)
        assert total["missing"] == total["units"] - 2 == total["incomplete"]
        assert level["parents"] == [{"parent": PROVINCE, "name": "Tỉnh Lào Cai"} | total]
        assert level["window"]["state"] == "closed"
        assert level["window"]["expected"] == ["dt.soc.5", "nf.community-teams"]


async def test_a_report_that_a_unit_sends_counts_with_its_version_and_takes_reminders_back(
    kafka: str, database: str, keys: Keys, calendar_folder: Path
) -> None:
    clock = FixedClock(datetime(2026, 10, 2, 9, tzinfo=LOCAL_ZONE))
    settings = settings_for(keys, kafka, database).model_copy(
        update={"reporting": ReportingSettings(folder=calendar_folder, remind_every_seconds=0.2)}
    )
    unit = keys.token(sub="unit", role="unit", areas=[COMMUNE])

    def report(numerator: int) -> dict[str, Any]:
        rows = [
            {"indicator": one, "numerator": numerator, "denominator": 10}
            for one in ("dt.soc.5", "nf.community-teams")
        ]
        return {"area": COMMUNE, "period": "2026-Q3", "rows": rows}

    async with running(settings, keys, clock) as ingest, tail(REPORT_EVENTS, kafka) as topic:

        async def send(numerator: int) -> int:
            async with ingest.http.post(
                f"{ingest.url}/v1/reports",
                json=report(numerator),
                headers={"Authorization": f"Bearer {unit}"},
            ) as answer:
                assert answer.status in {200, 201}, await answer.text()
                version: int = (await answer.json())["version"]
                return version

        async def own() -> dict[str, Any]:
            _, answer = await ingest.get("/v1/reports/completeness?period=2026-Q3", token=unit)
            found: dict[str, Any] = answer["levels"][0]["units"][0]
            return found

        assert (await own())["timeliness"] == "not-due"
        assert await send(7) == 1
        found = await own()
        assert (found["complete"], found["timeliness"], found["version"]) == (True, "on-time", 1)
        (event,) = [_event(record) for record in await topic.take(1)]
        assert event.id == f"{COMMUNE}/2026-Q3/received/2026-10-02"
        # A correction after the due day is a version more, and no later.
        clock.set(datetime(2026, 10, 20, 9, tzinfo=LOCAL_ZONE))
        assert await send(8) == 2
        found = await own()
        assert (found["timeliness"], found["version"]) == ("on-time", 2)
        assert found["completed_at"] == "2026-10-02T02:00:00Z"


async def test_who_may_ask_and_what_for(
    kafka: str, database: str, keys: Keys, calendar_folder: Path
) -> None:
    settings = settings_for(keys, kafka, database).model_copy(
        update={"reporting": ReportingSettings(folder=calendar_folder)}
    )
    unit = keys.token(sub="unit", role="unit", areas=[COMMUNE])
    operator = keys.token(sub="operator", role="operator")
    async with running(settings, keys, FixedClock(november(5))) as ingest:

        async def get(path: str, token: str) -> tuple[int, Any]:
            return await ingest.get(f"/v1/reports/{path}", token=token)

        assert (await get("periods?area=2025:15", keys.token()))[0] == 403
        assert (await ingest.get("/v1/reports/periods?area=2025:15"))[0] == 401
        assert (await get(f"periods?area={OTHER}", unit))[0] == 403
        assert (await get("periods?area=nowhere", operator))[0] == 404
        assert (await get("completeness?period=soon", operator))[0] == 400
        status, problem = await get("completeness?period=2026-H1", operator)
        assert (status, problem["detail"].startswith("no unit reports for the half 2026-H1")) == (
            404,
            True,
        )
        _, own = await get("completeness?period=2026-Q3", unit)
        assert [one["area"] for one in own["levels"][0]["units"]] == [COMMUNE]

        status, answer = await get(f"periods?area={PROVINCE}&on=2026-11-11", operator)
        assert status == 200
        latest = answer["periods"][-1]
        assert latest == {
            "period": "2026-10",
            "kind": "month",
            "state": "due",
            "opens": "2026-11-01",
            "due": "2026-11-10",
            "grace_until": "2026-11-12",
            "closes": "2026-11-25",
            "expected": ["dt.gov.1", "dt.gov.5"],
        }
        status, text = await ingest.get("/openapi.json")
        assert {"/v1/reports/periods", "/v1/reports/completeness"} <= text["paths"].keys()


class Reminded:
    """Reminders over a database and a topic, with a process that may die and start again."""

    def __init__(self, pool: asyncpg.Pool, publisher: Publisher, folder: Path) -> None:
        self.pool = pool
        self.registry = CollectorRegistry()
        self._publisher = publisher
        self._calendar = reporting.load(folder, catalogue.load())
        self._metrics = PeriodMetrics(self.registry)

    def process(self, publisher: Publisher | None = None) -> Reminding:
        return Reminding(
            self.pool,
            publisher or self._publisher,
            calendar=self._calendar,
            areas=areas.load(),
            metrics=self._metrics,
            clock=FixedClock(november(1)),
            every_seconds=60,
        )

    async def note(self, day: int, *indicators: str, version: int) -> None:
        async with self.pool.acquire() as connection:
            await receipts.note(
                connection,
                area_id=PROVINCE,
                period="2026-10",
                indicators=indicators,
                version=version,
                received_at=november(day),
            )

    def units(self, phase: str, standing: str) -> float | None:
        labels = {"kind": "month", "level": "province", "phase": phase, "standing": standing}
        return self.registry.get_sample_value("ingest_report_units", labels)


@pytest.fixture
async def publisher(kafka: str) -> AsyncIterator[Publisher]:
    settings = KafkaSettings(bootstrap_servers=kafka, partitions=4)
    await ensure_topics(settings, {REPORT_EVENTS: TOPIC_CONFIGS[REPORT_EVENTS]})
    made = Publisher(
        settings,
        content_types={REPORT_EVENTS: CLOUDEVENTS_JSON},
        timeout_seconds=10,
        registry=CollectorRegistry(),
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def reminded(
    publisher: Publisher, database: str, calendar_folder: Path
) -> AsyncIterator[Reminded]:
    await migrate(database, schema="ingest", migrations=MIGRATIONS)
    settings = PostgresSettings(dsn=SecretStr(database))
    pool = await open_pool(settings, schema="ingest", application_name="test")
    yield Reminded(pool, publisher, calendar_folder)
    await pool.close()


@pytest.fixture
async def told(publisher: Publisher, kafka: str) -> AsyncIterator[Callable[[int], Any]]:
    """Waits for so many events, and sees that there are no more."""
    async with tail(REPORT_EVENTS, kafka) as topic:

        async def take(count: int) -> list[ReportEvent]:
            return [_event(record) for record in await topic.take(count)]

        yield take


def _event(record: Any) -> ReportEvent:
    event = ReportEvent.model_validate(json.loads(record.value))
    assert record.key.decode() == event.data.area
    assert dict(record.headers) == {"content-type": CLOUDEVENTS_JSON.encode()}
    return event


def ids(events: list[ReportEvent]) -> list[str]:
    return [event.id.removeprefix(f"{PROVINCE}/2026-10/") for event in events]


async def test_a_unit_is_reminded_told_what_is_missing_and_thanked_each_once(
    reminded: Reminded, told: Callable[[int], Any]
) -> None:
    process = reminded.process()
    await process.step(november(6))
    await told(0)
    assert reminded.units("open", "not_due") == 1
    for day in (7, 8, 9, 10):
        await process.step(november(day))
    assert ids(await told(1)) == ["due/2026-11-07"]
    await reminded.note(11, "dt.gov.1", version=1)
    for day in (11, 12, 13, 14):
        await process.step(november(day))
    (event,) = await told(1)
    assert ids([event]) == ["missing/2026-11-13"]
    assert event.data.missing == ("dt.gov.5",)
    assert (reminded.units("due", "incomplete"), reminded.units("due", "late")) == (1, 1)
    await reminded.note(15, "dt.gov.1", "dt.gov.5", version=2)
    await process.step(november(15))
    await process.step(november(16))
    assert ids(await told(1)) == ["received/2026-11-15"]
    assert (reminded.units("due", "complete"), reminded.units("due", "late")) == (1, 1)


async def test_what_was_due_while_everything_was_down_is_told_once_by_whoever_starts_next(
    reminded: Reminded, told: Callable[[int], Any]
) -> None:
    await reminded.process().step(november(2))
    # Down from the 2nd to the 28th: the period has been due and closed meanwhile.
    await asyncio.gather(*(reminded.process().step(november(28)) for _ in range(3)))
    assert ids(await told(1)) == ["missing/2026-11-13"]
    await reminded.process().step(november(29))
    await told(0)
    await reminded.note(29, "dt.gov.1", "dt.gov.5", version=1)
    await reminded.process().step(november(29))
    assert ids(await told(1)) == ["received/2026-11-29"]


async def test_the_first_start_does_not_tell_what_was_missing_before(
    reminded: Reminded, told: Callable[[int], Any]
) -> None:
    await reminded.process().step(november(20))
    await told(0)


class _DiesAfterTelling(Publisher):
    """The broker has taken the records, and the process does not live to see it."""

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner

    async def publish(self, topic: str, records: Any) -> None:
        await self._inner.publish(topic, records)
        raise BrokerAwayError("died")


async def test_a_crash_between_telling_and_noting_it_tells_again_under_the_same_id(
    reminded: Reminded, publisher: Publisher, told: Callable[[int], Any]
) -> None:
    await reminded.process().step(november(6))
    with pytest.raises(BrokerAwayError):
        await reminded.process(_DiesAfterTelling(publisher)).step(november(7))
    await reminded.process().step(november(7))
    assert ids(await told(2)) == ["due/2026-11-07", "due/2026-11-07"]
    await reminded.process().step(november(7))
    await told(0)


async def test_the_earliest_receipt_and_the_greatest_version_stay(reminded: Reminded) -> None:
    await reminded.note(9, "dt.gov.1", version=2)
    await reminded.note(5, "dt.gov.1", version=0)
    row = await reminded.pool.fetchrow("SELECT first_at, last_at, version FROM received_figures")
    assert (row["first_at"], row["last_at"], row["version"]) == (november(5), november(9), 2)
