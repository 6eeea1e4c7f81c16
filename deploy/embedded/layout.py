"""Where things are: the files of a data directory and the ports of a stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import StackError
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.secret_files import SecretFiles

DEFAULT_PORT_BASE = 8600

_LOWEST, _HIGHEST = 1024, 65535


@dataclass(frozen=True)
class Layout:
    """The files of one data directory.

    `endpoints.json` (while the stack runs), `receivers.yaml` (who gets mail; may be edited),
    `connectors.yaml` (sources that ingest reads by itself; may be edited), and the directories `kafka`, `postgres`, `secrets`, `logs`, `mail` and `run`.
    """

    root: Path

    @property
    def endpoints(self) -> Path:
        """Addresses, process ids and tokens, while the stack runs."""
        return self.root / "endpoints.json"

    @property
    def receivers(self) -> Path:
        """Who gets the notifier's messages."""
        return self.root / "receivers.yaml"

    @property
    def connectors(self) -> Path:
        """The sources that ingest reads by itself."""
        return self.root / "connectors.yaml"

    @property
    def kafka(self) -> Path:
        """The broker's data and configuration."""
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.root / "postgres"

    @property
    def secrets(self) -> SecretFiles:
        """Keys, passwords and tokens."""
        return SecretFiles(self.root / "secrets")

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.root / "logs"

    @property
    def mail(self) -> Path:
        """Each message the notifier sent, as an `.eml` file."""
        return self.root / "mail"

    @property
    def run(self) -> Path:
        """The lock of the running stack and the record of its processes."""
        return self.root / "run"


@dataclass(frozen=True)
class Province:
    """Folders of a province's own data; None for what ships with the contract."""

    areas: Path | None = None
    """Holds areas.csv and area_lineage.csv."""
    catalogue: Path | None = None
    """Holds rules.yaml and the sets."""
    reporting: Path | None = None
    """Holds calendar.yaml."""

    def environment(self) -> Mapping[str, str]:
        """Return the variables by which services find them."""
        named = {
            "NHIPSO_AREAS__FOLDER": self.areas,
            "NHIPSO_CATALOGUE__FOLDER": self.catalogue,
            "NHIPSO_REPORTING__FOLDER": self.reporting,
        }
        # Services run in the data directory, so that paths must not be relative.
        return {name: str(path.resolve()) for name, path in named.items() if path is not None}


#: A province without data of its own.
SHIPPED = Province()


@dataclass(frozen=True)
class Ports:
    """Which port is whose, counted from a base."""

    base: int

    def __post_init__(self) -> None:
        if not _LOWEST <= self.base <= _HIGHEST - len(self.all()):
            raise StackError(
                f"--port-base {self.base} leaves no room; choose one from {_LOWEST} "
                f"to {_HIGHEST - len(self.all())}"
            )

    @property
    def dashboard(self) -> int:
        """The dashboard's pages: the base itself."""
        return self.base

    @property
    def ingest(self) -> int:
        """Ingest's HTTP."""
        return self.base + 1

    @property
    def scoring(self) -> int:
        """Scoring's HTTP."""
        return self.base + 2

    @property
    def notifier(self) -> int:
        """The notifier's HTTP."""
        return self.base + 3

    @property
    def kafka(self) -> int:
        """The broker, for clients."""
        return self.base + 4

    @property
    def kafka_controller(self) -> int:
        """The broker's controller, for itself."""
        return self.base + 5

    @property
    def postgres(self) -> int:
        """PostgreSQL."""
        return self.base + 6

    @property
    def mail(self) -> int:
        """The local mail server, SMTP."""
        return self.base + 7

    def all(self) -> Mapping[str, int]:
        """Every port by what it is for."""
        return {
            "dashboard": self.dashboard,
            "ingest": self.ingest,
            "scoring": self.scoring,
            "notifier": self.notifier,
            "kafka": self.kafka,
            "kafka's controller": self.kafka_controller,
            "postgres": self.postgres,
            "mail": self.mail,
        }

    def url(self, service: str) -> str:
        """The base URL of one of the four services."""
        return f"http://{LOOPBACK}:{self.all()[service]}"
