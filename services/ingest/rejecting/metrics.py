"""What is counted of rejections. Labels name no person and have a bounded set of values."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge


class RejectionMetrics:
    """The metrics of this room."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "ingest_rejection_records",
            "Records of rejected-events.v1 by what became of them: kept, or unreadable.",
            ("result",),
            registry=registry,
        )
        self.worked = Counter(
            "ingest_rejections_worked",
            "Rejections that were worked on, by outcome.",
            ("outcome",),
            registry=registry,
        )
        self._open = Gauge(
            "ingest_rejections_open",
            "Open rejections by source and reason, the same in every process of ingest; a source "
            "that the caller may not use counts as other.",
            ("source", "reason"),
            registry=registry,
        )
        self._paused = Gauge(
            "ingest_source_paused",
            "1 for a source of which nothing is taken, because most of it was refused.",
            ("source",),
            registry=registry,
        )

    def set_paused(self, source: str, is_paused: bool) -> None:
        """Say whether a source is paused."""
        self._paused.labels(source).set(is_paused)

    def set_open(self, counts: Iterable[tuple[str, str, int]]) -> None:
        """Set how many are open by source and reason."""
        self._open.clear()
        for source, reason, count in counts:
            self._open.labels(source, reason).set(count)
