"""Alerts that rules would have made, as a table and as JSON."""

from collections.abc import Sequence
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from contracts.areas import Areas
from contracts.catalogue import Catalogue
from services.notifier.core.replay import Compared, Fired

_STYLES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_CHANGES: Final = {"new": "bold", "gone": "dim", "changed": "", "same": ""}


def table(
    found: Sequence[Compared], areas: Areas, catalogue: Catalogue, *, is_compared: bool
) -> Table:
    """A row an alert; with `is_compared` how it differs from the rules in force."""
    made = Table(box=box.SIMPLE_HEAD)
    if is_compared:
        made.add_column("Change", no_wrap=True)
    for heading in ("Unit", "Indicator"):
        made.add_column(heading, overflow="fold")
    for heading in ("From", "To", "Severity", "Reason"):
        made.add_column(heading, no_wrap=True)
    for one in found:
        alert = one.alert
        unit = areas[alert.area]
        change = [Text(one.change, style=_CHANGES[one.change])] if is_compared else []
        made.add_row(
            *change,
            f"{unit.name} ({unit.area_id})",
            f"{alert.indicator} {catalogue.by_id[alert.indicator].name.vi}",
            alert.since.isoformat(),
            "still fires" if alert.until is None else alert.until.isoformat(),
            Text(alert.severity, style=_STYLES[alert.severity]),
            alert.reason.value,
        )
    return made


def as_json(found: Sequence[Compared], *, is_compared: bool) -> dict[str, Any]:
    """What fires, and (with `is_compared`) how that differs from the rules in force."""
    fired = [
        _alert(one.alert) | ({"change": one.change} if is_compared else {})
        for one in found
        if one.change != "gone"
    ]
    if not is_compared:
        return {"fired": fired}
    return {"fired": fired, "gone": [_alert(one.alert) for one in found if one.change == "gone"]}


def _alert(one: Fired) -> dict[str, Any]:
    return {
        "area": one.area,
        "indicator": one.indicator,
        "from": one.since.isoformat(),
        "to": None if one.until is None else one.until.isoformat(),
        "severity": one.severity,
        "reason": one.reason.value,
    }
