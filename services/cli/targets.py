"""What a unit is judged by, over scoring's figures: its own targets, and the country's.

Scoring tells the province's targets of every unit. Alerts, letters and the dashboard speak of those
that the notifier's rules give a unit (`GET /v1/targets`); what the command says must not differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from contracts.pace import gap_people
from contracts.projection import Projection, towards
from contracts.updates import Percent
from services.cli.endpoints import Endpoints
from services.cli.exits import CommandError
from services.cli.reading import get_json

PROVINCIAL: Final = "provincial"
_WHOSE: Final = {"own": "the unit's own", "national": "the country's"}


class Line(BaseModel):
    """One line that a unit is measured against; `aim` says whose targets it leads to."""

    aim: str
    target: Percent | None
    pace: Percent | None


class _Target(BaseModel):
    indicator: str
    lines: tuple[Line, ...]


class _Answer(BaseModel):
    targets: tuple[_Target, ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """The lines of one unit by indicator, the one that it is judged by first.

    `missing`: why the notifier does not tell them; the province's targets stand in their place.
    """

    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    missing: str | None = None

    @property
    def said_by(self) -> str:
        """The service whose targets stand here."""
        return "notifier" if self.missing is None else "scoring"

    @property
    def warning(self) -> str | None:
        """What a reader must know where they are missing."""
        if self.missing is None:
            return None
        return (
            f"targets are the province's: what the unit is judged by is not known ({self.missing})"
        )

    def measured(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """A figure of scoring against what its unit is judged by; None without any target.

        `aim` is whose targets these are; all else has the names and the form that it has in the row.
        """
        lines = self.lines.get(row["id"], ())
        if not lines or _is_same(row, lines[0]):
            if row.get("target") is None:
                return None
            names = ("target", "pace", "gap_people", "projected_on")
            told = {name: row.get(name) for name in names}
            state = (row.get("projection") or {}).get("state")
            return {"aim": lines[0].aim if lines else PROVINCIAL} | told | _state(state)
        line = lines[0]
        gap = None
        if row.get("numerator") is not None and row.get("denominator") is not None:
            gap = gap_people(row["numerator"], row["denominator"], line.pace)
        trend = _projected(row, line.target)
        met_on = None if trend is None or trend.met_on is None else trend.met_on.isoformat()
        return {
            **line.model_dump(mode="json"),
            "gap_people": gap,
            "projected_on": met_on,
            **_state(None if trend is None else trend.state),
        }

    def remark(self, row: Mapping[str, Any]) -> str | None:
        """Whose target counts and what the others are, where it is not simply the province's."""
        lines = self.lines.get(row["id"], ())
        if not lines or (len(lines) == 1 and _is_same(row, lines[0])):
            return None
        said = [_said(line) for line in lines]
        if all(line.aim != PROVINCIAL for line in lines) and row.get("target") is not None:
            common = Line.model_validate({"aim": PROVINCIAL, "pace": None} | dict(row))
            said.append(_said(common))
        counts, *others = said
        return f"judged by {counts}" + "".join(f"; {one}" for one in others)


async def read_targets(stack: Endpoints, area: str) -> Targets:
    """What a unit is judged by, as the notifier says; never an error, but why it is not known."""
    try:
        url = f"{stack.url('notifier')}/v1/targets"
        answer = await get_json(url, token=stack.token("operator"), parameters={"area": area})
        told = _Answer.model_validate(answer)
    except CommandError as error:
        return Targets(missing=str(error))
    except ValidationError:
        return Targets(missing=f"{url} did not answer as agreed")
    return Targets({one.indicator: one.lines for one in told.targets})


def _is_same(row: Mapping[str, Any], line: Line) -> bool:
    told = Line.model_validate({"aim": line.aim, "target": None, "pace": None} | dict(row))
    return told == line


def _said(line: Line) -> str:
    whose = _WHOSE.get(line.aim, "the province's")
    return f"{whose} target {_percent(line.target)} (pace {_percent(line.pace)})"


def _percent(share: Decimal | None) -> str:
    return "–" if share is None else f"{share:.2f} %"


def _state(state: str | None) -> dict[str, Any]:
    return {"projection": None if state is None else {"state": state}}


def _projected(row: Mapping[str, Any], target: Decimal | None) -> Projection | None:
    """The trend that scoring tells, towards this target; None where it tells of none."""
    told = row.get("projection") or {}
    days, slope = told.get("based_on"), told.get("slope_per_day")
    if row.get("value") is None or not days:
        return None
    return towards(
        target,
        Decimal(str(row["value"])),
        None if slope is None else Decimal(str(slope)),
        date.fromisoformat(days["from"]),
        date.fromisoformat(days["to"]),
    )
