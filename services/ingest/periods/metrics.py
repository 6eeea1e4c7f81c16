"""How many units' reports stand how; by kind of period and level, never by unit."""

from collections.abc import Iterable
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

from contracts.areas import Level
from contracts.report_events import ReportEventType
from contracts.reporting import PeriodKind
from services.ingest.core.completeness import Sums

#: The latest period that is still in time, and the latest one that is overdue or closed.
Phase = Literal["open", "due"]

_STANDINGS: Final = ("complete", "incomplete", "on_time", "late", "missing", "not_due")


class PeriodMetrics:
    """The metrics of reporting periods."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._units = Gauge(
            "ingest_report_units",
            "Units by how their reports stand: of the latest period that is open, and of the "
            "latest one that was due.",
            ("kind", "level", "phase", "standing"),
            registry=registry,
        )
        self._told = Counter(
            "ingest_report_events",
            "Events about reports that were published, by what they tell.",
            ("type",),
            registry=registry,
        )
        self._since_looked = Gauge(
            "ingest_reports_looked_at_timestamp_seconds",
            "When this process last counted reports, seconds since the epoch.",
            registry=registry,
        )

    def show(self, kind: PeriodKind, level: Level, phase: Phase, sums: Sums) -> None:
        """Show the counts of one kind of period, level and phase."""
        for standing in _STANDINGS:
            self._units.labels(kind, level, phase, standing).set(getattr(sums, standing))

    def looked(self, moment: float) -> None:
        """Show when was last counted."""
        self._since_looked.set(moment)

    def told(self, types: Iterable[ReportEventType]) -> None:
        """Count published events."""
        for event_type in types:
            self._told.labels(event_type).inc()
