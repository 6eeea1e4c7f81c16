"""What is counted of connectors. Labels are names of the configuration, never of anybody."""

from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.ingest.connectors.checkpoints import State

_STATES: Final[tuple[State, ...]] = get_args(State)


class ConnectorMetrics:
    """The metrics of all connectors of a process; only those that run here have any."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "ingest_connector_records",
            "Records read, by what became of their events.",
            ("connector", "result"),
            registry=registry,
        )
        self.errors = Counter(
            "ingest_connector_errors",
            "Readings that failed and are tried again, by the kind of error.",
            ("connector", "error"),
            registry=registry,
        )
        self.last_read = Gauge(
            "ingest_connector_last_read_timestamp_seconds",
            "When a reading was last taken to its end, seconds since the epoch.",
            ("connector",),
            registry=registry,
        )
        self.behind = Gauge(
            "ingest_connector_behind_records",
            "Records that are known to wait at the source.",
            ("connector",),
            registry=registry,
        )
        self.lost = Counter(
            "ingest_connector_lost_records",
            "Records that the source has removed before they were read.",
            ("connector",),
            registry=registry,
        )
        self._state = Gauge(
            "ingest_connector_state",
            "1 for the state that a connector is in here, 0 for the others.",
            ("connector", "state"),
            registry=registry,
        )

    def set_state(self, connector: str, state: State) -> None:
        """Show one state and no other."""
        # It is there from the start, so that its first increase shows as one.
        self.lost.labels(connector)
        for one in _STATES:
            self._state.labels(connector, one).set(1 if one == state else 0)
