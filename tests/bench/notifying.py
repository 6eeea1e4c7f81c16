"""Measures the notifier: ``python -m tests.bench.notifying`` (``make bench-notifier``).

Two parts: its evaluation, and what receivers that hang cost the others (`tests.bench.hanging`).

An invented country of 3,321 communes with every indicator of the catalogue, each given a target, so
that every figure is judged. The figures go the way of events into a PostgreSQL of its own; then all
are judged as changed ones, again and again as a whole, and on the next day, when the pace has
moved. Prints seconds, CPU and memory of each pass, what deliveries took, and JSON as the last line.
"""

import argparse
import asyncio
import json
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import asyncpg
import psutil
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from contracts import areas, catalogue
from contracts.catalogue import Catalogue
from contracts.pace import percentage
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData, indicator_updated
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres
from services.chassis.database import migrate, open_pool
from services.chassis.settings import PostgresSettings
from services.notifier import rules
from services.notifier.core.causes import Domain
from services.notifier.core.intake import digest
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.evaluating import Evaluating
from services.notifier.store import SCHEMA, figures, migrations
from tests.bench import hanging
from tests.bench.ground import COMMUNES, Country
from tests.bench.servers import machine, say

BOUND_SECONDS: Final = 10.0
"""For one pass over everything, on two cores."""

NOW: Final = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
_SEED: Final = 20261122
_BATCH: Final = 5_000
_MIB: Final = 2**20
_SETTINGS: Final = {"shared_buffers": "256MB", "max_wal_size": "1GB"}
_TARGETS: Final = {"2025": "60", "2030": "90"}


@dataclass(frozen=True, slots=True)
class Pass:
    """What one step of the evaluation took; CPU of this process and of PostgreSQL."""

    name: str
    seconds: float
    cpu: float
    postgres_cpu: float
    memory_bytes: int


