"""A figure as scoring told it, and how it stands against the pace to its targets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from contracts.catalogue import Indicator
from contracts.pace import Milestone, gap_people, pace_on, target_on
from contracts.updates import Basis
from services.notifier.core.rule import Freshness


class FigureKey(NamedTuple):
    """What a figure is of."""

    area: str
    indicator: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class Figure:
    """The current figure of one unit, indicator and basis; `first` is the first value seen."""

    key: FigureKey
    version: int
    numerator: int | None
    denominator: int | None
    value: Decimal | None
    updated_at: datetime
    first: Milestone | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A figure against its pace on a day.

    `value`, `pace` and `target` are in percent; `behind` is pace minus value in percentage points.
    `gap_people` counts what is missing in the numerator (people, households, …), None where nobody
    can be counted.
    """

    value: Decimal | None
    pace: Decimal | None
    target: Decimal | None
    behind: Decimal | None
    gap_people: int | None
    numerator: int | None
    denominator: int | None


def is_judged(indicator: Indicator, basis: Basis) -> bool:
    """Whether figures of that basis count against the indicator's targets.

    Reports count only where events cannot feed the indicator; beside events they are a comparison.
    """
    wanted = "reported" if indicator.is_reported_only else "events"
    return bool(indicator.targets.dated()) and basis == wanted


def start_of_pace(indicator: Indicator, first: Milestone | None) -> Milestone | None:
    """Where the pace begins: the configured baseline, or else the first value seen."""
    return indicator.baseline.milestone() if indicator.baseline is not None else first


def standing(indicator: Indicator, figure: Figure, today: date) -> Standing:
    """How a figure stands on a local day."""
    targets = indicator.targets.dated()
    pace = pace_on(targets, start_of_pace(indicator, figure.first), today)
    counted = figure.numerator is not None and figure.denominator is not None
    return Standing(
        value=figure.value,
        pace=pace,
        target=target_on(targets, today),
        behind=None if pace is None or figure.value is None else pace - figure.value,
        gap_people=gap_people(figure.numerator or 0, figure.denominator or 0, pace)
        if counted
        else None,
        numerator=figure.numerator,
        denominator=figure.denominator,
    )


def is_fresh(
    figure: Figure,
    feeds: frozenset[str],
    heard: dict[str, datetime],
    freshness: Freshness,
    now: datetime,
) -> bool:
    """Whether every feed behind a figure has been heard lately.

    Args:
        figure: what is to be judged. A reported one is as fresh as the unit's own report.
        feeds: the event domains that its indicator depends on.
        heard: feed → when it was last heard; a feed that never sent is missing.
        freshness: the limits.
        now: the moment of judgement.
    """
    if figure.key.basis == "reported":
        return _within(figure.updated_at, freshness.limit("report"), now)
    return all(feed in heard and _within(heard[feed], freshness.limit(feed), now) for feed in feeds)


def _within(moment: datetime, limit: timedelta, now: datetime) -> bool:
    return now - moment <= limit
