"""What units are measured against, over HTTP: the lines that alerts and letters speak of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel, Field

from contracts.areas import Area
from contracts.catalogue import Indicator
from contracts.events import IsoDay
from contracts.pace import Milestone
from contracts.times import local_day
from contracts.updates import Basis, Percent
from services.chassis.problems import Problem
from services.notifier.callers import Sight
from services.notifier.core.aim import Aim, Line
from services.notifier.core.figure import Figure, FigureKey, Standing, is_judged, lines
from services.notifier.http import Api
from services.notifier.store import figures


class MilestoneAnswer(BaseModel):
    """A share in percent on a day."""

    on: IsoDay
    percent: Percent


class LineAnswer(BaseModel):
    """One line: whose targets it leads to, and where a unit on it stands today.

    `target` is the one that is being worked towards. `baseline` is where the pace begins as the
    rules or the catalogue say, null: at the first value seen. `pace` is null before it begins.
    """

    aim: Aim
    target: Percent | None
    target_on: IsoDay | None
    pace: Percent | None
    targets: list[MilestoneAnswer]
    baseline: MilestoneAnswer | None


class TargetAnswer(BaseModel):
    """What one indicator of one unit is measured against; the line it is further behind first.

    A share of fewer than `minimum_denominator` is not judged, and not told.
    """

    area: str
    indicator: str
    minimum_denominator: int
    lines: Annotated[list[LineAnswer], Field(min_length=1)]


class TargetsAnswer(BaseModel):
    """What is measured against something on a local day; nothing else is judged."""

    on: IsoDay
    targets: list[TargetAnswer]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Of which units and indicators."""

    units: Sequence[Area]
    indicators: Sequence[Indicator]


def add_target_routes(app: FastAPI, *, sight: Sight, api: Callable[[], Api]) -> None:
    """Add the route of targets to an app; `api` is asked at each request."""
    router = APIRouter(prefix="/v1/targets", tags=["targets"])
    Visible = Annotated[Sequence[str] | None, Depends(sight)]  # noqa: N806 - an annotation

    @router.get("")
    async def list_targets(
        seen: Visible,
        area: Annotated[str | None, Query(description="exactly that unit")] = None,
        indicator: str | None = None,
    ) -> TargetsAnswer:
        """What a unit is measured against, or all units in one indicator."""
        known = api()
        today = local_day(known.clock.now())
        asked = _asked(known, seen, area, indicator, today)
        return TargetsAnswer(on=today, targets=await _targets(known, asked, today))

    app.include_router(router)


def _asked(
    api: Api, seen: Sequence[str] | None, area: str | None, indicator: str | None, today: date
) -> _Asked:
    if area is None and indicator is None:
        raise Problem(422, detail="Name an `area`, an `indicator` or both.")
    if area is not None and seen is not None and area not in seen:
        raise Problem(403, detail=f"The token gives no sight of {area}.")
    domain = api.domain
    units = [one for one in domain.areas.on(today) if area in (None, one.area_id)]
    indicators = [one for one in domain.catalogue if indicator in (None, one.id)]
    if not units:
        raise Problem(404, detail=f"There is no unit {area} today.")
    if not indicators:
        raise Problem(404, detail=f"There is no indicator {indicator}.")
    return _Asked([one for one in units if seen is None or one.area_id in seen], indicators)


async def _targets(api: Api, asked: _Asked, today: date) -> list[TargetAnswer]:
    judged = list(_judged(api, asked))
    async with api.pool.acquire() as connection:
        known = await figures.of_keys(connection, [key for key, _, _ in judged])
    answers = []
    for key, indicator, unit in judged:
        aims = api.domain.aims(indicator, unit)
        figure = known.get(key) or Figure(key, 0, None, None, None, api.clock.now(), None)
        answers.append(
            TargetAnswer(
                area=key.area,
                indicator=key.indicator,
                minimum_denominator=api.domain.minimum_denominator(key.indicator),
                lines=[
                    _line(stands, aims.line(stands.aim)) for stands in lines(figure, today, aims)
                ],
            )
        )
    return answers


def _judged(api: Api, asked: _Asked) -> Iterable[tuple[FigureKey, Indicator, Area]]:
    for unit in asked.units:
        for indicator in asked.indicators:
            basis: Basis = "reported" if indicator.is_reported_only else "events"
            if is_judged(indicator, basis, api.domain.aims(indicator, unit)):
                yield FigureKey(unit.area_id, indicator.id, basis), indicator, unit


def _line(stands: Standing, line: Line) -> LineAnswer:
    return LineAnswer(
        aim=stands.aim,
        target=stands.target,
        target_on=stands.target_on,
        pace=stands.pace,
        targets=[_milestone(one) for one in line.targets],
        baseline=None if line.baseline is None else _milestone(line.baseline),
    )


def _milestone(one: Milestone) -> MilestoneAnswer:
    return MilestoneAnswer(on=one.on, percent=one.percent)
