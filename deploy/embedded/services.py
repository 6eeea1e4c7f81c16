"""Our own processes as programs of the stack: how each is started and where it is told to be."""

import os
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.embedded.child import Child
from deploy.embedded.layout import SHIPPED, Layout, Ports, Province
from deploy.embedded.ports import LOOPBACK

SERVICES = ("ingest", "scoring", "notifier", "dashboard")
MAIL_SENDER = "nhip-so@example.vn"

_PROBE_SECONDS = 3.0
_SIMULATOR_PROVEN_SECONDS = 5.0


class Service:
    """One of our services; it serves when `/readyz` says so."""

    def __init__(
        self,
        name: str,
        layout: Layout,
        ports: Ports,
        *,
        demo: bool,
        province: Province = SHIPPED,
    ) -> None:
        self.name = name
        self._port = ports.all()[name]
        self.child = Child(
            name=name,
            argv=[sys.executable, "-m", f"services.{name}"],
            log=layout.logs / f"{name}.log",
            env={
                **_haste(demo=demo),
                **_inherited(),
                **environment(name, layout, ports, province),
            },
            cwd=layout.root,
        )

    def prepare(self) -> None:
        """Nothing: a service makes its topics and its schema itself."""

    def before_start(self) -> None:
        """Nothing is in the way of a new process."""

    def is_ready(self) -> bool:
        """Ask the service whether its dependencies answer and its work goes forward."""
        connection = HTTPConnection(LOOPBACK, self._port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class Simulator:
    """The invented province, which goes on sending. It wants `endpoints.json` to be there."""

    name = "simulator"

    def __init__(self, layout: Layout) -> None:
        self._started_at = 0.0
        self.child = Child(
            name=self.name,
            argv=[
                sys.executable,
                "-m",
                "services.cli",
                "simulate",
                "--endpoints",
                str(layout.endpoints),
                "--forever",
            ],
            log=layout.logs / "simulator.log",
            cwd=layout.root,
        )

    def prepare(self) -> None:
        """Nothing: it remembers by itself how far it is."""

    def before_start(self) -> None:
        """Note when the process starts."""
        self._started_at = time.monotonic()

    def is_ready(self) -> bool:
        """Tell whether it has run for a while; it serves nobody who could be asked."""
        return self.child.alive and time.monotonic() - self._started_at > _SIMULATOR_PROVEN_SECONDS


def _haste(*, demo: bool) -> Mapping[str, str]:
    """Return the patience of the notifier here: a province waits days, who tries it out cannot.

    While the demo fills the province its figures climb from nothing, and nobody is to be alarmed by
    that. What the caller has set goes before.
    """
    return {
        "NHIPSO_NOTIFIER__FOR_SECONDS": "180" if demo else "15",
        "NHIPSO_NOTIFIER__GROUP_WAIT_SECONDS": "15",
        "NHIPSO_NOTIFIER__GROUP_INTERVAL_SECONDS": "600",
        # Whoever tries it out on a Sunday evening wants to see a letter.
        "NHIPSO_NOTIFIER__QUIET_HOURS": "false",
    }


def _inherited() -> Mapping[str, str]:
    """Return the caller's environment, without what would contradict ours."""
    return {name: value for name, value in os.environ.items() if name != "NHIPSO_POSTGRES__DSN"}


def environment(
    name: str, layout: Layout, ports: Ports, province: Province = SHIPPED
) -> Mapping[str, str]:
    """Return the settings of one service. What the caller has set beside them is passed on."""
    secrets = layout.secrets
    common = {
        "PYTHONUNBUFFERED": "1",
        "NHIPSO_HTTP__HOST": LOOPBACK,
        "NHIPSO_HTTP__PORT": str(ports.all()[name]),
    }
    if name == "dashboard":
        return {
            **common,
            "NHIPSO_DASHBOARD__SCORING_URL": ports.url("scoring"),
            "NHIPSO_DASHBOARD__NOTIFIER_URL": ports.url("notifier"),
            "NHIPSO_DASHBOARD__TOKEN_FILE": str(secrets.dashboard_token),
        }
    common |= {
        **province.environment(),
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": f"{LOOPBACK}:{ports.kafka}",
        "NHIPSO_TOKENS__JWKS_FILE": str(secrets.jwks),
    }
    own: Mapping[str, Mapping[str, str | Path]] = {
        "ingest": {
            "NHIPSO_PSEUDONYM__KEY_FILE": secrets.pseudonym_key,
            "NHIPSO_REJECTIONS__KEY_FILE": secrets.rejections_private,
            "NHIPSO_POSTGRES__DSN_FILE": secrets.postgres_dsn,
            "NHIPSO_CONNECTORS__FILE": layout.connectors,
        },
        "scoring": {
            "NHIPSO_POSTGRES__DSN_FILE": secrets.postgres_dsn,
            "NHIPSO_REJECTIONS__PUBLIC_KEY_FILE": secrets.rejections_public,
        },
        "notifier": {
            "NHIPSO_POSTGRES__DSN_FILE": secrets.postgres_dsn,
            "NHIPSO_NOTIFIER__RECEIVERS_FILE": layout.receivers,
            "NHIPSO_NOTIFIER__LINKS__DASHBOARD_URL": ports.url("dashboard"),
            "NHIPSO_NOTIFIER__LINKS__NOTIFIER_URL": ports.url("notifier"),
            "NHIPSO_NOTIFIER__LINKS__KEY_FILE": secrets.links_key,
            "NHIPSO_NOTIFIER__SMTP__HOST": LOOPBACK,
            "NHIPSO_NOTIFIER__SMTP__PORT": str(ports.mail),
            "NHIPSO_NOTIFIER__SMTP__SENDER": MAIL_SENDER,
            "NHIPSO_NOTIFIER__SMTP__TLS": "none",
        },
    }
    return {**common, **{variable: str(value) for variable, value in own[name].items()}}
