"""What the gauges show of the store, and how long it took from a figure to the message."""

from datetime import timedelta
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from services.notifier.pipeline.delivering import Delivering
from services.notifier.pipeline.observing import Observing
from services.notifier.receivers.outcome import Delivered, Outcome, Retry
from services.notifier.receivers.reading import Receivers
from services.notifier.store.deliveries import Delivery
from tests.integration.notifier.conftest import COMMUNE, NOW, Bench, mailboxes, told

AUDIENCE = f"unit:{COMMUNE}"
HOLD = timedelta(days=3)


def shown(metric: MetricWrapperBase, suffix: str = "", **labels: str) -> float | None:
    """One sample of a metric; None where there is none with these labels."""
    for family in metric.collect():
        for sample in family.samples:
            if sample.name == family.name + suffix and sample.labels == labels:
                return sample.value
    return None


def sender(bench: Bench, receivers: Receivers, outcome: Outcome) -> Delivering:
    async def send(_receiver: Any, _delivery: Delivery) -> Outcome:
        return outcome

    return Delivering(
        "email",
        send,
        pool=bench.pool,
        receivers=receivers,
        metrics=bench.metrics,
        clock=bench.clock,
        lease=timedelta(minutes=1),
        give_up=timedelta(days=3),
    )


async def deliver(bench: Bench, delivering: Delivering) -> None:
    await delivering.step(bench.clock.now())
    await delivering.settle()


async def test_alerts_are_shown_by_state_kind_and_severity(bench: Bench) -> None:
    observing = Observing(bench.pool, bench.metrics)
    await bench.take(told(600, fresh_at=NOW))
    await bench.evaluate()
    await observing.step(bench.clock.now())
    metric = bench.metrics.alerts
    pending = [
        shown(metric, state="pending", kind="pace", severity=severity)
        for severity in ("info", "warning", "critical")
    ]
    assert sorted(value or 0 for value in pending) == [0, 0, 1]

    # Where there is none any more, the gauge says so.
    await bench.take(told(1_000, version=2, fresh_at=NOW))
    await bench.evaluate()
    await observing.step(bench.clock.now())
    for severity in ("info", "warning", "critical"):
        assert shown(metric, state="pending", kind="pace", severity=severity) == 0


async def test_the_queue_and_the_latency(bench: Bench) -> None:
    observing, receivers = Observing(bench.pool, bench.metrics), mailboxes(AUDIENCE)
    telling = bench.telling(receivers)
    await bench.take(told(600, fresh_at=NOW + HOLD))
    await bench.evaluate()
    await bench.evaluate(HOLD)
    await bench.tell(telling)
    bench.clock.advance(timedelta(seconds=90))
    await observing.step(bench.clock.now())
    assert shown(bench.metrics.deliveries_waiting) == 1
    assert shown(bench.metrics.oldest_delivery, receiver="email") == 90

    # A failure is no message, and the delivery is as old as it was.
    await deliver(bench, sender(bench, receivers, Retry("later")))
    assert shown(bench.metrics.latency, "_count", receiver="email") is None
    bench.clock.advance(timedelta(seconds=30))
    await deliver(bench, sender(bench, receivers, Delivered()))
    assert shown(bench.metrics.latency, "_count", receiver="email") == 1
    took = HOLD + timedelta(seconds=120)
    assert shown(bench.metrics.latency, "_sum", receiver="email") == took.total_seconds()
    await observing.step(bench.clock.now())
    assert shown(bench.metrics.deliveries_waiting) == 0
    assert shown(bench.metrics.oldest_delivery, receiver="email") == 0


async def test_a_reminder_is_no_news(bench: Bench) -> None:
    observing, receivers = Observing(bench.pool, bench.metrics), mailboxes(AUDIENCE)
    telling = bench.telling(receivers)
    await bench.take(told(600, fresh_at=NOW + HOLD))
    await bench.evaluate()
    await bench.evaluate(HOLD)
    await bench.tell(telling)
    await deliver(bench, sender(bench, receivers, Delivered()))
    bench.clock.advance(timedelta(hours=1))
    await bench.tell(telling)
    assert len(await bench.letters()) == 2
    await deliver(bench, sender(bench, receivers, Delivered()))
    await observing.step(bench.clock.now())
    assert shown(bench.metrics.deliveries_waiting) == 0
    assert shown(bench.metrics.latency, "_count", receiver="email") == 1
