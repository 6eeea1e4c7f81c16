"""What the page of a unit shows, worked out from the answers of the services, without I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.dashboard import wording
from services.dashboard.answers import (
    AlertAnswer,
    AreaAnswer,
    FigureAnswer,
    FiguresAnswer,
    IndicatorAnswer,
    LineAnswer,
    TargetAnswer,
)
from services.dashboard.cards import AlertCard, card
from services.dashboard.figures import (
    STANDINGS,
    Bar,
    Status,
    bar_of,
    falls,
    gap_of,
    lags,
    noun_of,
    status_of,
)
from services.dashboard.measured import measured, others, whose
from services.dashboard.ranking import Ranking
from services.dashboard.shield import (
    Families,
    Hidden,
    Shield,
    is_of_people,
    without_figures,
    words,
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What the unit reported of what events count too, and how far the events are from it."""

    value: str
    period: str
    difference: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator of a unit.

    `standing` says `status` in words. `whose` says whose target and pace these are, where they are
    not simply the province's; `others` are the other targets there are.
    """

    id: str
    name: str
    value: str
    counted: str
    bar: Bar | None
    status: Status
    standing: str
    is_hidden: bool
    pace: str
    target: str
    whose: str
    others: tuple[str, ...]
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
class Page:
    """The page of one unit. `alerts` and `lagging` are None while the notifier does not answer.

    `lagging` counts as letters do, and `untold` those of them of which no letter has spoken (yet);
    `below` are those that stand under their pace and do not lag.
    """

    area: AreaAnswer
    parent: AreaAnswer | None
    as_of: str
    lagging: int | None
    untold: int
    is_any_falling: bool
    below: int
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
    targets: Sequence[TargetAnswer],
    families: Families,
    ranking: Ranking | None,
) -> Page:
    """Bring one unit's page together; `families`: all units beside it, and those below it."""
    shield = Shield(catalogue, targets, families)
    lines = {target.indicator: target.lines for target in targets}
    firing = {one.indicator: one for one in alerts or ()}
    known = {indicator.id: indicator for indicator in catalogue}
    told = {figure.id: figure for figure in figures.indicators if figure.id in known}
    hidden = {
        figure.id: why
        for figure in told.values()
        if (why := _why(area.area_id, figure, shield)) is not None
    }
    rows = [
        (
            indicator.set,
            _row(
                indicator,
                told[indicator.id],
                lines.get(indicator.id, ()),
                why=hidden.get(indicator.id),
                alert=firing.get(indicator.id),
                beside=_beside(area.area_id, indicator, told[indicator.id], shield),
            ),
        )
        for indicator in catalogue
        if indicator.id in told
    ]
    about_shares = [one for one in alerts or () if lags(one) or falls(one)]
    return Page(
        area=area,
        parent=parent,
        as_of=wording.clock(figures.as_of),
        lagging=None if alerts is None else len(about_shares),
        untold=sum(one.told_at is None for one in about_shares),
        is_any_falling=any(falls(one) for one in about_shares),
        below=sum(row.status == "below" for _, row in rows),
        on_pace=sum(row.status == "on-pace" for _, row in rows),
        alerts=None
        if alerts is None
        else tuple(card(alert, known, shield, hidden) for alert in alerts),
        sets=tuple(
            IndicatorSet(name, wording.SETS.get(name, name), tuple(_of(rows, name)))
            for name in dict.fromkeys(one for one, _ in rows)
        ),
        ranking=ranking,
    )


def _of(rows: Iterable[tuple[str, IndicatorRow]], name: str) -> Iterable[IndicatorRow]:
    return (row for one, row in rows if one == name)


def _why(area: str, figure: FigureAnswer, shield: Shield) -> Hidden | None:
    if figure.value is None:
        return None
    return shield.hides(area, figure.id, figure.numerator, figure.denominator)


def _row(
    indicator: IndicatorAnswer,
    told: FigureAnswer,
    lines: Sequence[LineAnswer],
    *,
    why: Hidden | None,
    alert: AlertAnswer | None,
    beside: Beside | None,
) -> IndicatorRow:
    noun = noun_of(indicator)
    figure = measured(told if why is None else without_figures(told), lines)
    is_share = indicator.unit == "percent"
    value, counted = _value(figure, is_share=is_share), _counted(figure, noun)
    if why is not None:
        said = words(why, told.denominator, noun)
        value, counted = said.value, said.counted
    status = status_of(figure, is_lagging=alert is not None and lags(alert))
    is_falling = alert is not None and falls(alert)
    return IndicatorRow(
        id=indicator.id,
        name=indicator.name.vi,
        value=value,
        counted=counted,
        bar=bar_of(figure, status) if is_share else None,
        status=status,
        standing="Đang giảm" if is_falling else STANDINGS.get(status, ""),
        is_hidden=why is not None,
        pace="" if figure.pace is None else wording.percent(figure.pace),
        target="" if figure.target is None else wording.percent(figure.target),
        whose=whose(told, lines),
        others=others(told, lines),
        gap=gap_of(figure.gap_people, noun, people=is_of_people(indicator)),
        projected=_projected(figure),
        is_reported=figure.basis == "reported",
        period="" if figure.period is None else wording.period(figure.period),
        beside=beside if why is None else None,
    )


def _value(figure: FigureAnswer, *, is_share: bool) -> str:
    if figure.value is None:
        return "Chưa có số liệu"
    return wording.percent(figure.value) if is_share else wording.number(figure.value)


def _counted(figure: FigureAnswer, noun: str) -> str:
    if figure.numerator is None or not figure.denominator:
        return ""
    return f"{wording.count(figure.numerator)} / {wording.count(figure.denominator)} {noun}"


def _beside(
    area: str, indicator: IndicatorAnswer, figure: FigureAnswer, shield: Shield
) -> Beside | None:
    told = figure.reported
    if told is None or told.value is None:
        return None
    if shield.hides(area, indicator.id, told.numerator, told.denominator) is not None:
        return None
    shown = wording.percent if indicator.unit == "percent" else wording.number
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
