"""What scoring tells Prometheus. No label holds an identifier of a person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCIES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300)
_DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one process, in its registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "scoring_records",
            "Records taken from subject-events.v1, by what became of them",
            ["result"],
            registry=registry,
        )
        self.rejected = Counter(
            "scoring_rejected", "Records refused, by reason", ["reason"], registry=registry
        )
        self.event_to_state = Histogram(
            "scoring_event_to_state_seconds",
            "From the broker's record of a batch's oldest event to the commit of the state it changes",
            buckets=_LATENCIES,
            registry=registry,
        )
        self.shard_transaction = Histogram(
            "scoring_shard_transaction_seconds",
            "One shard transaction, from the lock to the commit",
            buckets=_DURATIONS,
            registry=registry,
        )
        self.rollup = Histogram(
            "scoring_rollup_seconds",
            "One roll-up of what has been touched",
            buckets=_DURATIONS,
            registry=registry,
        )
        self.reseeks = Counter(
            "scoring_reseeks",
            "Times a partition was sought back to the position that PostgreSQL holds",
            registry=registry,
        )
        self.missing_records = Counter(
            "scoring_missing_records",
            "Offsets that the broker no longer has and that were never taken",
            registry=registry,
        )
        self.lag = Gauge(
            "scoring_consumer_lag",
            "Records of a partition that are not yet in PostgreSQL",
            ["partition"],
            registry=registry,
        )
        self.source_last_event = Gauge(
            "scoring_source_last_event_timestamp_seconds",
            "When an event of the source was last recorded (Unix time)",
            ["source"],
            registry=registry,
        )
        self.state_bytes = Gauge(
            "scoring_state_bytes",
            "Memory of the states of shards that this process holds",
            registry=registry,
        )
        self.state_drops = Counter(
            "scoring_state_drops",
            "States dropped from memory because others needed their room",
            registry=registry,
        )
        self.untold = Gauge(
            "scoring_outbox_figures",
            "Figures whose latest version is not yet on indicator-events.v1",
            registry=registry,
        )
        self.due_subjects = Counter(
            "scoring_due_subjects",
            "Subjects evaluated again because a day had come",
            registry=registry,
        )
        self.told = Counter(
            "scoring_indicator_events", "Events sent to indicator-events.v1", registry=registry
        )
