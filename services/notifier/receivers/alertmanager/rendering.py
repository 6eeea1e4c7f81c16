"""An alert as Alertmanager takes it: what it is in labels, how it stands in annotations.

Labels make the identity of an alert there, so each comes from a closed list: kinds, units,
indicators, severities. A value in a label would make a new alert of each figure.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from contracts.disclosure import counts_people, is_few, withheld
from contracts.times import format_rfc3339
from services.notifier.core.causes import Domain
from services.notifier.core.letter import indicator_name
from services.notifier.store.mirror import Mirrored

NAMES: Final[Mapping[str, str]] = {
    "pace": "IndicatorBehindPace",
    "source-silent": "SourceSilent",
    "report": "ReportOutstanding",
    "receiver": "ReceiverFailing",
}
"""``alertname`` by kind of alert."""


def postable(
    alert: Mirrored, domain: Domain, *, now: datetime, lasts: timedelta, page: str | None = None
) -> dict[str, Any]:
    """One element of ``postableAlerts``; `page` is where a reader sees what it is about.

    A firing alert ends after `lasts` unless it is sent again before, so nothing goes on for ever
    there when this process is away; a resolved one ended when it did.
    """
    ends_at = alert.resolved_at if alert.resolved_at is not None else now + lasts
    area = domain.areas.get(alert.area)
    return {
        "labels": {
            "alertname": NAMES.get(alert.kind, alert.kind),
            "area": alert.area,
            "indicator": alert.indicator,
            "basis": alert.basis,
            "severity": alert.severity,
        },
        "annotations": {
            "summary": f"{area.name if area else alert.area}: "
            f"{indicator_name(domain, alert.indicator)}",
            "alert": str(alert.id),
            "reason": alert.reason,
            **_figures(alert, domain),
        },
        "startsAt": format_rfc3339(alert.fired_at),
        "endsAt": format_rfc3339(ends_at),
        **({"generatorURL": page} if page is not None else {}),
    }


def _figures(alert: Mirrored, domain: Domain) -> dict[str, str]:
    """The figures in words; of few people nothing is told."""
    indicator = domain.catalogue.by_id.get(alert.indicator)
    people = indicator is not None and counts_people(domain.catalogue, indicator)
    hidden = withheld(alert.numerator, alert.denominator, minimum_denominator=0, people=people)
    told: dict[str, Decimal | int | None] = {"pace": alert.pace, "target": alert.target}
    if hidden is None:
        told |= {
            "value": alert.value,
            "numerator": alert.numerator,
            "denominator": alert.denominator,
        }
        if not (people and is_few(alert.gap_people)):
            told["gap_people"] = alert.gap_people
    return {name: str(value) for name, value in told.items() if value is not None}