def main() -> int:
    """Read the arguments, measure, print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communes", type=int, default=COMMUNES)
    parser.add_argument("--passes", type=int, default=5, help="over everything, on one day")
    parser.add_argument("--lagging", type=float, default=0.05, help="share of the figures")
    parser.add_argument("--part", choices=("evaluation", "delivery"), help="only this one")
    parser.add_argument("--alerts", type=int, default=300, help="told to each receiver")
    parser.add_argument("--rate", type=float, default=10, help="alerts a second")
    asked = parser.parse_args()
    say(machine())
    result: dict[str, object] = {"machine": machine()}
    is_within = True
    if asked.part != "delivery":
        passes = _evaluation(asked.communes, asked.passes, asked.lagging)
        result["passes"] = [asdict(one) for one in passes]
        is_within = _print(passes)
    if asked.part != "evaluation":
        shares = asyncio.run(hanging.measure(asked.alerts, asked.rate))
        result["deliveries"] = [asdict(one) for one in shares]
        is_within = is_within and shares[-1].p95 < hanging.BOUND_SECONDS
        print(f"\n{hanging.table(shares)}\n")  # noqa: T201
    print(json.dumps(result))  # noqa: T201
    return 0 if is_within else 1


def _evaluation(communes: int, passes: int, lagging: float) -> list[Pass]:
    with tempfile.TemporaryDirectory(prefix="nhipso-bench-") as name:
        folder = Path(name)
        # PostgreSQL may run under another account, which must be able to enter.
        folder.chmod(0o755)
        Country(communes).write(folder)
        return asyncio.run(_measure(folder, passes, lagging))


async def _measure(folder: Path, passes: int, lagging: float) -> list[Pass]:
    every = _with_targets(catalogue.load())
    in_force = rules.read(rules.shipped(), hold_for=timedelta(0))
    domain = Domain(areas.load(folder), every, in_force.minimum_denominator)
    found: list[Pass] = []
    async with _store(folder) as (pool, postgres):
        evaluating = Evaluating(
            pool,
            domain,
            in_force,
            NotifierMetrics(CollectorRegistry()),
            full_pass_every=timedelta(minutes=1),
        )

        async def measured(name: str, work: Callable[[], Awaitable[None]]) -> None:
            found.append(await _measured(name, work, postgres))
            one = found[-1]
            say(f"{name}: {one.seconds:.2f} s, {one.memory_bytes / _MIB:.0f} MiB")

        # The pass that begins each process, so that the next step takes what has changed alone.
        await evaluating.step(NOW)
        await measured("intake", lambda: _take_in(pool, domain, lagging))
        await measured("all, as changed", lambda: evaluating.step(NOW))
        for number in range(1, passes + 1):
            now = NOW + timedelta(minutes=number)
            await measured(f"all, pass {number}", partial(evaluating.step, now))
        tomorrow = NOW + timedelta(days=1)
        await measured("all, on the next day", lambda: evaluating.step(tomorrow))
    return found


def _with_targets(every: Catalogue) -> Catalogue:
    """The catalogue, with the same invented targets for each indicator."""
    form = every.model_dump(mode="json", by_alias=True)
    for indicator in form["indicators"]:
        indicator |= {"targets": _TARGETS, "baseline": None}
    return Catalogue.model_validate(form)


@asynccontextmanager
async def _store(folder: Path) -> AsyncIterator[tuple[asyncpg.Pool, psutil.Process]]:
    server = Postgres(
        folder / "postgres",
        port=free_port(),
        password=secrets.token_hex(16),
        settings=_SETTINGS,
    )
    try:
        server.start()
        server.wait_ready()
        await migrate(server.dsn, schema=SCHEMA, migrations=migrations())
        settings = PostgresSettings(dsn=SecretStr(server.dsn), pool_min=1, pool_max=4)
        pool = await open_pool(settings, schema=SCHEMA, application_name="bench")
        yield pool, psutil.Process(server.pid)
        await pool.close()
    finally:
        server.stop()


async def _take_in(pool: asyncpg.Pool, domain: Domain, lagging: float) -> None:
    batch: list[IndicatorUpdated] = []
    for event in _invented(domain, lagging):
        batch.append(event)
        if len(batch) == _BATCH:
            await _take(pool, domain.catalogue, batch)
            batch = []
    await _take(pool, domain.catalogue, batch)


async def _take(pool: asyncpg.Pool, every: Catalogue, batch: list[IndicatorUpdated]) -> None:
    digested = digest(batch, every)
    async with pool.acquire() as connection, connection.transaction():
        await figures.hear(connection, digested.heard)
        await figures.upsert(connection, digested.figures)


def _invented(domain: Domain, lagging: float) -> Iterator[IndicatorUpdated]:
    """A figure for each commune and indicator; a share of them is far under the pace."""
    rng = Random(_SEED)
    for area in domain.areas:
        if area.level != "commune":
            continue
        for indicator in domain.catalogue.by_id.values():
            denominator = rng.randint(500, 20_000)
            share = rng.uniform(0.2, 0.5) if rng.random() < lagging else rng.uniform(0.7, 1)
            numerator = int(denominator * share)
            yield indicator_updated(
                IndicatorUpdatedData(
                    area=area.area_id,
                    indicator=indicator.id,
                    basis="reported" if indicator.is_reported_only else "events",
                    numerator=numerator,
                    denominator=denominator,
                    value=percentage(numerator, denominator),
                    version=1,
                    updated_at=NOW,
                    fresh_at=NOW,
                )
            )


async def _measured(
    name: str, work: Callable[[], Awaitable[None]], postgres: psutil.Process
) -> Pass:
    wall, own, other = time.perf_counter(), time.process_time(), _cpu(postgres)
    await work()
    return Pass(
        name=name,
        seconds=round(time.perf_counter() - wall, 3),
        cpu=round(time.process_time() - own, 3),
        postgres_cpu=round(_cpu(postgres) - other, 3),
        memory_bytes=psutil.Process(os.getpid()).memory_info().rss,
    )


def _cpu(postmaster: psutil.Process) -> float:
    """Of the server and its sessions; those that have ended are in the postmaster's sum."""
    times = postmaster.cpu_times()
    live = (child.cpu_times() for child in postmaster.children())
    return times.children_user + times.children_system + sum(one.user + one.system for one in live)


def _print(found: list[Pass]) -> bool:
    """Print the passes; whether all were within the bound."""
    head = f"{'':<36}{'seconds':>10}{'CPU s':>10}{'PG CPU s':>10}{'RSS MiB':>10}"
    rows = [
        f"{one.name:<36}{one.seconds:>10.2f}{one.cpu:>10.2f}{one.postgres_cpu:>10.2f}"
        f"{one.memory_bytes / _MIB:>10.0f}"
        for one in found
    ]
    passes = [one for one in found if one.name.startswith("all")]
    worst = max(one.seconds for one in passes)
    said = f"slowest pass over everything: {worst:.2f} s (bound {BOUND_SECONDS:.0f} s)"
    memory = (
        f"memory: {passes[0].memory_bytes / _MIB:.0f} → {passes[-1].memory_bytes / _MIB:.0f} MiB"
    )
    print("\n".join([head, *rows, "", said, memory]))  # noqa: T201
    return worst < BOUND_SECONDS


if __name__ == "__main__":
    raise SystemExit(main())
