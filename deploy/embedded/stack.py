"""Everything on loopback, from one call: `run`.

Order of the start: what an earlier stack left behind is ended, PostgreSQL and Kafka are prepared
and started side by side, then the services, then `endpoints.json` is written, then the simulator
begins. The order of the stop is the reverse.
"""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from contracts import areas
from contracts.times import local_day
from contracts.tokens import Role
from deploy.embedded.child import open_log
from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import SHIPPED, Layout, Ports, Province
from deploy.embedded.leftovers import end_leftovers, lock, record
from deploy.embedded.mail import mail_server
from deploy.embedded.ports import require_free
from deploy.embedded.postgres import Postgres
from deploy.embedded.program import Program
from deploy.embedded.progress import Progress, Report, State
from deploy.embedded.secret_files import write_private
from deploy.embedded.services import SERVICES, Service, Simulator
from deploy.embedded.supervisor import Supervisor
from deploy.embedded.tokens import issue_all
from deploy.embedded.user_files import write_connectors, write_receivers

SERVERS_TIMEOUT_SECONDS = 90.0
SERVICES_TIMEOUT_SECONDS = 120.0
STOP_GRACE_SECONDS = 25.0


def run(
    data_dir: Path, port_base: int, demo: bool, report: Report, province: Province = SHIPPED
) -> int:
    """Start the stack, keep it running, stop it on SIGINT or SIGTERM. Call it in the main thread.

    Args:
        data_dir: holds everything; made if absent. A later run goes on from what is there.
        port_base: the first of eight ports, see `Ports`.
        demo: whether the simulator fills the province and goes on sending.
        report: hears what happens, in this thread.
        province: the units and the catalogue that the services go by.

    Returns:
        0 when all went by itself at the end, 1 when something had to be killed.

    Raises:
        StackError: it cannot start. What had been started is stopped again.
        AreasError: the units cannot be used.
    """
    layout = Layout(data_dir.resolve())
    stack = _Stack(layout, Ports(port_base), report, province)
    with lock(stack.layout.run):
        return stack.run(demo=demo)


class _Stack:
    """One run of the stack on one data directory."""

    def __init__(self, layout: Layout, ports: Ports, report: Report, province: Province) -> None:
        self.layout = layout
        self._ports = ports
        self._report = report
        self._province = province
        self._begun = time.monotonic()
        self._supervisor = Supervisor(self._tell, self._on_change)
        self._tokens: Mapping[str, str] = {}
        self._running = False

    def run(self, *, demo: bool) -> int:
        layout, ports = self.layout, self._ports
        layout.endpoints.unlink(missing_ok=True)
        if ended := end_leftovers(layout.run):
            self._tell("stack", State.NOTE, f"ended {ended} processes of a stack that was killed")
        require_free(ports.all())
        clean = False
        with self._supervisor.signals(), mail_server(layout.mail, ports.mail):
            try:
                self._start(self._prepare(), demo=demo)
                self._supervisor.watch()
            finally:
                self._running = False
                layout.endpoints.unlink(missing_ok=True)
                clean = self._supervisor.stop(STOP_GRACE_SECONDS)
                self._tell("stack", State.STOPPED, "")
        return 0 if clean else 1

    def _prepare(self) -> Sequence[Program]:
        """Make secrets, tokens, receivers and connectors; make Kafka and PostgreSQL ready to start."""
        layout, ports = self.layout, self._ports
        now = datetime.now(UTC)
        signing_key = layout.secrets.make()
        unit_ids = areas.load(self._province.areas).lasting(local_day(now))
        self._tokens = issue_all(signing_key, unit_ids, now)
        reader = {"sub": "dashboard", "role": Role.LEADER}
        write_private(layout.secrets.dashboard_token, signing_key.issue(reader, now))
        write_receivers(layout.receivers, unit_ids)
        write_connectors(layout.connectors)
        self._postgres = Postgres(
            layout.postgres,
            port=ports.postgres,
            password=layout.secrets.postgres_password.read_text(encoding="ascii").strip(),
            log_directory=layout.logs,
        )
        write_private(layout.secrets.postgres_dsn, self._postgres.dsn)
        self._kafka = Kafka(
            layout.kafka,
            port=ports.kafka,
            controller_port=ports.kafka_controller,
            log_directory=layout.logs,
        )
        servers: Sequence[Program] = [self._postgres, self._kafka]
        for server in servers:
            self._tell(server.name, State.PREPARING, "")
        with ThreadPoolExecutor(max_workers=len(servers)) as pool:
            list(pool.map(lambda server: server.prepare(), servers))
        account = self._postgres.child.account
        if account.other:
            self._tell(
                "postgres", State.NOTE, f"runs as user {account.name}, because it refuses root"
            )
        return servers

    def _start(self, servers: Sequence[Program], *, demo: bool) -> None:
        supervisor = self._supervisor
        if supervisor.stopping:
            return
        supervisor.start(servers)
        if not supervisor.wait_ready(SERVERS_TIMEOUT_SECONDS):
            return
        supervisor.start(
            [
                Service(name, self.layout, self._ports, demo=demo, province=self._province)
                for name in SERVICES
            ]
        )
        if not supervisor.wait_ready(SERVICES_TIMEOUT_SECONDS):
            return
        self._running = True
        self._write_endpoints()
        self._tell("stack", State.RUNNING, str(self.layout.endpoints), self._addresses())
        if demo:
            supervisor.start([Simulator(self.layout)])

    def _on_change(self) -> None:
        record(self.layout.run, self._supervisor.children)
        if self._running:
            self._write_endpoints()

    def _write_endpoints(self) -> None:
        """Write addresses, process ids and tokens (wire contract, "The embedded stack")."""
        pids = {child.name: child.pid for child in self._supervisor.children}
        content = {
            **{name: self._ports.url(name) for name in SERVICES},
            "kafka": self._kafka.bootstrap,
            "postgres": self._postgres.dsn,
            "pids": {name: pids[name] for name in ("kafka", "postgres", *SERVICES)},
            "tokens": self._tokens,
        }
        write_private(self.layout.endpoints, json.dumps(content, indent=1))

    def _addresses(self) -> Mapping[str, str]:
        return {
            **{name: self._ports.url(name) for name in ("dashboard", *SERVICES[:-1])},
            "kafka": self._kafka.bootstrap,
            "postgres": f"{self._kafka.bootstrap.partition(':')[0]}:{self._ports.postgres}",
            "mail": str(self.layout.mail),
            "logs": str(self.layout.logs),
            "endpoints": str(self.layout.endpoints),
        }

    def _tell(
        self, name: str, state: State, detail: str, addresses: Mapping[str, str] | None = None
    ) -> None:
        """Tell whoever listens, and the log."""
        seconds = time.monotonic() - self._begun
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        with open_log(self.layout.logs / "supervisor.log") as log:
            log.write(f"{moment} {name} {state} {detail}".rstrip().encode() + b"\n")
        self._report(Progress(name, state, seconds, detail, addresses or {}))
