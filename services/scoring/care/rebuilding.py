"""``nhipso rebuild``: the topic is read again into a fresh schema, which takes the place of the state.

First every shard is read up to where the service stands; that takes as long as it takes and holds
nobody up. Then shard by shard is switched (see `switching`). Until the first switch nothing of the
service is touched, and whatever ends the run leaves every shard whole, the old one or the new one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from pydantic import SecretStr

from services.chassis.clock import Clock
from services.chassis.database import migrate, open_pool
from services.chassis.settings import KafkaSettings, PostgresSettings
from services.scoring.care.comparing import Comparison, IndicatorDifference
from services.scoring.care.replaying import Replay, patiently, refuse_silently
from services.scoring.care.schemas import LIVE_SCHEMA, NOT_HERE, CareError, Hear
from services.scoring.care.switching import (
    SQL,
    counted,
    hold,
    refuse_another,
    replace_reports,
    replace_state,
    touch_all,
)
from services.scoring.care.topic import Extent, Topic
from services.scoring.core.rules import Rules
from services.scoring.shard import Shards

NEW_SCHEMA: Final = "scoring_rebuild"

_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
#: Key of the advisory lock that lets one rebuild run at a time.
_TURN: Final = 0x6E68_6970_736F_0002


@dataclass(frozen=True, slots=True)
class Asked:
    """What to rebuild from what.

    With `dry_run` nothing is switched: only the differences are told. With `incomplete`, a topic
    that has lost its first records is read from where it begins now.
    """

    kafka: KafkaSettings
    dsn: str
    dry_run: bool = False
    incomplete: bool = False
    batch_records: int = 20_000
    memory_bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it.

    Args:
        events: records that were read.
        missing: offsets that the topic no longer has.
        shards: how many were switched, or would have been.
        differences: indicators whose counters differ from those that were there.
        reports: how many reports were wrong; None in a dry run.
        behind: shards that the service had not yet taken through today: the day itself may have
            made differences.
    """

    events: int
    missing: int
    shards: int
    differences: list[IndicatorDifference]
    reports: int | None
    behind: int


async def rebuild(asked: Asked, rules: Rules, clock: Clock, hear: Hear) -> Rebuilt:
    """Rebuild the state of scoring from the topic.

    Raises:
        CareError: it cannot be done.
        services.chassis.database.MigrationError: the fresh schema could not be made.
        asyncpg.PostgresError, OSError, aiokafka.errors.KafkaError: a server does not answer.
    """
    async with AsyncExitStack() as opened:
        turn = await opened.enter_async_context(_turn(asked.dsn))
        live = await opened.enter_async_context(_pool(asked.dsn, LIVE_SCHEMA))
        topic = await opened.enter_async_context(Topic.opened(asked.kafka, asked.batch_records))
        begins = _begins(await _positions(live), await topic.extents(), asked)
        await _check_rules(live, rules)
        new = await opened.enter_async_context(_fresh(asked.dsn, live, turn))
        await live.execute(SQL["keep_reports"])
        shards = Shards(new, rules, refuse_silently, memory_bytes=asked.memory_bytes)
        replay = Replay(
            live=live,
            shards=shards,
            topic=topic,
            begins=begins,
            clock=clock,
            hear=lambda done, of: hear("read the topic", done, of),
        )
        await replay.expect()
        for shard in begins:
            await replay.approach(shard)
        switch = _Switch(live, replay, rules, dry_run=asked.dry_run)
        for number, shard in enumerate(begins, start=1):
            await switch.run(shard, is_last=number == len(begins))
            hear("compare" if asked.dry_run else "switch", number, len(begins))
        return Rebuilt(
            events=replay.events,
            missing=replay.missing,
            shards=len(begins),
            differences=switch.comparison.differences(),
            reports=switch.reports,
            behind=switch.behind,
        )


