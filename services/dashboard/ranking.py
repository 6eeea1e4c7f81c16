"""The communes ranked by one indicator."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.dashboard import wording
from services.dashboard.answers import (
    AlertAnswer,
    IndicatorAnswer,
    LineAnswer,
    RankedAnswer,
    TargetAnswer,
)
from services.dashboard.figures import Bar, bar_of, falls, gap_of, lags, noun_of, status_of
from services.dashboard.measured import measured, whose
from services.dashboard.shield import Families, Hidden, Shield, is_of_people, without_figures, words


@dataclass(frozen=True, slots=True)
class RankRow:
    """A commune in the ranking."""

    area: str
    name: str
    rank: str
    value: str
    counted: str
    bar: Bar | None
    gap: str
    whose: str
    firing: str


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

    @property
    def chosen(self) -> Choice | None:
        """What they are ranked by."""
        return next((one for one in self.choices if one.is_chosen), None)


def rank(
    chosen: IndicatorAnswer,
    choices: Iterable[IndicatorAnswer],
    places: Sequence[RankedAnswer],
    *,
    alerts: Sequence[AlertAnswer],
    targets: Sequence[TargetAnswer],
    families: Families,
) -> Ranking:
    """The communes by one indicator, those in which it fires marked.

    Where figures are withheld there is no rank either, and the place in the list says nothing:
    they come last, by their code. The ranks of the others are among themselves.
    """
    shield = Shield([chosen], targets, families)
    firing = {alert.area: alert for alert in alerts}
    lines = {target.area: target.lines for target in targets}
    hidden = {
        place.area: why
        for place in places
        if place.value is not None
        and (why := shield.hides(place.area, chosen.id, place.numerator, place.denominator))
    }
    told = _ranks([place for place in places if place.area not in hidden])
    last = sorted((place for place in places if place.area in hidden), key=lambda one: one.area)
    return Ranking(
        choices=tuple(Choice(one.id, one.name.vi, one.id == chosen.id) for one in choices),
        rows=tuple(
            _row(
                chosen,
                place,
                lines.get(place.area, ()),
                rank=place_among,
                why=hidden.get(place.area),
                alert=firing.get(place.area),
            )
            for place_among, place in [*told, *(("–", one) for one in last)]
        ),
    )


def _ranks(places: Sequence[RankedAnswer]) -> list[tuple[str, RankedAnswer]]:
    """Equal values share a rank (1, 2, 2, 4); those without a value have none."""
    found: list[tuple[str, RankedAnswer]] = []
    for number, place in enumerate(places, start=1):
        if place.value is None:
            found.append(("–", place))
        elif found and found[-1][1].value == place.value:
            found.append((found[-1][0], place))
        else:
            found.append((str(number), place))
    return found


def _row(
    indicator: IndicatorAnswer,
    told: RankedAnswer,
    lines: Sequence[LineAnswer],
    *,
    rank: str,
    why: Hidden | None,
    alert: AlertAnswer | None,
) -> RankRow:
    noun = noun_of(indicator)
    figure = measured(told if why is None else without_figures(told), lines)
    value, counted = "–" if figure.value is None else wording.percent(figure.value), ""
    if why is not None:
        said = words(why, told.denominator, noun)
        value, counted = said.value, said.counted
    is_lagging = alert is not None and lags(alert)
    is_falling = alert is not None and falls(alert)
    return RankRow(
        area=told.area,
        name=told.name,
        rank=rank,
        value=value,
        counted=counted,
        bar=bar_of(figure, status_of(figure, is_lagging=is_lagging)),
        gap=gap_of(figure.gap_people, noun, people=is_of_people(indicator)),
        whose=whose(told, lines),
        firing="chậm tiến độ" if is_lagging else "đang giảm" if is_falling else "",
    )


def rankable(catalogue: Sequence[IndicatorAnswer]) -> list[IndicatorAnswer]:
    """The shares that communes can be ranked by: those with a target first."""
    shares = [one for one in catalogue if one.unit == "percent" and one.population is not None]
    return sorted(shares, key=lambda one: not one.targets)
