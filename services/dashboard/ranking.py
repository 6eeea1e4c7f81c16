"""The communes ranked by one indicator."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.dashboard import wording
from services.dashboard.figures import Bar, bar_of, gap_of, noun_of
from services.dashboard.measured import measured, whose
from services.dashboard.reading import (
    AlertAnswer,
    IndicatorAnswer,
    LineAnswer,
    RankedAnswer,
    TargetAnswer,
)


@dataclass(frozen=True, slots=True)
class RankRow:
    """A commune in the ranking."""

    area: str
    name: str
    rank: str
    value: str
    bar: Bar | None
    gap: str
    whose: str
    is_firing: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An indicator that communes can be ranked by."""

    id: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """The communes by one indicator."""

    choices: tuple[Choice, ...]
    rows: tuple[RankRow, ...]


def rank(
    chosen: IndicatorAnswer,
    choices: Iterable[IndicatorAnswer],
    places: Sequence[RankedAnswer],
    *,
    alerts: Sequence[AlertAnswer],
    targets: Sequence[TargetAnswer],
) -> Ranking:
    """The communes by one indicator, those in which it fires marked."""
    firing = {alert.area for alert in alerts}
    lines = {target.area: target.lines for target in targets}
    noun = noun_of(chosen)
    return Ranking(
        choices=tuple(Choice(one.id, one.name.vi, one.id == chosen.id) for one in choices),
        rows=tuple(
            _ranked(place, lines.get(place.area, ()), noun, is_firing=place.area in firing)
            for place in places
        ),
    )


def _ranked(
    place: RankedAnswer, lines: Sequence[LineAnswer], noun: str, *, is_firing: bool
) -> RankRow:
    judged = measured(place, lines)
    return RankRow(
        area=place.area,
        name=place.name,
        rank="–" if place.rank is None else str(place.rank),
        value="–" if place.value is None else wording.percent(place.value),
        bar=bar_of(judged),
        gap=gap_of(judged, noun),
        whose=whose(place, lines),
        is_firing=is_firing,
    )


def rankable(catalogue: Sequence[IndicatorAnswer]) -> list[IndicatorAnswer]:
    """The shares that communes can be ranked by: those with a target first."""
    shares = [one for one in catalogue if one.unit == "percent" and one.population is not None]
    return sorted(shares, key=lambda one: not one.targets)
