"""Everything that the notifier's fault suite strikes, and by which it sees what comes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.topics import INDICATOR_EVENTS
from deploy.embedded.layout import Layout, Ports
from deploy.embedded.ports import LOOPBACK
from services.notifier.pipeline.consuming import GROUP
from tests.bench.ground import Country
from tests.e2e.line import _free_base
from tests.fault.notifier.feeding import Feed
from tests.fault.notifier.processes import Processes
from tests.fault.notifier.receiving import Receiving, receiving
from tests.fault.servers import Servers
from tests.fault.store import Store
from tests.fault.topics import PARTITIONS, Topics
from tests.fault.waiting import until

#: Nothing is held back, so that whatever would be told twice is told twice.
_TUNING: Final = {
    "NHIPSO_KAFKA__PARTITIONS": str(PARTITIONS),
    "NHIPSO_NOTIFIER__FOR_SECONDS": "0",
    "NHIPSO_NOTIFIER__QUIET_HOURS": "false",
    "NHIPSO_NOTIFIER__GROUP_WAIT_SECONDS": "0",
    "NHIPSO_NOTIFIER__GROUP_INTERVAL_SECONDS": "0",
    "NHIPSO_NOTIFIER__EVALUATE_EVERY_SECONDS": "0.1",
    "NHIPSO_NOTIFIER__FULL_PASS_EVERY_SECONDS": "3",
    "NHIPSO_NOTIFIER__DELIVER_EVERY_SECONDS": "0.1",
    "NHIPSO_NOTIFIER__LEASE_SECONDS": "4",
    "NHIPSO_NOTIFIER__WEBHOOK_TIMEOUT_SECONDS": "3",
    "NHIPSO_NOTIFIER__SMTP__TIMEOUT_SECONDS": "3",
}

_LEFT: Final = """
    SELECT (SELECT count(*) FROM deliveries WHERE state = 'waiting')
        + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM figures WHERE is_changed)
        + (SELECT (coalesce(max(version), 0) < $1)::int FROM figures)
"""


@dataclass(frozen=True)
class Stage:
    """The servers, the processes and the receivers of one run; `patience` is seconds."""

    servers: Servers
    processes: Processes
    received: Receiving
    store: Store
    topics: Topics
    feed: Feed
    codes: tuple[str, ...]
    patience: float

    async def all_told(self) -> None:
        """Wait until there is nothing left to tell.

        Raises:
            TimeoutError: something is left for too long.
        """
        await self.patiently("not all units have been told", until(self.is_calm))

    async def is_calm(self) -> bool:
        """Whether each unit of which a figure was sent has been told, and nothing is left."""
        if not all(self.received.has_told(code) for code in self.codes[: self.feed.sent]):
            return False
        left: int = await self.store.value(_LEFT, self.feed.newest)
        return left == 0

    async def is_read(self) -> bool:
        """Whether the group has committed all that stands on the topic."""
        ends = await self.topics.ends(INDICATOR_EVENTS)
        held = await self.topics.committed(GROUP, INDICATOR_EVENTS)
        return all(held.get(partition, 0) >= end for partition, end in ends.items())

    async def patiently(self, what: str, work: Awaitable[object]) -> None:
        """Wait for work, and say what is wrong if it takes too long.

        Raises:
            TimeoutError: with these words.
        """
        try:
            async with asyncio.timeout(self.patience):
                await work
        except TimeoutError:
            raise TimeoutError(f"{what} after {self.patience:.0f} s") from None


@asynccontextmanager
async def staged(root: Path, units: int, patience: float) -> AsyncIterator[Stage]:
    """Start the servers and the receivers; the notifier's processes are the caller's to start."""
    ports, layout, country = Ports(_free_base()), Layout(root), Country(units)
    country.write(root)
    servers = Servers(
        root, kafka=ports.kafka, controller=ports.kafka_controller, postgres=ports.postgres
    )
    codes = tuple(f"{number:05d}" for number in range(1, units + 1))
    areas = {code: f"sim:{code}" for code in codes}
    async with AsyncExitStack() as opened:
        received = await opened.enter_async_context(receiving())
        received.write(layout.receivers, areas)
        opened.callback(servers.stop)
        servers.start()
        store = Store(servers.postgres.dsn, schema="notifier")
        opened.push_async_callback(store.close)
        topics = Topics(servers.kafka.bootstrap)
        opened.push_async_callback(topics.close)
        processes = Processes(
            root,
            {
                "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": servers.kafka.bootstrap,
                "NHIPSO_POSTGRES__DSN_FILE": str(layout.secrets.postgres_dsn),
                "NHIPSO_TOKENS__JWKS_FILE": str(layout.secrets.jwks),
                "NHIPSO_AREAS__FOLDER": str(root),
                "NHIPSO_NOTIFIER__RECEIVERS_FILE": str(layout.receivers),
                "NHIPSO_NOTIFIER__SMTP__HOST": LOOPBACK,
                "NHIPSO_NOTIFIER__SMTP__PORT": str(received.mail_port),
                "NHIPSO_NOTIFIER__SMTP__TLS": "none",
                **_TUNING,
            },
        )
        opened.push_async_callback(processes.stop)
        yield Stage(
            servers=servers,
            processes=processes,
            received=received,
            store=store,
            topics=topics,
            feed=Feed(servers.kafka.bootstrap, list(areas.values())),
            codes=codes,
            patience=patience,
        )
