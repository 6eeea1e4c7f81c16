"""What a page shows, worked out from the answers of the services, without I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.dashboard import wording
from services.dashboard.reading import (
    AlertAnswer,
    AreaAnswer,
    FigureAnswer,
    FiguresAnswer,
    IndicatorAnswer,
    RankedAnswer,
)

Status = Literal["behind", "on-pace", "no-pace", "no-data"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A share from 0 to 100 with a mark for the pace; `label` says it in words."""

    value: float
    pace: float | None
    label: str
    status: Status


@dataclass(frozen=True, slots=True)
class Beside:
    """What the unit reported of what events count too, and how far the events are from it."""

    value: str
    period: str
    difference: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator of a unit."""

    id: str
    name: str
    value: str
    counted: str
    bar: Bar | None
    status: Status
    pace: str
    target: str
    gap: str
    projected: str
    is_reported: bool
    period: str
    beside: Beside | None


@dataclass(frozen=True, slots=True)
class IndicatorSet:
    """The indicators of one set."""

    id: str
    name: str
    rows: tuple[IndicatorRow, ...]

    @property
    def has_pace(self) -> bool:
        """Whether any of them has a target to be measured against."""
        return any(row.target for row in self.rows)


@dataclass(frozen=True, slots=True)
class AlertCard:
    """A firing alert."""

    name: str
    severity: str
    severity_name: str
    standing: str
    gap: str
    since: str
    lowest: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RankRow:
    """A commune in the ranking."""

    area: str
    name: str
    rank: str
    value: str
    bar: Bar | None
    gap: str
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


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one unit. `alerts` is None while the notifier does not answer."""

    area: AreaAnswer
    parent: AreaAnswer | None
    as_of: str
    behind: int
    on_pace: int
    alerts: tuple[AlertCard, ...] | None
    sets: tuple[IndicatorSet, ...]
    ranking: Ranking | None


def page(
    area: AreaAnswer,
    parent: AreaAnswer | None,
    *,
    catalogue: Sequence[IndicatorAnswer],
    figures: FiguresAnswer,
    alerts: Sequence[AlertAnswer] | None,
    ranking: Ranking | None,
) -> Page:
    """Bring one unit's page together."""
    known = {figure.id: figure for figure in figures.indicators}
    rows = [
        (indicator.set, _row(indicator, known[indicator.id]))
        for indicator in catalogue
        if indicator.id in known
    ]
    nouns = {indicator.id: _noun(indicator) for indicator in catalogue}
    return Page(
        area=area,
        parent=parent,
        as_of=wording.clock(figures.as_of),
        behind=sum(row.status == "behind" for _, row in rows),
        on_pace=sum(row.status == "on-pace" for _, row in rows),
        alerts=None if alerts is None else tuple(_card(alert, nouns) for alert in alerts),
        sets=tuple(
            IndicatorSet(name, wording.SETS.get(name, name), tuple(_of(rows, name)))
            for name in dict.fromkeys(one for one, _ in rows)
        ),
        ranking=ranking,
    )


def rank(
    chosen: IndicatorAnswer,
    choices: Iterable[IndicatorAnswer],
    places: Sequence[RankedAnswer],
    alerts: Sequence[AlertAnswer],
) -> Ranking:
    """The communes by one indicator, those in which it fires marked."""
    firing = {alert.area for alert in alerts}
    noun = _noun(chosen)
    return Ranking(
        choices=tuple(Choice(one.id, one.name.vi, one.id == chosen.id) for one in choices),
        rows=tuple(
            RankRow(
                area=place.area,
                name=place.name,
                rank="–" if place.rank is None else str(place.rank),
                value="–" if place.value is None else wording.percent(place.value),
                bar=_bar(place),
                gap=_gap(place, noun),
                is_firing=place.area in firing,
            )
            for place in places
        ),
    )


def rankable(catalogue: Sequence[IndicatorAnswer]) -> list[IndicatorAnswer]:
    """The shares that communes can be ranked by: those with a target first."""
    shares = [one for one in catalogue if one.unit == "percent" and one.population is not None]
    return sorted(shares, key=lambda one: not one.targets)


