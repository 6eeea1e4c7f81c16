"""The notifier's own metrics. Labels are bounded: states, reasons, kinds of receiver, partitions."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY_SECONDS: Final = (
    *(1, 5, 15, 60, 300, 900),
    *(3_600, 4 * 3_600, 12 * 3_600),
    *(86_400, 3 * 86_400, 7 * 86_400),
)


class NotifierMetrics:
    """All counters and gauges of the process, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.alerts = Gauge(
            "notifier_alerts",
            "Alerts in the store by state, kind and severity.",
            ("state", "kind", "severity"),
            registry=registry,
        )
        self.alerts_held = Gauge(
            "notifier_alerts_held",
            "Firing alerts that are not told now, by the stage that stopped them.",
            ("reason",),
            registry=registry,
        )
        self.judgements = Counter(
            "notifier_judgements_total",
            "Judgements of figures and reports by reason.",
            ("reason",),
            registry=registry,
        )
        self.evaluation = Histogram(
            "notifier_evaluation_seconds",
            "Seconds for one evaluation, by what was judged: changed figures or all.",
            ("scope",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self.notifications = Counter(
            "notifier_notifications_total",
            "Attempts to deliver a message by kind of receiver, outcome and reason.",
            ("receiver", "outcome", "reason"),
            registry=registry,
        )
        self.deliveries_waiting = Gauge(
            "notifier_deliveries_waiting", "Deliveries not done yet.", registry=registry
        )
        self.oldest_delivery = Gauge(
            "notifier_oldest_delivery_seconds",
            "Age of the oldest delivery not done yet by kind of receiver; 0 where none waits.",
            ("receiver",),
            registry=registry,
        )
        self.latency = Histogram(
            "notifier_latency_seconds",
            "Seconds from the newest indicator event that a message is news of until a receiver "
            "has taken it, with all that is waited for on purpose.",
            ("receiver",),
            buckets=_LATENCY_SECONDS,
            registry=registry,
        )
        self.receivers_disabled = Gauge(
            "notifier_receivers_disabled",
            "Receivers that said that they want no more.",
            ("receiver",),
            registry=registry,
        )
        self.outbox_waiting = Gauge(
            "notifier_outbox_waiting",
            "Alert events that the broker has not acknowledged yet.",
            registry=registry,
        )
        self.consumer_lag = Gauge(
            "notifier_consumer_lag",
            "Records of indicator-events.v1 not taken yet.",
            ("partition",),
            registry=registry,
        )
        self.holiday_years_missing = Gauge(
            "notifier_holiday_years_missing",
            "Years (this one, from December on also the next) of which no public holidays are known.",
            registry=registry,
        )
        self.unreadable = Counter(
            "notifier_unreadable_records_total",
            "Records of the topics that are not of their form and were passed over.",
            registry=registry,
        )
