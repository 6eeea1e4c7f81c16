"""What ingest counts. No label or value names a person; every label has a bounded set of values."""

from collections import Counter as Counts
from collections.abc import Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.tokens import Principal
from services.ingest.core.verdicts import Accepted, Refused

_OTHER = "other"


class IngestMetrics:
    """The metrics of the way from a request to the topics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "ingest_events",
            "Events by what became of them.",
            ("result", "domain"),
            registry=registry,
        )
        self._rejected = Counter(
            "ingest_rejected",
            "Refused events by reason; a source that the caller may not use counts as other.",
            ("reason", "source"),
            registry=registry,
        )
        self._unlisted = Counter(
            "ingest_unlisted_fields",
            "Fields of data that were dropped because the contract does not list them.",
            ("type",),
            registry=registry,
        )
        self._freshness = Gauge(
            "ingest_source_last_event_timestamp_seconds",
            "Event time of the latest accepted event of a source, seconds since the epoch.",
            ("source",),
            registry=registry,
        )
        self._latest: dict[str, float] = {}
        self.publishing = Histogram(
            "ingest_publish_seconds",
            "From handing a request's records to the producer until the broker acknowledged them.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=registry,
        )

    def accepted(self, events: Sequence[Accepted]) -> None:
        """Count events that the broker has acknowledged."""
        # Counted together first: finding a metric's labels costs more than adding up.
        for domain, count in Counts(event.domain for event in events).items():
            self._events.labels("accepted", domain).inc(count)
        latest: dict[str, datetime] = {}
        for event in events:
            if event.unlisted:
                self._unlisted.labels(event.type).inc(event.unlisted)
            if event.source not in latest or event.occurred_at > latest[event.source]:
                latest[event.source] = event.occurred_at
        for source, occurred_at in latest.items():
            self._advance(source, occurred_at.timestamp())

    def last_event(self, source: str) -> datetime | None:
        """When the latest accepted event of a source happened; None if none came to this process."""
        latest = self._latest.get(source)
        return None if latest is None else datetime.fromtimestamp(latest, UTC)

    def sources(self) -> list[str]:
        """The sources of which this process has accepted events."""
        return list(self._latest)

    def rejected(self, event: Refused, principal: Principal) -> None:
        """Count a refusal that is kept."""
        self._events.labels("rejected", event.domain or _OTHER).inc()
        source = event.source if event.source in principal.sources else None
        self._rejected.labels(event.reason.value, source or _OTHER).inc()

    def _advance(self, source: str, moment: float) -> None:
        if moment > self._latest.get(source, 0.0):
            self._latest[source] = moment
            self._freshness.labels(source).set(moment)
