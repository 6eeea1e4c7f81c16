"""Figures as they are answered: what is stored, and target, pace and gap of today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from contracts.catalogue import Catalogue, Indicator
from contracts.pace import Milestone, gap_people, pace_on, shown, target_on
from contracts.projection import Projection, project
from contracts.updates import Basis
from services.scoring.http.answers import (
    Days,
    FigureAnswer,
    Missing,
    ProjectionAnswer,
    Reported,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A figure as the store has it."""

    numerator: int | None
    denominator: int | None
    value: Decimal | None
    period: str | None
    updated_at: datetime | None

    @property
    def percent(self) -> Decimal | None:
        """The share with two decimals, or the quantity that was reported."""
        return shown(self.numerator, self.denominator, self.value)


def stored(row: Mapping[str, Any]) -> Stored:
    """A figure out of a row of the store."""
    return Stored(
        row["numerator"], row["denominator"], row["value"], row["period"], row["updated_at"]
    )


_NOTHING_COUNTED = Stored(0, 0, None, None, None)
_NOTHING_REPORTED = Stored(None, None, None, None, None)


def figure_answer(
    indicator: Indicator,
    events: Stored | None,
    reported: Stored | None,
    starts: Mapping[Basis, Milestone],
    today: date,
) -> FigureAnswer:
    """The answer for one unit and indicator.

    Events speak where they can count somebody; a unit that no events reach yet is known by its
    report, and where both are there the report stands beside.

    Args:
        indicator: of the catalogue.
        events: what was counted, None when nothing ever was.
        reported: what units reported, None when nothing ever was.
        starts: the first point of the trend of what was counted, and of what was reported.
        today: the local day.
    """
    counted = events or _NOTHING_COUNTED
    if reported is not None and reported.period is None:
        reported = None  # withdrawn
    by_report = indicator.is_reported_only or (not counted.denominator and reported is not None)
    shown = (reported or _NOTHING_REPORTED) if by_report else counted
    basis: Basis = "reported" if by_report else "events"
    is_share = indicator.unit == "percent"
    targets = indicator.targets.dated() if is_share else []
    pace = pace_on(targets, _baseline(indicator), today)
    target = target_on(targets, today)
    value = shown.percent
    trend = None
    if value is not None and is_share:
        now = Milestone(today, value)
        # Without a trend there is no speed, but a target may have been met.
        trend = project(starts.get(basis, now), now, target)
    beside = None if by_report or reported is None else reported
    return FigureAnswer(
        id=indicator.id,
        numerator=shown.numerator,
        denominator=shown.denominator,
        value=value,
        basis=basis,
        target=target,
        pace=pace,
        gap_people=gap_people(shown.numerator or 0, shown.denominator or 0, pace),
        projected_on=None if trend is None else trend.met_on,
        projection=None if trend is None else _projection(trend),
        updated_at=shown.updated_at,
        period=shown.period,
        reported=None if beside is None else _reported(beside, value),
    )


def missing(indicator: Indicator, figure: Stored | None, today: date) -> Missing:
    """How many are missing in the numerator of a unit's indicator."""
    counted = figure or _NOTHING_COUNTED
    numerator, denominator = counted.numerator or 0, counted.denominator or 0
    pace = pace_on(indicator.targets.dated(), _baseline(indicator), today)
    return Missing(
        numerator=numerator,
        denominator=denominator,
        value=counted.percent,
        missing=denominator - numerator,
        gap_people=gap_people(numerator, denominator, pace),
    )


def catalogue_entry(catalogue: Catalogue, indicator: Indicator) -> dict[str, Any]:
    """An indicator as the catalogue route tells it: rule, population, targets and source."""
    entry = indicator.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"bit"})
    entry["basis"] = "reported" if indicator.is_reported_only else "events"
    entry["targets"] = {
        str(target.on.year): float(target.percent) for target in indicator.targets.dated()
    }
    if not indicator.is_reported_only:
        population = catalogue.population_of(indicator)
        entry["population"] = population.model_dump(mode="json", by_alias=True, exclude_none=True)
    return entry


def _baseline(indicator: Indicator) -> Milestone | None:
    return None if indicator.baseline is None else indicator.baseline.milestone()


def _projection(trend: Projection) -> ProjectionAnswer:
    based_on = Days(first=trend.first, last=trend.last)
    return ProjectionAnswer(slope_per_day=trend.slope, state=trend.state, based_on=based_on)


def _reported(figure: Stored, counted: Decimal | None) -> Reported:
    if figure.updated_at is None or figure.period is None:
        raise ValueError("a reported figure has a period and a time")
    told = figure.percent
    return Reported(
        period=figure.period,
        numerator=figure.numerator,
        denominator=figure.denominator,
        value=told,
        difference=None if counted is None or told is None else counted - told,
        updated_at=figure.updated_at,
    )
