"""The notifier's steps on a real PostgreSQL, with a clock that a test moves."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from contracts import agencies, areas, catalogue
from contracts.pace import percentage
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData, indicator_updated
from services.chassis import database as store_shell
from services.chassis.clock import FixedClock
from services.chassis.settings import PostgresSettings
from services.notifier import rules
from services.notifier.core.causes import Domain
from services.notifier.core.intake import digest
from services.notifier.core.route import Route
from services.notifier.core.schedule import Policy
from services.notifier.core.title import Title
from services.notifier.links import NO_LINKS, Links
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.evaluating import Evaluating
from services.notifier.pipeline.telling import Telling
from services.notifier.receivers.email.sending import EmailReceiver
from services.notifier.receivers.reading import Receiver, Receivers
from services.notifier.routing import Routing
from services.notifier.stationery import Stationery
from services.notifier.store import SCHEMA, alerts, days, figures, migrations
from services.notifier.store.alerts import Search
from tests.databases import migrated_database

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
COMMUNE = "2025:02647"
PROVINCE = "2025:15"


def told(
    numerator: int,
    denominator: int = 1000,
    *,
    version: int = 1,
    area: str = COMMUNE,
    indicator: str = "ds.smartphone",
    at: datetime = NOW,
    fresh_at: datetime | None = NOW,
) -> IndicatorUpdated:
    """What scoring says of one figure."""
    return indicator_updated(
        IndicatorUpdatedData(
            area=area,
            indicator=indicator,
            basis="events",
            numerator=numerator,
            denominator=denominator,
            value=percentage(numerator, denominator),
            version=version,
            updated_at=at,
            fresh_at=fresh_at,
        )
    )


@dataclass(frozen=True)
class Bench:
    """Steps of the pipeline, and what a test asks of the store."""

    pool: asyncpg.Pool
    domain: Domain
    clock: FixedClock
    evaluating: Evaluating
    metrics: NotifierMetrics

    async def take(self, *events: IndicatorUpdated) -> None:
        batch = digest(events, self.domain.catalogue)
        async with self.pool.acquire() as connection:
            await figures.hear(connection, batch.heard)
            await figures.upsert(connection, batch.figures)
            await days.upsert(connection, batch.days)

    async def evaluate(self, after: timedelta = timedelta(0)) -> None:
        self.clock.advance(after)
        await self.evaluating.step(self.clock.now())

    async def states(self) -> list[tuple[str, str, str]]:
        async with self.pool.acquire() as connection:
            found, _ = await alerts.search(connection, Search())
        return [(alert.key.indicator, alert.state, alert.reason.value) for alert in found]

    async def events(self) -> list[str]:
        async with self.pool.acquire() as connection:
            waiting = await alerts.next_outgoing(connection, 1000)
        return [event.payload for event in waiting]

    def telling(self, receivers: Receivers, *, links: Links = NO_LINKS, **policy: float) -> Telling:
        spaced = {"group_wait": 0.0, "group_interval": 0.0, "repeat_interval": 3600.0} | policy
        durations = {name: timedelta(seconds=value) for name, value in spaced.items()}
        routing = Routing(Route(Policy(**durations)), None)
        return Telling(
            self.pool,
            self.domain,
            receivers,
            routing,
            self.metrics,
            stationery=Stationery(links, "Sở Khoa học và Công nghệ, điện thoại 0214 3 000 000"),
        )

    async def tell(self, telling: Telling) -> None:
        await telling.step(self.clock.now())

    async def letters(self) -> list[tuple[str, int]]:
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(
                "SELECT audience, (SELECT count(*) FROM message_alerts WHERE message = id) AS n "
                "FROM messages ORDER BY written_at, audience"
            )
        return [(row["audience"], row["n"]) for row in rows]


def mailboxes(*audiences: str, titles: Mapping[str, Title] | None = None) -> Receivers:
    """An invented mailbox for each audience."""
    entries: Iterable[tuple[str, Receiver]] = (
        (audience, EmailReceiver(f"email:{index}@example.vn", f"{index}@example.vn"))
        for index, audience in enumerate(audiences)
    )
    return Receivers(entries, titles=titles)


@pytest.fixture
async def migrated(postgres: str) -> AsyncIterator[str]:
    """The URL of a database of the test's own that has the notifier's schema."""
    async with migrated_database(postgres, SCHEMA, migrations()) as url:
        yield url


@pytest.fixture
async def bench(migrated: str) -> AsyncIterator[Bench]:
    settings = PostgresSettings(dsn=SecretStr(migrated), pool_min=1, pool_max=5)
    pool = await store_shell.open_pool(settings, schema=SCHEMA, application_name="test")
    in_force = rules.read(rules.shipped())
    known = catalogue.load()
    domain = Domain(
        areas.load(), known, in_force.minimum_denominator, agencies=agencies.load(None, known)
    )
    metrics = NotifierMetrics(CollectorRegistry())
    evaluating = Evaluating(pool, domain, in_force, metrics, full_pass_every=timedelta(hours=1))
    try:
        yield Bench(pool, domain, FixedClock(NOW), evaluating, metrics)
    finally:
        await pool.close()
