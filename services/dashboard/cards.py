"""Firing alerts as cards: what is wrong, since when, and whether somebody has taken it up."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.dashboard import wording
from services.dashboard.answers import AcknowledgementAnswer, AlertAnswer, IndicatorAnswer
from services.dashboard.figures import gap_of, noun_of
from services.dashboard.shield import Hidden, Shield, words


@dataclass(frozen=True, slots=True)
class AlertCard:
    """A firing alert; `is_told`: a letter has spoken of it."""

    name: str
    severity: str
    severity_name: str
    standing: str
    gap: str
    since: str
    lowest: tuple[str, ...]
    missing: tuple[str, ...]
    is_told: bool
    answer: str = ""


def card(
    alert: AlertAnswer,
    catalogue: Mapping[str, IndicatorAnswer],
    shield: Shield,
    hidden: Collection[str],
) -> AlertCard:
    """An alert as it may be shown.

    Args:
        alert: what fires.
        catalogue: id → indicator.
        shield: what is withheld.
        hidden: the indicators whose figures are withheld on the unit's page.
    """
    indicator = catalogue.get(alert.indicator)
    noun = wording.noun(None, None) if indicator is None else noun_of(indicator)
    people = shield.is_of_people(alert.indicator)
    why = None
    if alert.kind == "pace":
        why = shield.hides(alert.area, alert.indicator, alert.numerator, alert.denominator)
    held = alert.held_back_by
    return AlertCard(
        name=alert.indicator_name,
        severity=alert.severity,
        severity_name=wording.SEVERITIES.get(alert.severity, alert.severity),
        standing=_standing(alert, noun, why),
        gap="" if why is not None else gap_of(alert.gap_people, noun, people=people),
        since="" if alert.fired_at is None else wording.clock(alert.fired_at),
        is_told=alert.told_at is not None,
        answer=_answer(alert.acknowledgement),
        lowest=tuple(
            f"{one.indicator_name} {wording.percent(one.value)}"
            for one in held.criteria
            if one.indicator not in hidden
        ),
        missing=tuple(
            f"{one.area_name} {gap_of(one.gap_people, noun, people=people)}"
            for one in held.areas
            if not shield.is_given_away(one.area, alert.indicator)
        ),
    )


def _standing(alert: AlertAnswer, noun: str, why: Hidden | None) -> str:
    if alert.kind in wording.KINDS:
        return wording.KINDS[alert.kind]
    if alert.value is None or alert.pace is None:
        return ""
    pace = f"{wording.PACES[alert.aim]} {wording.percent(alert.pace)}"
    if why is None:
        return f"Hiện đạt {wording.percent(alert.value)}, {pace}"
    said = words(why, alert.denominator, noun)
    match why:
        case "few-reached":
            return f"Hiện đạt {said.value} ({said.counted}), {pace}"
        case "few-missing":
            return f"Hiện {said.counted}, {pace}"
        case _:
            return f"{said.value} số liệu ({said.counted}), {pace}"


def _answer(said: AcknowledgementAnswer | None) -> str:
    """That the unit has taken the matter up, and its promise; its note is not for everybody."""
    if said is None or said.broken_at is not None:
        return ""
    told = f"Đã xác nhận lúc {wording.clock(said.acknowledged_at)}"
    if said.promised_on is None:
        return told
    return f"{told}, cam kết hoàn thành trước hết ngày {wording.day(said.promised_on)}"
