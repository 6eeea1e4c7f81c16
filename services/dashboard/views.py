"""What a page shows, worked out from the answers of the services, without I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.dashboard import wording
from services.dashboard.figures import Bar, Status, bar_of, gap_of, noun_of, status_of
from services.dashboard.measured import measured, others, whose
from services.dashboard.ranking import Ranking
from services.dashboard.reading import (
    AcknowledgementAnswer,
    AlertAnswer,
    AreaAnswer,
    FigureAnswer,
    FiguresAnswer,
    IndicatorAnswer,
    LineAnswer,
    TargetAnswer,
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

    `whose` says whose target and pace these are, where they are not simply the province's;
    `others` are the other targets there are.
    """

    id: str
    name: str
    value: str
    counted: str
    bar: Bar | None
    status: Status
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
    answer: str = ""


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
    targets: Sequence[TargetAnswer],
    ranking: Ranking | None,
) -> Page:
    """Bring one unit's page together."""
    known = {figure.id: figure for figure in figures.indicators}
    lines = {target.indicator: target.lines for target in targets}
    rows = [
        (indicator.set, _row(indicator, known[indicator.id], lines.get(indicator.id, ())))
        for indicator in catalogue
        if indicator.id in known
    ]
    nouns = {indicator.id: noun_of(indicator) for indicator in catalogue}
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


def _of(rows: Iterable[tuple[str, IndicatorRow]], name: str) -> Iterable[IndicatorRow]:
    return (row for one, row in rows if one == name)


def _row(
    indicator: IndicatorAnswer, told: FigureAnswer, lines: Sequence[LineAnswer]
) -> IndicatorRow:
    figure = measured(told, lines)
    is_share = indicator.unit == "percent"
    shown = wording.percent if is_share else wording.number
    return IndicatorRow(
        id=indicator.id,
        name=indicator.name.vi,
        value="Chưa có số liệu" if figure.value is None else shown(figure.value),
        counted=_counted(figure, noun_of(indicator)),
        bar=bar_of(figure) if is_share else None,
        status=status_of(figure),
        pace="" if figure.pace is None else wording.percent(figure.pace),
        target="" if figure.target is None else wording.percent(figure.target),
        whose=whose(told, lines),
        others=others(told, lines),
        gap=gap_of(figure, noun_of(indicator)),
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


def _counted(figure: FigureAnswer, noun: str) -> str:
    if figure.numerator is None or not figure.denominator:
        return ""
    return f"{wording.count(figure.numerator)} / {wording.count(figure.denominator)} {noun}"


def _answer(said: AcknowledgementAnswer | None) -> str:
    """That the unit has taken the matter up, and its promise; its note is not for everybody."""
    if said is None or said.broken_at is not None:
        return ""
    told = f"Đã xác nhận lúc {wording.clock(said.acknowledged_at)}"
    if said.promised_on is None:
        return told
    return f"{told}, cam kết hoàn thành trước hết ngày {wording.day(said.promised_on)}"


def _card(alert: AlertAnswer, nouns: dict[str, str]) -> AlertCard:
    noun = nouns.get(alert.indicator, wording.noun(None, None))
    standing = ""
    if alert.value is not None and alert.pace is not None:
        value, pace = wording.percent(alert.value), wording.percent(alert.pace)
        standing = f"Hiện đạt {value}, {wording.PACES[alert.aim]} {pace}"
    elif alert.kind in wording.KINDS:
        standing = wording.KINDS[alert.kind]
    held = alert.held_back_by
    return AlertCard(
        name=alert.indicator_name,
        severity=alert.severity,
        severity_name=wording.SEVERITIES.get(alert.severity, alert.severity),
        standing=standing,
        gap=f"{wording.count(alert.gap_people)} {noun}" if alert.gap_people else "",
        since="" if alert.fired_at is None else wording.clock(alert.fired_at),
        answer=_answer(alert.acknowledgement),
        lowest=tuple(f"{one.indicator_name} {wording.percent(one.value)}" for one in held.criteria),
        missing=tuple(
            f"{one.area_name} {wording.count(one.gap_people)} {noun}" for one in held.areas
        ),
    )
