"""The message to one unit: all its firing alerts, worst first, with what holds it back.

A letter is data; receivers render it. It holds sums alone, nothing of a person.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.catalogue import Indicator
from contracts.events import EventTime, IsoDay
from contracts.pace import Milestone
from contracts.times import local_day
from contracts.updates import Percent, Severity
from services.notifier.core import wording
from services.notifier.core.alert import SOURCE_PREFIX, Alert, AlertKind
from services.notifier.core.causes import Domain, HeldBack
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.reports import alert_name

OPERATORS: Final = "operators"
"""The audience of alerts that are about a feed and not about a unit."""

UNIT_PREFIX: Final = "unit:"
"""Before the area id, in the audience of a unit."""

_GRAVITY: Final[Mapping[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class LetterCriterion(_Part):
    """A criterion that holds a unit back: its share in percent."""

    indicator: str
    indicator_name: str
    value: Percent


class LetterArea(_Part):
    """A unit below that holds a unit back: its share in percent and how many are missing."""

    area: str
    area_name: str
    value: Percent
    gap_people: int


class LetterCauses(_Part):
    """What holds a unit back, worst first."""

    criteria: tuple[LetterCriterion, ...] = ()
    areas: tuple[LetterArea, ...] = ()


class LetterAlert(_Part):
    """One alert as its reader needs it. Shares are in percent; `noun` is what is counted."""

    id: UUID
    kind: AlertKind
    indicator: str
    indicator_name: str
    severity: Severity
    reason: str
    value: Percent | None
    pace: Percent | None
    target: Percent | None
    target_on: IsoDay | None
    gap_people: int | None
    numerator: int | None
    denominator: int | None
    noun: str
    opened_at: EventTime
    fired_at: EventTime | None
    is_new: bool
    due_on: IsoDay | None = None
    held_back_by: LetterCauses = LetterCauses()


class Letter(_Part):
    """One message to one audience: a unit, or the operators."""

    audience: str
    area: str
    area_name: str
    addressee: str
    written_at: EventTime
    is_reminder: bool
    alerts: Annotated[tuple[LetterAlert, ...], Field(min_length=1)]

    @property
    def is_for_operators(self) -> bool:
        """Whether it tells operators of silent feeds."""
        return self.audience == OPERATORS

    @property
    def lagging(self) -> tuple[LetterAlert, ...]:
        """The alerts about indicators, worst first."""
        return tuple(alert for alert in self.alerts if alert.kind == "pace")

    @property
    def reports(self) -> tuple[LetterAlert, ...]:
        """The alerts about reports that are due or missing, what is missing first."""
        return tuple(alert for alert in self.alerts if alert.kind == "report")

    @property
    def subject(self) -> str:
        """The subject line."""
        if self.is_for_operators:
            return f"[Nhịp Số] {len(self.alerts)} nguồn dữ liệu ngừng gửi"
        again = "Nhắc lại: " if self.is_reminder else ""
        parts = []
        if self.lagging:
            parts.append(f"{len(self.lagging)} chỉ tiêu chậm tiến độ")
        if self.reports:
            parts.append(f"{len(self.reports)} báo cáo cần gửi")
        return f"[Nhịp Số] {again}{self.area_name} có {', '.join(parts)}"


def audience_of(alert: Alert) -> str:
    """Whom an alert is told to: ``unit:<area id>``, or the operators."""
    return OPERATORS if alert.kind == "source-silent" else f"{UNIT_PREFIX}{alert.key.area}"


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """By severity, then by points behind the pace, then by indicator."""

    def place(alert: Alert) -> tuple[int, Decimal, str]:
        behind = alert.standing.behind or Decimal(0)
        return _GRAVITY[alert.severity], -behind, alert.key.indicator

    return sorted(alerts, key=place)


def write(
    alerts: Iterable[Alert],
    figures: Mapping[FigureKey, Figure],
    domain: Domain,
    *,
    is_reminder: bool,
    now: datetime,
) -> Letter:
    """Write the letter for the alerts of one audience.

    Raises:
        LookupError: there is no alert, or its unit is not known.
    """
    today = local_day(now)
    ordered = worst_first(alerts)
    area = domain.areas[ordered[0].key.area]
    audience = audience_of(ordered[0])
    for_operators = audience == OPERATORS
    return Letter(
        audience=audience,
        area=area.area_id,
        area_name=area.name,
        addressee="Bộ phận vận hành hệ thống Nhịp Số" if for_operators else wording.office(area),
        written_at=now,
        is_reminder=is_reminder,
        alerts=tuple(_alert(alert, figures, domain, today) for alert in ordered),
    )


def causes(found: HeldBack, domain: Domain) -> LetterCauses:
    """What holds a unit back, with names."""
    return LetterCauses(
        criteria=tuple(
            LetterCriterion(
                indicator=one.indicator,
                indicator_name=domain.catalogue.by_id[one.indicator].name.vi,
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
    """The full Vietnamese name of an indicator, or of the report or feed an alert is about."""
    known = domain.catalogue.by_id.get(indicator)
    if known is not None:
        return known.name.vi
    report = alert_name(indicator)
    if report is not None:
        return report
    return f"Nguồn dữ liệu: {wording.feed_name(indicator.removeprefix(SOURCE_PREFIX))}"


def _alert(
    alert: Alert, figures: Mapping[FigureKey, Figure], domain: Domain, today: date
) -> LetterAlert:
    indicator = domain.catalogue.by_id.get(alert.key.indicator)
    aim = _aim(indicator, today)
    standing = alert.standing
    return LetterAlert(
        id=alert.id,
        kind=alert.kind,
        indicator=alert.key.indicator,
        indicator_name=indicator_name(domain, alert.key.indicator),
        severity=alert.severity,
        reason=alert.reason.value,
        value=standing.value,
        pace=standing.pace,
        target=standing.target,
        target_on=aim.on if aim is not None else None,
        gap_people=standing.gap_people,
        numerator=standing.numerator,
        denominator=standing.denominator,
        noun=_or_empty(indicator, lambda known: wording.noun(domain.catalogue, known)),
        opened_at=alert.opened_at,
        fired_at=alert.fired_at,
        is_new=alert.told_at is None,
        due_on=alert.due_on,
        held_back_by=causes(domain.held_back(alert.key, figures, today), domain),
    )


def _or_empty(indicator: Indicator | None, word: Callable[[Indicator], str]) -> str:
    return word(indicator) if indicator is not None else ""


def _aim(indicator: Indicator | None, today: date) -> Milestone | None:
    """The target that is being worked towards, with its day."""
    targets = indicator.targets.dated() if indicator is not None else []
    ahead = [target for target in targets if target.on >= today] or targets[-1:]
    return ahead[0] if ahead else None
