"""The events of a report: one for each figure that a version speaks of."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from contracts.sources import SOURCE_OF_DOMAIN
from contracts.times import format_rfc3339
from services.ingest.reports.core.figures import Change, Figure
from services.ingest.reports.core.form import Reporter

DOMAIN: Final = "report"
SOURCE: Final = SOURCE_OF_DOMAIN[DOMAIN]
_TYPE: Final = "vn.nhipso.report.figures-submitted.v1"


def event_id(reporter: str, period: str, indicator: str, version: int) -> str:
    """The id of a figure's event: the same whenever it is published again."""
    return f"{reporter}|{period}|{indicator}|{version}"


def events(
    reporter: Reporter,
    period: str,
    version: int,
    submitted_at: datetime,
    figures: Iterable[Figure],
) -> list[dict[str, Any]]:
    """Events in edge form, in the order of the figures.

    Unchanged figures are said again: the latest word of the unit shall hold, whatever another
    program may have sent in its name meanwhile.
    """
    return [
        {
            "specversion": "1.0",
            "id": event_id(reporter.name, period, figure.indicator, version),
            "source": SOURCE,
            "type": _TYPE,
            "subject": reporter.subject,
            "time": format_rfc3339(submitted_at),
            "datacontenttype": "application/json",
            "data": {"indicator": figure.indicator, "period": period, **figure.said},
        }
        for figure in figures
        if figure.change is not Change.KEPT
    ]
