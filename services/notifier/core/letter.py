"""The message to one unit: all its firing alerts, worst first, with what holds it back.

A letter is data; receivers render it. It holds sums alone, nothing of a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Self
from uuid import UUID

from pydantic import model_validator

from contracts.events import EventTime
from contracts.pace import Milestone
from contracts.times import local_day
from contracts.updates import Severity
from services.notifier.core import wording
from services.notifier.core.alert import FOR_OPERATORS, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.detail import (
    causes,
    compared,
    in_detail,
    indicator_name,
    keys_in_full,
    summary,
)
from services.notifier.core.figure import Figure, FigureKey
from services.notifier.core.parts import (
    LetterAlert,
    LetterCauses,
    LetterName,
    LetterSince,
    Part,
)
from services.notifier.core.sentences import SENTENCES
from services.notifier.core.wording import Language

__all__ = [
    "NO_BACKGROUND",
    "OPERATORS",
    "UNIT_PREFIX",
    "Background",
    "Letter",
    "LetterCauses",
    "audience_of",
    "causes",
    "indicator_name",
    "keys_in_full",
    "worst_first",
    "write",
]

OPERATORS: Final = "operators"
"""The audience of alerts that are about a feed or a receiver and not about a unit."""

OPERATORS_VI: Final = "Bộ phận vận hành hệ thống Nhịp Số"
OPERATORS_EN: Final = "The operators of Nhịp Số"
"""Whom a letter to them is addressed to."""

UNIT_PREFIX: Final = "unit:"
"""Before the area id, in the audience of a unit."""

_GRAVITY: Final[Mapping[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


class Letter(Part):
    """One message to one audience: a unit, an agency, a group, or the operators.

    `recovered` are indicators of the last message that lag no more. `page_url` leads to the unit's
    page, `acknowledge_url` to where the unit says that it has taken the matter up. `escalated_to`
    names the unit above that is told because the unit itself has not said so. Where the letter is
    about several units, `area` is one above all of them, each alert names its own, and `since` says
    which units came or caught up since the last one.
    `patience_days`: after so many days without an acknowledgement the unit above is told.
    `contact`: whom readers may ask.
    `is_test`: an operator tries a receiver, and nothing is told.
    """

    audience: str
    area: str
    area_name: str
    addressee: str
    addressee_en: str = ""
    written_at: EventTime
    is_reminder: bool
    alerts: tuple[LetterAlert, ...]
    recovered: tuple[LetterName, ...] = ()
    page_url: str | None = None
    acknowledge_url: str | None = None
    escalated_to: str | None = None
    patience_days: int | None = None
    since: LetterSince | None = None
    contact: str | None = None
    is_test: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.is_test == bool(self.alerts):
            raise ValueError("a letter has alerts, and a test has none")
        return self

    @property
    def is_for_operators(self) -> bool:
        """Whether it tells of silent feeds and of receivers; such a letter tells of nothing else."""
        return any(alert.kind in FOR_OPERATORS for alert in self.alerts)

    @property
    def sources(self) -> tuple[LetterAlert, ...]:
        """The alerts about silent feeds."""
        return tuple(alert for alert in self.alerts if alert.kind == "source-silent")

    @property
    def receivers(self) -> tuple[LetterAlert, ...]:
        """The alerts about receivers that take nothing."""
        return tuple(alert for alert in self.alerts if alert.kind == "receiver")

    @property
    def units(self) -> Mapping[str, tuple[LetterAlert, ...]]:
        """Where the letter is about several units: id → its alerts, the worst unit first."""
        found: dict[str, list[LetterAlert]] = {}
        for one in self.alerts:
            if one.area is not None:
                found.setdefault(one.area, []).append(one)
        return {area: tuple(some) for area, some in found.items()}

    def area_of(self, one: LetterAlert) -> str:
        """Which unit an alert of this letter is about."""
        return one.area or self.area

    @property
    def lagging(self) -> tuple[LetterAlert, ...]:
        """The alerts about indicators, worst first."""
        return tuple(alert for alert in self.alerts if alert.kind == "pace")

    @property
    def reports(self) -> tuple[LetterAlert, ...]:
        """The alerts about reports that are due or missing, what is missing first."""
        return tuple(alert for alert in self.alerts if alert.kind == "report")

    @property
    def broken(self) -> tuple[LetterAlert, ...]:
        """The alerts whose promised day has passed, the earliest day first."""
        dated = ((one.promised_on, one) for one in self.alerts if one.promised_on is not None)
        return tuple(one for _, one in sorted(dated, key=lambda pair: pair[0]))

    @property
    def is_any_falling(self) -> bool:
        """Whether one of the indicators is not behind its pace but falls."""
        return any(alert.reason == Reason.FALLING for alert in self.lagging)

    @property
    def subject(self) -> str:
        """The subject line in Vietnamese."""
        return self.subject_in("vi")

    def subject_in(self, language: Language) -> str:
        """The subject line."""
        say = SENTENCES[language]
        if self.is_test:
            return say["subject_test"]
        if self.is_for_operators:
            told = (("n_sources", self.sources), ("n_receivers", self.receivers))
            named = [say[name].format(n=len(alerts)) for name, alerts in told if alerts]
            parts = ", ".join(named)
            return say["subject_operators"].format(parts=parts[:1].upper() + parts[1:])
        parts = counted(self.alerts, language)
        if self.units:
            within = wording.within if language == "vi" else wording.unit_en
            name = "subject_units_again" if self.is_reminder else "subject_units"
            if self.escalated_to is not None:
                name = "subject_above"
            return say[name].format(n=len(self.units), within=within(self.area_name), parts=parts)
        unit = self.area_name if language == "vi" else wording.unit_en(self.area_name)
        name = "subject_again" if self.is_reminder else "subject"
        if self.escalated_to is not None:
            name = "subject_escalated"
        elif self.broken and self.broken[0].promised_on is not None:
            day = wording.day(self.broken[0].promised_on, language)
            return say["subject_broken"].format(day=day, unit=unit, parts=parts)
        return say[name].format(unit=unit, parts=parts)


def counted(alerts: Sequence[LetterAlert], language: Language) -> str:
    """How many alerts of each kind: ``3 chỉ tiêu chậm tiến độ, 1 báo cáo cần gửi``."""
    say = SENTENCES[language]
    lagging = [one for one in alerts if one.kind == "pace"]
    reports = [one for one in alerts if one.kind == "report"]
    falling = any(one.reason == Reason.FALLING for one in lagging)
    named = (("n_lagging_or_falling" if falling else "n_lagging", lagging), ("n_reports", reports))
    return ", ".join(say[name].format(n=len(some)) for name, some in named if some)


@dataclass(frozen=True, slots=True)
class Background:
    """What is known beside the figures of today.

    `days` are those of `keys_in_full`; `last` is the message before, `recovered` those of its
    alerts that were resolved since because the unit caught up.
    """

    days: Mapping[FigureKey, Sequence[Milestone]] = field(default_factory=dict)
    last: Letter | None = None
    recovered: frozenset[UUID] = frozenset()
    page_url: str | None = None
    acknowledge_url: str | None = None


NO_BACKGROUND: Final = Background()


def audience_of(alert: Alert) -> str:
    """Whom an alert is told to: ``unit:<area id>``, or the operators."""
    return OPERATORS if alert.kind in FOR_OPERATORS else f"{UNIT_PREFIX}{alert.key.area}"


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
    background: Background = NO_BACKGROUND,
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
    last = background.last
    before = {one.id: one for one in last.alerts} if last is not None else {}
    in_full = set(keys_in_full(ordered))
    written = []
    for alert in ordered:
        part = summary(alert, domain, today)
        if alert.key in in_full:
            part = in_detail(part, alert, figures, background.days, domain=domain, today=today)
        if last is not None and alert.id in before:
            part = compared(part, before[alert.id], last.written_at)
        written.append(part)
    return Letter(
        audience=audience,
        area=area.area_id,
        area_name=area.name,
        addressee=OPERATORS_VI if for_operators else wording.office(area),
        addressee_en=OPERATORS_EN if for_operators else wording.office_en(area),
        written_at=now,
        is_reminder=is_reminder,
        alerts=tuple(written),
        recovered=_recovered(area.area_id, background),
        page_url=background.page_url,
        acknowledge_url=background.acknowledge_url,
    )


def _recovered(area: str, background: Background) -> tuple[LetterName, ...]:
    """What the last letter told of a unit and is mended since."""
    last = background.last
    if last is None:
        return ()
    return tuple(
        LetterName(
            indicator=one.indicator,
            indicator_name=one.indicator_name,
            indicator_name_en=one.indicator_name_en,
        )
        for one in last.alerts
        if one.id in background.recovered and last.area_of(one) == area
    )
