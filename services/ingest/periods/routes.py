"""``GET /v1/reports/periods`` and ``GET /v1/reports/completeness``."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Annotated, Any, Final

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from contracts.areas import LEVELS, Area, Areas, Level
from contracts.events import EventTime
from contracts.reporting import Calendar, PeriodKind, PeriodState, Window, kind_of
from contracts.times import LOCAL_ZONE, local_day
from contracts.tokens import Principal, Role
from services.chassis.clock import Clock
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.core.completeness import Standing, Sums, Timeliness, sums
from services.ingest.periods.reading import received, standings

_READERS: Final = (Role.OPERATOR, Role.LEADER, Role.UNIT)


class PeriodAnswer(BaseModel):
    """One period: its days (all included), how it stands, and what is reported for it."""

    period: str
    kind: PeriodKind
    state: PeriodState
    opens: date
    due: date
    grace_until: Annotated[date, Field(description="up to this day a report counts as in time")]
    closes: date
    expected: list[str]


class PeriodsAnswer(BaseModel):
    """The periods that a unit has to report, by their due days."""

    area: str
    on: date
    periods: list[PeriodAnswer]


class SumsAnswer(BaseModel):
    """How many units there are, and how their reports stand."""

    units: int
    complete: int
    incomplete: int
    on_time: int
    late: int
    missing: int
    not_due: int


class ParentAnswer(SumsAnswer):
    """The sums of the units right below one."""

    parent: str | None
    name: str | None


class UnitAnswer(BaseModel):
    """How one unit's report stands."""

    area: str
    name: str
    parent: str | None
    expected: int
    reported: list[str]
    missing: list[str]
    complete: bool
    timeliness: Timeliness
    late_days: Annotated[int | None, Field(description="days after the due day, when late")]
    first_received_at: EventTime | None
    last_received_at: EventTime | None
    completed_at: EventTime | None
    version: Annotated[int, Field(description="of the unit's report; 0: none, or single events")]


class LevelAnswer(BaseModel):
    """The units of a level that owe the report of the period."""

    level: Level
    window: PeriodAnswer
    total: SumsAnswer
    parents: list[ParentAnswer]
    units: list[UnitAnswer]


class CompletenessAnswer(BaseModel):
    """How complete and how timely the reports for a period are."""

    period: str
    as_of: EventTime
    levels: list[LevelAnswer]


def router(
    calendar: Calendar, areas: Areas, pool: asyncpg.Pool, tokens: TokenVerifier, clock: Clock
) -> APIRouter:
    """The routes; a unit's token sees the unit and all below it."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])
    Reader = Annotated[Principal, Depends(callers(tokens, *_READERS))]  # noqa: N806 - an annotation
    secured: dict[str, Any] = {"security": [{"bearer": []}]}

    @routes.get("/periods", summary="Periods of a unit", openapi_extra=secured)
    async def periods(
        reader: Reader,
        area: Annotated[str, Query(description="area id, for example 2025:02647")],
        on: Annotated[date | None, Query(description="a day, today without it")] = None,
    ) -> PeriodsAnswer:
        """The periods of a unit that are open, due, or have closed within a year."""
        unit = _known(areas, area, reader)
        now = datetime.combine(on, time(12), LOCAL_ZONE) if on is not None else clock.now()
        return PeriodsAnswer(
            area=area,
            on=local_day(now),
            periods=[
                _period(calendar, unit.level, window, local_day(now))
                for window in calendar.periods(unit, now)
            ],
        )

    @routes.get("/completeness", summary="How complete and timely", openapi_extra=secured)
    async def completeness(
        reader: Reader,
        period: Annotated[str, Query(description="2026-10, 2026-Q3, 2026-H1 or 2026")],
        parent: Annotated[str | None, Query(description="only the unit and all below")] = None,
        level: Annotated[Level | None, Query(description="all levels without it")] = None,
    ) -> CompletenessAnswer:
        """Each unit's report for a period: what has come, what is missing, and how timely."""
        windows = _windows(calendar, period, level)
        top = [_known(areas, parent, reader).area_id] if parent is not None else None
        seen = _seen(areas, reader) if top is None else {*areas.below(top[0])}
        now = clock.now()
        today = local_day(now)
        came = await received(pool, [period])
        return CompletenessAnswer(
            period=period,
            as_of=now,
            levels=[
                _level(
                    areas,
                    of_level,
                    _period(calendar, of_level, window, today),
                    [
                        pair
                        for pair in standings(calendar, areas, of_level, window, came, today=today)
                        if seen is None or pair[0].area_id in seen
                    ],
                )
                for of_level, window in windows
            ],
        )

    return routes


def _windows(calendar: Calendar, period: str, level: Level | None) -> list[tuple[Level, Window]]:
    try:
        kind = kind_of(period)
    except ValueError as error:
        raise Problem(400, detail=str(error)) from None
    wanted = LEVELS if level is None else (level,)
    found = [(one, calendar.window(one, period)) for one in wanted]
    windows = [(one, window) for one, window in found if window is not None]
    if not windows:
        who = "no unit" if level is None else f"no {level}"
        raise Problem(
            404, detail=f"{who} reports for the {kind} {period}; see GET /v1/reports/periods"
        )
    return windows


def _known(areas: Areas, area_id: str, reader: Principal) -> Area:
    area = areas.get(area_id)
    if area is None:
        raise Problem(404, detail=f"there is no unit {area_id}; ask scoring for GET /v1/areas")
    seen = _seen(areas, reader)
    if seen is not None and area_id not in seen:
        raise Problem(403, detail=f"The token gives no sight of {area_id}.")
    return area


def _seen(areas: Areas, reader: Principal) -> set[str] | None:
    """The units that a reader may see; None: all."""
    if reader.role is not Role.UNIT:
        return None
    known = [area for area in reader.areas if areas.get(area) is not None]
    return {below for area in known for below in areas.below(area)}


def _period(calendar: Calendar, level: Level, window: Window, today: date) -> PeriodAnswer:
    return PeriodAnswer(
        period=window.period,
        kind=window.kind,
        state=window.state(today),
        opens=window.opens,
        due=window.due,
        grace_until=window.grace_until,
        closes=window.closes,
        expected=list(calendar.expected(level, window.period)),
    )


def _level(
    areas: Areas, level: Level, window: PeriodAnswer, found: Sequence[tuple[Area, Standing]]
) -> LevelAnswer:
    by_parent: defaultdict[str | None, list[Standing]] = defaultdict(list)
    for area, standing in found:
        by_parent[area.parent_id].append(standing)
    return LevelAnswer(
        level=level,
        window=window,
        total=SumsAnswer(**asdict(sums(standing for _, standing in found))),
        parents=[_parent(areas, parent, sums(below)) for parent, below in by_parent.items()],
        units=[_unit(area, standing) for area, standing in found],
    )


def _parent(areas: Areas, parent: str | None, counted: Sums) -> ParentAnswer:
    name = None if parent is None else areas[parent].name
    return ParentAnswer(parent=parent, name=name, **asdict(counted))


def _unit(area: Area, standing: Standing) -> UnitAnswer:
    return UnitAnswer(
        area=area.area_id,
        name=area.name,
        parent=area.parent_id,
        expected=len(standing.expected),
        reported=list(standing.reported),
        missing=list(standing.missing),
        complete=standing.is_complete,
        timeliness=standing.timeliness,
        late_days=standing.late_days,
        first_received_at=standing.first_at,
        last_received_at=standing.last_at,
        completed_at=standing.completed_at,
        version=standing.version,
    )
