"""A broker and a PostgreSQL that can be struck down and started again on the same data."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import Layout
from deploy.embedded.postgres import Postgres
from deploy.embedded.program import Program, start_together, wait_ready
from deploy.embedded.secret_files import write_private

#: fsync and synchronous_commit stay on, as they are by default.
_SETTINGS: Final = {"shared_buffers": "64MB", "max_wal_size": "1GB", "max_connections": "80"}
_READY_SECONDS: Final = 120.0


class Servers:
    """Both servers, in a folder of their own. Start them from the main thread."""

    def __init__(self, root: Path, *, kafka: int, controller: int, postgres: int) -> None:
        self._layout = Layout(root)
        secrets = self._layout.secrets
        self.signing_key = secrets.make()
        self.kafka = Kafka(
            self._layout.kafka,
            port=kafka,
            controller_port=controller,
            heap="512m",
            log_directory=self._layout.logs,
        )
        self.postgres = Postgres(
            self._layout.postgres,
            port=postgres,
            password=secrets.postgres_password.read_text(encoding="utf-8").strip(),
            settings=_SETTINGS,
            log_directory=self._layout.logs,
        )
        write_private(secrets.postgres_dsn, self.postgres.dsn)

    def start(self) -> None:
        """Start both and wait until they serve."""
        start_together([self.postgres, self.kafka], _READY_SECONDS)

    def stop(self) -> None:
        """Stop both."""
        self.kafka.stop()
        self.postgres.stop()

    async def kill_kafka(self) -> None:
        """End the broker with SIGKILL and start it again."""
        await _strike_down(self.kafka, signal.SIGKILL)

    async def crash_postgres(self) -> None:
        """Stop PostgreSQL at once, without a checkpoint, and start it again: crash recovery.

        SIGQUIT is what `pg_ctl stop -m immediate` sends.
        """
        await _strike_down(self.postgres, signal.SIGQUIT)


async def _strike_down(program: Program, with_signal: signal.Signals) -> None:
    child = program.child
    assert child.pid is not None
    os.kill(child.pid, with_signal)
    while child.alive:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)
    child.sweep()
    program.before_start()
    # A child is bound to the thread that starts it, so this is done here and not in a thread.
    child.start()
    await asyncio.to_thread(wait_ready, program, _READY_SECONDS)
