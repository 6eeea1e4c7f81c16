"""What the taking in of reports counts; no label names a unit."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge


class ReportMetrics:
    """The metrics of reports."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reports = Counter(
            "ingest_reports",
            "Reports by what became of them.",
            ("result",),
            registry=registry,
        )
        self.faults = Counter(
            "ingest_report_faults",
            "What was wrong with refused reports, cell by cell.",
            ("code",),
            registry=registry,
        )
        self.waiting = Gauge(
            "ingest_reports_waiting",
            "Reports that are kept and whose events the broker has not acknowledged.",
            registry=registry,
        )

    def refused(self, codes: Iterable[str]) -> None:
        """Count a refused report and all that is wrong with it."""
        self.reports.labels("refused").inc()
        for code in codes:
            self.faults.labels(code).inc()