class _Switch:
    """Puts shards in their places, and notes what differs."""

    def __init__(
        self,
        live: asyncpg.Pool,
        replay: Replay,
        rules: Rules,
        *,
        dry_run: bool,
    ) -> None:
        self._live = live
        self._replay = replay
        self._areas = rules.areas
        self._dry_run = dry_run
        self.comparison = Comparison(rules.catalogue)
        self.reports: int | None = None
        self.behind = 0

    async def run(self, shard: int, *, is_last: bool) -> None:
        """Switch a shard; safe to be done again when it is not known whether it was."""
        await self._replay.approach(shard)
        reports: int | None = None
        async for attempt in patiently():
            with attempt:
                async with hold(self._live, shard) as held:
                    await self._replay.read_to(shard, held.next_offset)
                    today = await self._replay.step(shard)
                    await refuse_another(held)
                    before, after = await counted(held)
                    if not self._dry_run:
                        batch = await replace_state(held)
                        if is_last:
                            reports = await replace_reports(held)
                        await touch_all(held, batch, self._areas)
        self.comparison.add(before, after)
        self.behind += held.evaluated_on is None or held.evaluated_on < today
        self.reports = reports


async def _positions(live: asyncpg.Pool) -> Mapping[int, int]:
    try:
        rows = await live.fetch(SQL["read_positions"])
    except asyncpg.UndefinedTableError:
        raise CareError(NOT_HERE) from None
    return {row["shard"]: row["next_offset"] for row in rows}


def _begins(
    positions: Mapping[int, int], extents: Mapping[int, Extent], asked: Asked
) -> Mapping[int, int]:
    """Where to begin in each shard.

    Raises:
        CareError: the topic is not the one that the state came from, or not all of it.
    """
    begins: dict[int, int] = {}
    for shard, position in sorted(positions.items()):
        extent = extents.get(shard, Extent(0, 0))
        if extent.ends < position:
            raise CareError(
                f"shard {shard} stands at offset {position}, but the topic ends at {extent.ends}: "
                "it is not the one that was read; name the right broker or restore the topic"
            )
        if extent.begins > 0 and not asked.incomplete:
            raise CareError(
                f"partition {shard} of the topic begins at offset {extent.begins}: what was before "
                "is gone, and with it what a rebuild would need. Restore the topic, or accept the "
                "loss with --incomplete"
            )
        begins[shard] = min(extent.begins, position)
    return begins


async def _check_rules(live: asyncpg.Pool, rules: Rules) -> None:
    under = {row["rules"] for row in await live.fetch(SQL["read_rules"])} - {None}
    if under and rules.fingerprint not in under:
        raise CareError(
            "scoring counts under other rules than these; name the folders that it uses with "
            "--catalogue and --areas"
        )


@asynccontextmanager
async def _turn(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Let no other rebuild of this database run, as long as the connection lives."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval(SQL["take_turn"], _TURN):
            raise CareError("another rebuild runs on this database; wait for it, or end it")
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _pool(dsn: str, schema: str) -> AsyncIterator[asyncpg.Pool]:
    settings = PostgresSettings(dsn=SecretStr(dsn), pool_min=0, pool_max=4)
    pool = await open_pool(settings, schema=schema, application_name="nhipso-rebuild")
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def _fresh(
    dsn: str, live: asyncpg.Pool, turn: asyncpg.Connection
) -> AsyncIterator[asyncpg.Pool]:
    """A pool over the fresh schema, which is dropped at the end if it is still ours.

    Raises:
        CareError: the service's schema has another form.
    """
    await _drop(live)  # what a run that was killed has left
    try:
        await migrate(dsn, schema=NEW_SCHEMA, migrations=_MIGRATIONS)
        applied = {
            row["schema_name"]: row["names"]
            for row in await live.fetch(SQL["read_applied"], [LIVE_SCHEMA, NEW_SCHEMA])
        }
        if applied.get(LIVE_SCHEMA) != applied[NEW_SCHEMA]:
            raise CareError(
                f"the schema {LIVE_SCHEMA} is not the one of this build; run the build of the "
                "service that uses it"
            )
        async with _pool(dsn, NEW_SCHEMA) as pool:
            yield pool
    finally:
        if not turn.is_closed():
            await _drop(live)


async def _drop(live: asyncpg.Pool) -> None:
    await live.execute(f"DROP SCHEMA IF EXISTS {NEW_SCHEMA} CASCADE")
    if await live.fetchval(SQL["has_history"]):
        await live.execute(SQL["forget_history"], NEW_SCHEMA)
