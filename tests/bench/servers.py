"""A broker and a PostgreSQL for a bench, in a folder that goes with it, and what they cost."""

import platform
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.embedded.postgres import Postgres

#: What a deployment may set; durability stays as it is by default.
SETTINGS: Final = {"max_wal_size": "4GB", "shared_buffers": "1GB", "wal_buffers": "64MB"}

#: Disk: what a loaded event takes in the topic and in the store (measured: 100 and 60), and the log
#: of PostgreSQL up to `max_wal_size` with the rest.
_EVENT_BYTES: Final = 250
_REST_BYTES: Final = 6_000_000_000


class DiskError(Exception):
    """There is not enough room for what is to be measured."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU time in seconds since the servers were started."""

    kafka: float
    postgres: float

    def since(self, before: "Cpu") -> dict[str, float]:
        """The difference, for JSON."""
        return {
            "kafka": round(self.kafka - before.kafka, 2),
            "postgres": round(self.postgres - before.postgres, 2),
        }


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, running."""

    kafka: Kafka
    postgres: Postgres
    folder: Path

    def cpu(self) -> Cpu:
        """What they have used so far."""
        broker = psutil.Process(self.kafka.pid).cpu_times()
        postmaster = psutil.Process(self.postgres.pid)
        server = postmaster.cpu_times()
        # Sessions that have ended are in the postmaster's sum of children, the others run.
        live = [child.cpu_times() for child in postmaster.children()]
        ended = server.children_user + server.children_system
        running = sum(one.user + one.system for one in [server, *live])
        return Cpu(broker.user + broker.system, ended + running)


@contextmanager
def servers(events: int, **settings: str) -> Iterator[Servers]:
    """Start both; afterwards stop them and remove all they have written.

    `settings` are PostgreSQL's, beside the usual ones.

    Raises:
        DiskError: so many events need more disk than there is.
    """
    with tempfile.TemporaryDirectory(prefix="nhipso-bench-") as name:
        folder = Path(name)
        need, free = disk_bytes(events), shutil.disk_usage(folder).free
        if free < need:
            raise DiskError(
                f"{events:,} events may take {need / 1e9:.0f} GB below {folder.parent}, where "
                f"{free / 1e9:.0f} GB are free; set TMPDIR to a larger disk, or measure fewer"
            )
        # PostgreSQL may run under another account, which must be able to enter.
        folder.chmod(0o755)
        kafka = Kafka(folder / "kafka", port=free_port(), controller_port=free_port())
        postgres = Postgres(
            folder / "postgres",
            port=free_port(),
            password=secrets.token_hex(16),
            settings={**SETTINGS, **settings},
        )
        try:
            kafka.start()
            postgres.start()
            kafka.wait_ready()
            postgres.wait_ready()
            yield Servers(kafka, postgres, folder)
        finally:
            kafka.stop()
            postgres.stop()


def disk_bytes(events: int) -> int:
    """What a bench over so many events may take, with room to spare."""
    return _REST_BYTES + _EVENT_BYTES * events


def say(text: str) -> None:
    """Tell how far it is; results alone go to standard output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def machine() -> str:
    """What a figure was measured on, in a line."""
    load = psutil.getloadavg()[0]
    memory = psutil.virtual_memory().total / 2**30
    cores = psutil.cpu_count()
    return f"{cores} cores, {memory:.0f} GiB, Python {platform.python_version()}, load {load:.2f}"
