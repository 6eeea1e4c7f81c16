"""What a letter says of one alert: where it stands, what holds it back, and where it leads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

from contracts import disclosure
from contracts.catalogue import Indicator
from contracts.pace import Milestone, gap_people, pace_on
from services.notifier.core import wording
from services.notifier.core.alert import RECEIVER_PREFIX, SOURCE_PREFIX, Alert
from services.notifier.core.causes import Domain, HeldBack
from services.notifier.core.figure import Figure, FigureKey, Standing
from services.notifier.core.parts import (
    LetterAlert,
    LetterArea,
    LetterBefore,
    LetterCauses,
    LetterCriterion,
    LetterLine,
    LetterPeers,
    LetterPoint,
    LetterTrend,
)
from services.notifier.core.peers import peers, siblings
from services.notifier.core.reports import alert_name, alert_name_en
from services.notifier.core.trend import trend

IN_FULL: Final = 5
"""So many alerts, the worst, are told in full; a line each says where the others stand."""

_DAYS_OF_A_MONTH: Final = Decimal("30.4375")


def keys_in_full(ordered: Iterable[Alert]) -> list[FigureKey]:
    """The figures that are told in full, of alerts that stand worst first."""
    return [alert.key for alert in ordered if alert.kind == "pace"][:IN_FULL]


def keys_of_peers(domain: Domain, keys: Iterable[FigureKey], today: date) -> list[FigureKey]:
    """The figures that `in_detail` looks at beside those of `Domain.keys_for`."""
    found: dict[FigureKey, None] = {}
    for key in keys:
        found[key] = None
        for other in siblings(domain.areas, key.area, today):
            found[FigureKey(other, key.indicator, key.basis)] = None
    return list(found)


def summary(alert: Alert, domain: Domain, today: date) -> LetterAlert:
    """Where an alert stands, as far as it may be told."""
    indicator = domain.catalogue.by_id.get(alert.key.indicator)
    stands = alert.standing
    withheld = domain.withheld(alert.key.indicator, stands)
    few = indicator is not None and disclosure.counts_people(domain.catalogue, indicator)
    is_gap_few = few and disclosure.is_few(stands.gap_people)
    told = withheld is None
    return LetterAlert(
        id=alert.id,
        kind=alert.kind,
        indicator=alert.key.indicator,
        indicator_name=indicator_name(domain, alert.key.indicator),
        indicator_name_en=indicator_name_en(domain, alert.key.indicator),
        severity=alert.severity,
        reason=alert.reason.value,
        value=stands.value if told else None,
        value_below=disclosure.highest_share(stands.denominator)
        if withheld == "few-reached" and stands.denominator
        else None,
        withheld=withheld,
        pace=stands.pace,
        target=stands.target,
        target_on=_due(stands, indicator, today),
        missed_on=stands.missed_on,
        gap_people=stands.gap_people if told and not is_gap_few else None,
        is_gap_few=told and is_gap_few,
        numerator=stands.numerator if told else None,
        denominator=stands.denominator if withheld != "few-counted" else None,
        noun=_of(indicator, lambda known: wording.noun(domain.catalogue, known)),
        noun_en=_of(indicator, lambda known: wording.noun_en(domain.catalogue, known)),
        opened_at=alert.opened_at,
        fired_at=alert.fired_at,
        is_new=alert.told_at is None,
        due_on=alert.due_on,
        aim=stands.aim,
        other_line=LetterLine(
            aim=stands.other.aim,
            pace=stands.other.pace,
            target=stands.other.target,
        )
        if stands.other is not None
        else None,
    )


def in_detail(
    part: LetterAlert,
    alert: Alert,
    figures: Mapping[FigureKey, Figure],
    days: Mapping[FigureKey, Sequence[Milestone]],
    *,
    domain: Domain,
    today: date,
) -> LetterAlert:
    """Add what holds the unit back, its trend, what similar units reach, and what it takes."""
    key = alert.key
    indicator = domain.catalogue.by_id.get(key.indicator)
    if indicator is None:
        return part
    added: dict[str, object] = {
        "held_back_by": causes(domain.held_back(key, figures, today), domain),
        "similar": _similar(key, figures, domain, today),
    }
    if part.withheld is None:
        first = figures[key].first if key in figures else None
        added["trend"] = _trend(alert, days.get(key, ()), domain, first, today)
        if part.numerator is not None and part.denominator is not None:
            added["missing"] = part.denominator - part.numerator
            added["per_month"] = _per_month(part, domain, indicator, today)
    return part.model_copy(update=added)


def compared(part: LetterAlert, before: LetterAlert, told_at: datetime) -> LetterAlert:
    """Add what the last message said."""
    if before.value is None or part.value is None:
        return part
    last = LetterBefore(on=told_at, value=before.value, gap_people=before.gap_people)
    return part.model_copy(update={"before": last})


def causes(found: HeldBack, domain: Domain) -> LetterCauses:
    """What holds a unit back, with names."""
    return LetterCauses(
        criteria=tuple(
            LetterCriterion(
                indicator=one.indicator,
                indicator_name=domain.catalogue.by_id[one.indicator].name.vi,
                indicator_name_en=domain.catalogue.by_id[one.indicator].name.en,
                value=one.value,
            )
            for one in found.criteria
        ),
        areas=tuple(
            LetterArea(
                area=one.area,
                area_name=domain.areas[one.area].name,
                value=one.value,
                gap_people=one.gap_people,
            )
            for one in found.areas
        ),
    )


def indicator_name(domain: Domain, indicator: str) -> str:
    """The full Vietnamese name of an indicator, or of what else an alert is about."""
    known = domain.catalogue.by_id.get(indicator)
    if known is not None:
        return known.name.vi
    report = alert_name(indicator)
    if report is not None:
        return report
    if indicator.startswith(RECEIVER_PREFIX):
        return f"Nơi nhận: {indicator.removeprefix(RECEIVER_PREFIX)}"
    return f"Nguồn dữ liệu: {wording.feed_name(indicator.removeprefix(SOURCE_PREFIX))}"


def indicator_name_en(domain: Domain, indicator: str) -> str:
    """The same in English."""
    known = domain.catalogue.by_id.get(indicator)
    if known is not None:
        return known.name.en
    report = alert_name_en(indicator)
    if report is not None:
        return report
    if indicator.startswith(RECEIVER_PREFIX):
        return f"Receiver: {indicator.removeprefix(RECEIVER_PREFIX)}"
    return f"Data source: {wording.feed_name(indicator.removeprefix(SOURCE_PREFIX), 'en')}"


def _similar(
    key: FigureKey,
    figures: Mapping[FigureKey, Figure],
    domain: Domain,
    today: date,
) -> LetterPeers | None:
    found = peers(
        key,
        siblings(domain.areas, key.area, today),
        figures,
        may_be_told=domain.may_be_told,
    )
    if found is None:
        return None
    return LetterPeers(
        count=found.count,
        median=found.median,
        best=found.best,
        best_name=domain.areas[found.best].name,
        best_value=found.best_value,
    )


def _trend(
    alert: Alert,
    days: Sequence[Milestone],
    domain: Domain,
    first: Milestone | None,
    today: date,
) -> LetterTrend | None:
    """The trend; it ends in what the alert says, which may be newer or older than the last day."""
    stands, indicator = alert.standing, domain.catalogue.by_id[alert.key.indicator]
    if stands.value is None:
        return None
    size = stands.denominator
    if not disclosure.counts_people(domain.catalogue, indicator):
        size = None
    past = (day for day in days if day.on < today and not _is_of_few(day.percent, size))
    known = [*past, Milestone(today, stands.value)]
    found = trend(known, stands.target, today)
    if found is None:
        return None
    line = domain.aims(indicator, domain.areas[alert.key.area]).line(stands.aim)
    start = line.baseline or first
    return LetterTrend(
        points=tuple(
            LetterPoint(
                on=point.on,
                value=point.percent,
                pace=stands.pace if point.on == today else pace_on(line.targets, start, point.on),
            )
            for point in found.points
        ),
        outlook=found.projection.state,
        slope=found.projection.slope,
        met_on=found.projection.met_on,
    )


def _is_of_few(share: Decimal, size: int | None) -> bool:
    """Whether a share of so many, told beside their number, would be of few people."""
    if size is None:
        return False
    reached = round(share * size / 100)
    return disclosure.is_few(reached) or disclosure.is_few(size - reached)


def _per_month(part: LetterAlert, domain: Domain, indicator: Indicator, today: date) -> int | None:
    """How many more a month lead to the target on its day, rounded up."""
    missing = gap_people(part.numerator or 0, part.denominator or 0, part.target)
    if not missing or part.target_on is None or part.target_on <= today:
        return None
    months = max(Decimal(1), (part.target_on - today).days / _DAYS_OF_A_MONTH)
    wanted = int((missing / months).to_integral_value(ROUND_CEILING))
    people = disclosure.counts_people(domain.catalogue, indicator)
    return None if people and disclosure.is_few(wanted) else wanted


def _of(indicator: Indicator | None, word: Callable[[Indicator], str]) -> str:
    return word(indicator) if indicator is not None else ""


def _due(stands: Standing, indicator: Indicator | None, today: date) -> date | None:
    """The day of the target that is being worked towards."""
    if stands.target_on is not None:
        return stands.target_on
    targets = indicator.targets.dated() if indicator is not None else []
    ahead = [target for target in targets if target.on >= today] or targets[-1:]
    return ahead[0].on if ahead else None
