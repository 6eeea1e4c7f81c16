"""`nhipso status`: whether every service is well, how far scoring is behind, how fresh the data are."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import typer
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.sources import SOURCE_PREFIX
from services.cli.endpoints import (
    DEFAULT_ENDPOINTS,
    SERVICES,
    Endpoints,
    EndpointsOption,
    read_endpoints,
)
from services.cli.exits import OK, UNREACHABLE, WRONG, CommandError
from services.cli.reading import get_text
from services.cli.terminal import answers

_LAG: Final = "scoring_consumer_lag"
_SCORED_AT: Final = "scoring_source_last_event_timestamp_seconds"
_HAPPENED_AT: Final = "ingest_source_last_event_timestamp_seconds"
_TO_STATE: Final = "scoring_event_to_state_seconds"


@dataclass(frozen=True, slots=True)
class Health:
    """How one service is: reachable, ready, and what it says of its checks."""

    service: str
    url: str
    reached: bool
    ready: bool
    said: str


@dataclass(frozen=True, slots=True)
class _Sample:
    """One line of a metric."""

    name: str
    labels: dict[str, str]
    value: float


def status(*, endpoints: EndpointsOption = DEFAULT_ENDPOINTS) -> None:
    """Show whether the stack is well.

    Health of each service, how many events scoring has still to count, how long an event takes
    until it is counted, and when each source was last heard of. Exit code 0: all well, 1: a
    service is not ready or does not answer, 3: none of them answers.
    """
    stack = read_endpoints(endpoints)
    healths, metrics = asyncio.run(_look(stack))
    console = answers()
    console.print(_services(healths))
    console.print(_flow(metrics))
    console.print(_sources(metrics, time.time()))
    if not any(health.reached for health in healths):
        raise CommandError(f"no service of {stack.file} answers: does the stack run?", UNREACHABLE)
    raise typer.Exit(OK if all(health.ready for health in healths) else WRONG)


async def _look(stack: Endpoints) -> tuple[list[Health], dict[str, Metric]]:
    # All at once: a service that hangs makes the others wait no longer than for itself.
    asked, texts = await asyncio.gather(
        asyncio.gather(*(_health(stack, service) for service in SERVICES)),
        asyncio.gather(*(_metrics(stack, name) for name in ("ingest", "scoring"))),
    )
    metrics = {metric.name: metric for text in texts for metric in _parsed(text)}
    return list(asked), metrics


async def _health(stack: Endpoints, service: str) -> Health:
    if service not in stack.urls:
        return Health(service, "–", reached=False, ready=False, said="not in endpoints.json")
    url = stack.url(service)
    try:
        code, text = await get_text(f"{url}/readyz")
    except CommandError as error:
        return Health(service, url, reached=False, ready=False, said=str(error))
    return Health(service, url, reached=True, ready=code == HTTPStatus.OK, said=_checks(text))


async def _metrics(stack: Endpoints, service: str) -> str:
    try:
        code, text = await get_text(f"{stack.url(service)}/metrics")
    except CommandError:
        return ""
    return text if code == HTTPStatus.OK else ""


def _parsed(text: str) -> Iterator[Metric]:
    try:
        yield from text_string_to_metric_families(text)
    except ValueError:
        return


def _checks(text: str) -> str:
    """What `/readyz` says: ``kafka ok, shard 3 stands still``."""
    try:
        checks = json.loads(text)["checks"]
        return ", ".join(f"{name}: {said}" for name, said in checks.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(text.split())[:100]


def _services(healths: list[Health]) -> Table:
    table = Table("Service", "Address", "State", "Checks", box=box.SIMPLE_HEAD)
    for health in healths:
        state = Text("ready", "green") if health.ready else Text("not ready", "yellow")
        if not health.reached:
            state = Text("no answer", "red")
        table.add_row(health.service, health.url, state, health.said)
    return table


def _flow(metrics: dict[str, Metric]) -> Table:
    table = Table("Flow", "Now", box=box.SIMPLE_HEAD)
    lag = [sample.value for sample in _samples(metrics, _LAG)]
    table.add_row("Events that scoring has still to count", f"{sum(lag):,.0f}" if lag else "–")
    parts = {sample.name: sample.value for sample in _samples(metrics, _TO_STATE)}
    total, events = parts.get(f"{_TO_STATE}_sum"), parts.get(f"{_TO_STATE}_count")
    mean = f"{total / events:.3f} s" if total is not None and events else "–"
    table.add_row("From accepted to counted, mean since start", mean)
    return table


def _sources(metrics: dict[str, Metric], now: float) -> Table:
    table = Table("Source", box=box.SIMPLE_HEAD)
    table.add_column("Its latest event happened", justify="right")
    table.add_column("Last counted", justify="right")
    happened = _by_source(metrics, _HAPPENED_AT)
    counted = _by_source(metrics, _SCORED_AT)
    for source in sorted(happened | counted):
        name = source.removeprefix(SOURCE_PREFIX)
        table.add_row(name, _ago(happened.get(source), now), _ago(counted.get(source), now))
    if not happened and not counted:
        table.add_row("none heard of yet", "–", "–")
    return table


def _by_source(metrics: dict[str, Metric], name: str) -> dict[str, float]:
    return {
        sample.labels["source"]: sample.value
        for sample in _samples(metrics, name)
        if "source" in sample.labels and sample.value > 0
    }


def _samples(metrics: dict[str, Metric], name: str) -> list[_Sample]:
    metric = metrics.get(name)
    if metric is None:
        return []
    return [_Sample(s.name, dict(s.labels), float(s.value)) for s in metric.samples]


def _ago(moment: float | None, now: float) -> str:
    """How long ago, in words as short as possible."""
    if moment is None:
        return "–"
    seconds = max(now - moment, 0.0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
