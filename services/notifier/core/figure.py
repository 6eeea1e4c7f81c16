"""A figure as scoring told it, and how it stands against the pace to its targets."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from contracts.catalogue import Indicator
from contracts.pace import Milestone, gap_people, pace_on
from contracts.updates import Basis
from services.notifier.core.aim import Aim, Aims, Line, of_catalogue
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
class Other:
    """The line that the unit is less far behind: where it should stand, and its target."""

    aim: Aim
    pace: Decimal | None
    target: Decimal | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A figure against its pace on a day.

    `value`, `pace` and `target` are in percent; `behind` is pace minus value in percentage points.
    `gap_people` counts what is missing in the numerator (people, households, …), None where nobody
    can be counted. Where there are two lines, the province's (or the unit's own) and the country's,
    all this is of the one that the unit is further behind, `aim` says which, and `other` tells of
    the other one.
    `target_on` is the target's day, `missed_on` the last day of a target that passed unmet.
    """

    value: Decimal | None
    pace: Decimal | None
    target: Decimal | None
    behind: Decimal | None
    gap_people: int | None
    numerator: int | None
    denominator: int | None
    aim: Aim = "provincial"
    other: Other | None = None
    target_on: date | None = None
    missed_on: date | None = None


def is_judged(indicator: Indicator, basis: Basis, aims: Aims | None = None) -> bool:
    """Whether figures of that basis count against the indicator's targets.

    Reports count only where events cannot feed the indicator; beside events they are a comparison.
    """
    wanted = "reported" if indicator.is_reported_only else "events"
    return basis == wanted and (aims or of_catalogue(indicator)).is_any


def standing(
    indicator: Indicator, figure: Figure, today: date, aims: Aims | None = None
) -> Standing:
    """How a figure stands on a local day; without `aims`, against the catalogue's targets."""
    first, *others = lines(figure, today, aims if aims is not None else of_catalogue(indicator))
    if not others:
        return first
    return replace(first, other=Other(others[0].aim, others[0].pace, others[0].target))


def lines(figure: Figure, today: date, aims: Aims) -> list[Standing]:
    """How a figure stands against each line, the one that it is further behind first.

    Two lines that do not differ on this day are one; without any target there is one line, of
    nothing.
    """
    province = _against(
        "own" if aims.province.is_own else "provincial", aims.province, figure, today
    )
    if aims.national is None or not aims.national.targets:
        return [province]
    national = _against("national", aims.national, figure, today)
    if not aims.province.targets:
        return [national]
    found = [province, national]
    if national.behind is not None and (
        province.behind is None or national.behind > province.behind
    ):
        found.reverse()
    is_same = (province.pace, province.target) == (national.pace, national.target)
    return found[:1] if is_same else found


def _against(aim: Aim, line: Line, figure: Figure, today: date) -> Standing:
    targets = line.targets
    value = figure.value
    pace = pace_on(targets, line.baseline or figure.first, today)
    ahead = next((target for target in targets if target.on >= today), None)
    worked_for = ahead or (targets[-1] if targets else None)
    passed = [target for target in targets if target.on < today]
    missed = passed[-1] if passed and value is not None and value < passed[-1].percent else None
    counted = figure.numerator is not None and figure.denominator is not None
    return Standing(
        value=value,
        pace=pace,
        target=worked_for.percent if worked_for is not None else None,
        behind=None if pace is None or value is None else pace - value,
        gap_people=gap_people(figure.numerator or 0, figure.denominator or 0, pace)
        if counted
        else None,
        numerator=figure.numerator,
        denominator=figure.denominator,
        aim=aim,
        target_on=worked_for.on if worked_for is not None else None,
        missed_on=missed.on if missed is not None else None,
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