def _of(rows: Iterable[tuple[str, IndicatorRow]], name: str) -> Iterable[IndicatorRow]:
    return (row for one, row in rows if one == name)


def _row(indicator: IndicatorAnswer, figure: FigureAnswer) -> IndicatorRow:
    is_share = indicator.unit == "percent"
    shown = wording.percent if is_share else wording.number
    return IndicatorRow(
        id=indicator.id,
        name=indicator.name.vi,
        value="Chưa có số liệu" if figure.value is None else shown(figure.value),
        counted=_counted(figure, _noun(indicator)),
        bar=_bar(figure) if is_share else None,
        status=_status(figure),
        pace="" if figure.pace is None else wording.percent(figure.pace),
        target="" if figure.target is None else wording.percent(figure.target),
        gap=_gap(figure, _noun(indicator)),
        projected=_projected(figure),
        is_reported=figure.basis == "reported",
        period="" if figure.period is None else wording.period(figure.period),
        beside=_beside(figure, is_share=is_share),
    )


def _beside(figure: FigureAnswer, *, is_share: bool) -> Beside | None:
    told = figure.reported
    if told is None or told.value is None:
        return None
    shown = wording.percent if is_share else wording.number
    unknown = told.difference is None
    return Beside(
        value=shown(told.value),
        period=wording.period(told.period),
        difference="" if told.difference is None else wording.points(told.difference),
        is_same=unknown or told.difference == 0,
    )


def _projected(figure: FigureAnswer) -> str:
    if figure.value is None or figure.target is None:
        return ""
    if figure.value >= figure.target:
        return "đã đạt"
    if figure.projected_on is not None:
        return f"dự kiến đạt {wording.day(figure.projected_on)}"
    is_slow = figure.projection is not None and figure.projection.state == "not-at-this-pace"
    return "chưa thể đạt với tốc độ hiện nay" if is_slow else ""


def _status(figure: FigureAnswer) -> Status:
    if figure.value is None:
        return "no-data"
    if figure.pace is None:
        return "no-pace"
    return "behind" if figure.value < figure.pace else "on-pace"


def _bar(figure: FigureAnswer) -> Bar | None:
    if figure.value is None:
        return None
    label = f"Hiện đạt {wording.percent(figure.value)}"
    if figure.pace is not None:
        label += f", tiến độ cần đạt {wording.percent(figure.pace)}"
    pace = None if figure.pace is None else _within(figure.pace)
    return Bar(_within(figure.value), pace, label, _status(figure))


def _within(value: Decimal) -> float:
    return float(min(max(value, Decimal(0)), Decimal(100)))


def _counted(figure: FigureAnswer, noun: str) -> str:
    if figure.numerator is None or not figure.denominator:
        return ""
    return f"{wording.count(figure.numerator)} / {wording.count(figure.denominator)} {noun}"


def _gap(figure: FigureAnswer, noun: str) -> str:
    return f"{wording.count(figure.gap_people)} {noun}" if figure.gap_people else ""


def _noun(indicator: IndicatorAnswer) -> str:
    population = indicator.population
    if population is None:
        return wording.noun(None, None)
    return wording.noun(population.name, population.subject)


def _card(alert: AlertAnswer, nouns: dict[str, str]) -> AlertCard:
    noun = nouns.get(alert.indicator, wording.noun(None, None))
    standing = ""
    if alert.value is not None and alert.pace is not None:
        value, pace = wording.percent(alert.value), wording.percent(alert.pace)
        standing = f"Hiện đạt {value}, tiến độ cần đạt {pace}"
    held = alert.held_back_by
    return AlertCard(
        name=alert.indicator_name,
        severity=alert.severity,
        severity_name=wording.SEVERITIES.get(alert.severity, alert.severity),
        standing=standing,
        gap=f"{wording.count(alert.gap_people)} {noun}" if alert.gap_people else "",
        since="" if alert.fired_at is None else wording.clock(alert.fired_at),
        lowest=tuple(f"{one.indicator_name} {wording.percent(one.value)}" for one in held.criteria),
        missing=tuple(
            f"{one.area_name} {wording.count(one.gap_people)} {noun}" for one in held.areas
        ),
    )
