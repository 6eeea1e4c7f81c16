"""A figure as pages show it: as a bar against its pace, and what is missing in words."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.dashboard import wording
from services.dashboard.reading import FigureAnswer, IndicatorAnswer

Status = Literal["behind", "on-pace", "no-pace", "no-data"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A share from 0 to 100 with a mark for the pace; `label` says it in words."""

    value: float
    pace: float | None
    label: str
    status: Status


def status_of(figure: FigureAnswer) -> Status:
    """Whether it stands on its pace."""
    if figure.value is None:
        return "no-data"
    if figure.pace is None:
        return "no-pace"
    return "behind" if figure.value < figure.pace else "on-pace"


def bar_of(figure: FigureAnswer) -> Bar | None:
    """A share as a bar; None without one."""
    if figure.value is None:
        return None
    label = f"Hiện đạt {wording.percent(figure.value)}"
    if figure.pace is not None:
        label += f", tiến độ cần đạt {wording.percent(figure.pace)}"
    pace = None if figure.pace is None else _within(figure.pace)
    return Bar(_within(figure.value), pace, label, status_of(figure))


def _within(value: Decimal) -> float:
    return float(min(max(value, Decimal(0)), Decimal(100)))


def gap_of(figure: FigureAnswer, noun: str) -> str:
    """How many are missing to stand on the pace; empty where none are."""
    return f"{wording.count(figure.gap_people)} {noun}" if figure.gap_people else ""


def noun_of(indicator: IndicatorAnswer) -> str:
    """What an indicator counts."""
    population = indicator.population
    if population is None:
        return wording.noun(None, None)
    return wording.noun(population.name, population.subject)
