"""The fault suite: real processes, a plan of faults, and a verdict. Two minutes or ten."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from deploy.embedded.layout import Layout, Ports
from deploy.embedded.tokens import issue_all
from services.chassis.settings import read_secret
from tests.e2e.line import Line, _free_base
from tests.e2e.sending import sender
from tests.fault.feeding import Feed
from tests.fault.plan import KIND_OF, KINDS, Fault, Volley
from tests.fault.servers import Servers
from tests.fault.store import Store
from tests.fault.strikes import SCORING, Stage, strike
from tests.fault.topics import Topics
from tests.fault.verdict import Verdict, judge
from tests.fault.waiting import until
from tests.fault.watching import Watch
from tests.fault.workers import Workers

Say = Callable[[str], None]

_WORKERS: Final = 2
#: How long all faults of a volley may take to strike.
_VOLLEY_SECONDS: Final = 150.0
#: Events are sent in portions: several for each volley, until its faults have struck.
_PORTIONS: Final = 6
_SMALLEST_PORTION: Final = 60


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: int
    struck: Counter[Fault] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0
    retries: int = 0
    """Requests to ingest that had to be tried again."""
    looks: int = 0
    """How often Kafka's offsets were held against PostgreSQL's positions on the way."""
    restarts: int = 0
    """Starts of processes that had to be repeated, since a server was away."""

    @property
    def is_right(self) -> bool:
        """Whether nothing was lost and nothing counted twice."""
        return not self.verdict.wrong

    def table(self) -> str:
        """Faults by kind, and the verdict."""
        by_kind = Counter[str]()
        for fault, times in self.struck.items():
            by_kind[KIND_OF[fault]] += times
        verdict = self.verdict
        rows = [
            *((kind, by_kind[kind]) for kind in KINDS if by_kind[kind]),
            ("faults that struck", self.struck.total()),
            ("", ""),
            ("events sent", verdict.sent),
            ("events on the topic", verdict.written),
            ("events counted", verdict.counted),
            ("requests tried again", self.retries),
            ("looks whether Kafka leads", self.looks),
            ("figures held against the oracle", verdict.figures),
            ("subjects counted over", verdict.subjects),
            ("figures held against what was told", verdict.told),
            ("starts that had to be repeated", self.restarts),
        ]
        lines = [f"{what:<50}{number!s:>10}" for what, number in rows]
        said = "0 differences" if self.is_right else f"{len(verdict.wrong)} differences:"
        shown = [f"  {one}" for one in verdict.wrong[:20]]
        return "\n".join([*lines, "", f"seed {self.seed}, {self.seconds:.0f} s: {said}", *shown])


async def run(root: Path, seed: int, events: int, plan: Sequence[Volley], say: Say) -> Report:
    """Start everything in a folder, inflict the faults, judge, and stop everything.

    Args:
        root: an empty folder, which other accounts may enter.
        seed: decides the stream of events and what chance decides.
        events: how many at least.
        plan: the volleys of faults.
        say: is told how far it is.

    Raises:
        TimeoutError: a fault did not strike, or the line did not come to its end.
    """
    report = Report(seed)
    begun = time.monotonic()
    async with _stage(root, seed, events, plan) as (stage, watch):
        async with _looking(watch) as looking:
            for number, volley in enumerate(plan):
                budget = (events - len(stage.feed.sent)) // (len(plan) - number)
                await _inflict(volley, stage, watch, budget)
                report.struck.update(volley)
                names = ", ".join(map(str, volley))
                sent = f"{len(stage.feed.sent):>7} events"
                say(f"{time.monotonic() - begun:6.1f} s  {sent}  {names}")
                if looking.done():
                    looking.result()
            await stage.feed.portion(max(0, events - len(stage.feed.sent)))
            async with asyncio.timeout(_VOLLEY_SECONDS):
                await stage.caught_up()
        report.verdict = await judge(Line(root), stage.store, stage.topics, stage.feed, watch)
        report.looks = watch.looks
        report.retries = stage.feed.retries
        report.restarts = stage.workers.restarts
        report.verdict.wrong += stage.workers.surprises
    report.seconds = time.monotonic() - begun
    return report


@asynccontextmanager
async def _looking(watch: Watch) -> AsyncIterator["asyncio.Task[None]"]:
    """Look at what must hold at every moment, until the context is left."""
    looking = asyncio.create_task(watch.kafka_never_leads())
    try:
        yield looking
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def _inflict(volley: Volley, stage: Stage, watch: Watch, budget: int) -> None:
    """Feed events until each fault of a volley has struck, and the rest of the budget then."""
    before = len(stage.feed.sent)
    strikes = [asyncio.create_task(strike(fault, stage), name=str(fault)) for fault in volley]
    struck = asyncio.gather(*strikes)
    struck.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        async with asyncio.timeout(_VOLLEY_SECONDS):
            while not struck.done():
                await stage.feed.portion(stage.portion)
                await until(lambda: _done_or_caught_up(struck, stage))
            await struck
            # At once, before what was not told is told with the next change.
            await watch.what_is_marked_has_been_told()
            await stage.feed.portion(max(0, budget - (len(stage.feed.sent) - before)))
    except TimeoutError:
        waiting = [one.get_name() for one in strikes if one.cancelled() or not one.done()]
        raise TimeoutError(f"these faults have not struck: {', '.join(waiting)}") from None
    finally:
        for one in strikes:
            one.cancel()
        await asyncio.gather(*strikes, return_exceptions=True)


async def _done_or_caught_up(struck: "asyncio.Future[list[None]]", stage: Stage) -> bool:
    return struck.done() or await stage.is_caught_up()


@asynccontextmanager
async def _stage(
    root: Path, seed: int, events: int, plan: Sequence[Volley]
) -> AsyncIterator[tuple[Stage, Watch]]:
    """Everything started and ready to be struck."""
    ports, layout = Ports(_free_base()), Layout(root)
    servers = Servers(
        root, kafka=ports.kafka, controller=ports.kafka_controller, postgres=ports.postgres
    )
    tokens = issue_all(servers.signing_key, (), datetime.now(UTC))
    workers = Workers(layout, ports, tokens)
    async with AsyncExitStack() as opened:
        opened.callback(servers.stop)
        servers.start()
        store = Store(servers.postgres.dsn)
        opened.push_async_callback(store.close)
        opened.push_async_callback(workers.stop)
        await workers.start(_WORKERS)
        topics, watched = Topics(servers.kafka.bootstrap), Topics(servers.kafka.bootstrap)
        opened.push_async_callback(topics.close)
        opened.push_async_callback(watched.close)
        await SCORING.prepare(servers.postgres.dsn, store)
        to = await opened.enter_async_context(sender(Line(root)))
        feed = Feed(
            seed=seed,
            size=events,
            now=datetime.now(UTC),
            bootstrap=servers.kafka.bootstrap,
            pseudonym_key=read_secret(layout.secrets.pseudonym_key),
            sender=to,
        )
        opened.push_async_callback(feed.stop)
        stage = Stage(
            servers=servers,
            workers=workers,
            store=store,
            topics=topics,
            feed=feed,
            rng=Random(seed),
            portion=max(_SMALLEST_PORTION, events // (_PORTIONS * max(1, len(plan)))),
        )
        yield stage, Watch(store, watched)
