"""A figure as pages show it: as a bar against its pace, and what is missing in words."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from contracts.disclosure import is_few
from services.dashboard import wording
from services.dashboard.answers import AlertAnswer, FigureAnswer, IndicatorAnswer

Status = Literal["lagging", "below", "on-pace", "no-pace", "no-data"]

STANDINGS: Final = {
    "lagging": "Chậm tiến độ",
    "below": "Dưới tiến độ",
    "on-pace": "Đạt tiến độ",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A share from 0 to 100 with a mark for the pace; `label` says it in words."""

    value: float
    pace: float | None
    label: str
    status: Status


def lags(alert: AlertAnswer) -> bool:
    """Whether an alert says that a unit lags by the rules; others tell of falls, feeds, reports."""
    return alert.kind == "pace" and alert.reason != "falling"


def falls(alert: AlertAnswer) -> bool:
    """Whether an alert says that a share falls, though it is not behind its pace yet."""
    return alert.kind == "pace" and alert.reason == "falling"


def status_of(figure: FigureAnswer, *, is_lagging: bool) -> Status:
    """How a figure stands: lagging is what the rules call so, and letters; below is any less."""
    if is_lagging:
        return "lagging"
    if figure.value is None:
        return "no-data"
    if figure.pace is None:
        return "no-pace"
    return "below" if figure.value < figure.pace else "on-pace"


def bar_of(figure: FigureAnswer, status: Status) -> Bar | None:
    """A share as a bar; None without one."""
    if figure.value is None:
        return None
    label = f"Hiện đạt {wording.percent(figure.value)}"
    if figure.pace is not None:
        label += f", tiến độ cần đạt {wording.percent(figure.pace)}"
    pace = None if figure.pace is None else _within(figure.pace)
    return Bar(_within(figure.value), pace, label, status)


def _within(value: Decimal) -> float:
    return float(min(max(value, Decimal(0)), Decimal(100)))


def gap_of(gap: int | None, noun: str, *, people: bool) -> str:
    """How many are missing to stand on the pace; empty where none are."""
    if not gap:
        return ""
    if people and is_few(gap):
        return wording.fewer(noun)
    return f"{wording.count(gap)} {noun}"


def noun_of(indicator: IndicatorAnswer) -> str:
    """What an indicator counts."""
    population = indicator.population
    if population is None:
        return wording.noun(None, None)
    return wording.noun(population.name, population.subject)
