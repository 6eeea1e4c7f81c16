"""Reads figures and puts them into answers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from contracts.areas import Area, Areas, Level
from contracts.catalogue import Catalogue, Indicator
from contracts.pace import Milestone, shown
from contracts.projection import TREND_DAYS
from contracts.times import local_day
from contracts.updates import Basis
from services.chassis.clock import Clock
from services.chassis.database import load_queries
from services.chassis.problems import Problem
from services.scoring.http.answers import (
    AreaAnswer,
    AreaMissing,
    AreasAnswer,
    BreakdownAnswer,
    CatalogueAnswer,
    CriterionMissing,
    FigureAnswer,
    HistoryAnswer,
    IndicatorsAnswer,
    RankedArea,
    RankingAnswer,
    as_of,
)
from services.scoring.http.figures import (
    Stored,
    catalogue_entry,
    figure_answer,
    missing,
    stored,
)
from services.scoring.http.history import Histories, Span, Tree

_SQL: Final = load_queries(Path(__file__).parents[1] / "sql" / "reading.sql")


class Reader:
    """Answers what the routes ask."""

    def __init__(
        self, pool: asyncpg.Pool, catalogue: Catalogue, areas: Areas, clock: Clock
    ) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._areas = areas
        self._clock = clock
        self._histories = Histories(pool, areas)

    def area(self, area_id: str) -> Area:
        """The unit of that id; 404 where there is none."""
        found = self._areas.get(area_id)
        if found is None:
            detail = f"there is no unit {area_id}; GET /v1/areas lists those of today"
            raise Problem(404, detail=detail)
        return found

    def indicator(self, indicator_id: str) -> Indicator:
        """The indicator of that id; 404 where there is none."""
        found = self._catalogue.by_id.get(indicator_id)
        if found is None:
            detail = f"there is no indicator {indicator_id}; GET /v1/indicators lists them"
            raise Problem(404, detail=detail)
        return found

    def areas(self, level: Level | None, parent: str | None, on: date | None) -> AreasAnswer:
        """The units valid on a day (today without one)."""
        day = on or local_day(self._clock.now())
        found = [
            _area_answer(area)
            for area in self._areas.on(day)
            if (level is None or area.level == level)
            and (parent is None or area.parent_id == parent)
        ]
        return AreasAnswer(on=day, areas=found)

    def catalogue(self) -> CatalogueAnswer:
        """All indicators with their sources."""
        entries = [catalogue_entry(self._catalogue, one) for one in self._catalogue]
        return CatalogueAnswer(version=self._catalogue.version, indicators=entries)

    def catalogue_entry(self, indicator_id: str) -> dict[str, Any]:
        """One indicator with its source."""
        return catalogue_entry(self._catalogue, self.indicator(indicator_id))

    async def indicators(self, area_id: str) -> IndicatorsAnswer:
        """Every indicator of a unit."""
        area = self.area(area_id)
        now = self._clock.now()
        today = local_day(now)
        rows = await self._pool.fetch(_SQL["figures_of_area"], area.area_id)
        found = {(row["indicator"], row["basis"]): stored(row) for row in rows}
        starts = await self._starts([area.area_id], None, today)
        figures = [
            figure_answer(
                one,
                found.get((one.id, "events")),
                found.get((one.id, "reported")),
                starts.get((area.area_id, one.id), {}),
                today,
            )
            for one in self._catalogue
        ]
        return IndicatorsAnswer(area=area.area_id, as_of=as_of(now), indicators=figures)

    async def ranking(self, indicator_id: str, level: Level) -> RankingAnswer:
        """The units of a level by their value, the highest first; those without one come last."""
        indicator = self.indicator(indicator_id)
        now = self._clock.now()
        today = local_day(now)
        units = [area for area in self._areas.on(today) if area.level == level]
        ids = [area.area_id for area in units]
        found = await self._figures(ids, indicator.id)
        starts = await self._starts(ids, indicator.id, today)
        answers = [
            (
                area,
                figure_answer(
                    indicator,
                    found.get((area.area_id, "events")),
                    found.get((area.area_id, "reported")),
                    starts.get((area.area_id, indicator.id), {}),
                    today,
                ),
            )
            for area in units
        ]
        return RankingAnswer(
            indicator=indicator.id, level=level, as_of=as_of(now), areas=_ranked(answers)
        )

    async def history(
        self, area_id: str, indicator_id: str, span: Span, tree: Tree, basis: Basis | None = None
    ) -> HistoryAnswer:
        """A point a day, by events where they feed the indicator and nothing else is asked for."""
        area, indicator = self.area(area_id), self.indicator(indicator_id)
        today = local_day(self._clock.now())
        return await self._histories.read(area, indicator, span, tree, basis=basis, today=today)

    async def breakdown(self, area_id: str, indicator_id: str) -> BreakdownAnswer:
        """What is missing, by criterion and by unit below."""
        area, indicator = self.area(area_id), self.indicator(indicator_id)
        if indicator.is_reported_only:
            detail = f"{indicator.id} is fed by reports alone, so nobody is counted one by one"
            raise Problem(404, detail=detail)
        now = self._clock.now()
        today = local_day(now)
        children = [child for child in self._areas.children(area.area_id) if child.is_valid(today)]
        figures = await self._figures(
            [area.area_id, *(child.area_id for child in children)], indicator.id
        )
        rows = await self._pool.fetch(_SQL["figures_of_area"], area.area_id)
        by_criterion = {row["indicator"]: stored(row) for row in rows if row["basis"] == "events"}
        criteria = [self._catalogue.by_id[one] for one in indicator.criteria or (indicator.id,)]
        return BreakdownAnswer(
            area=area.area_id,
            indicator=indicator.id,
            as_of=as_of(now),
            total=missing(indicator, by_criterion.get(indicator.id), today),
            criteria=sorted(
                (
                    CriterionMissing(
                        id=one.id,
                        name=one.name.vi,
                        **missing(one, by_criterion.get(one.id), today).model_dump(),
                    )
                    for one in criteria
                ),
                key=lambda entry: -entry.missing,
            ),
            areas=sorted(
                (
                    AreaMissing(
                        area=child.area_id,
                        name=child.name,
                        **missing(
                            indicator, figures.get((child.area_id, "events")), today
                        ).model_dump(),
                    )
                    for child in children
                ),
                key=lambda entry: -entry.missing,
            ),
        )

    async def _figures(
        self, area_ids: Sequence[str], indicator_id: str
    ) -> Mapping[tuple[str, str], Stored]:
        rows = await self._pool.fetch(_SQL["figures_of_areas"], area_ids, indicator_id)
        return {(row["area_id"], row["basis"]): stored(row) for row in rows}

    async def _starts(
        self, area_ids: Sequence[str], indicator_id: str | None, today: date
    ) -> Mapping[tuple[str, str], Mapping[Basis, Milestone]]:
        """The first point of each trend that ends today, by unit and indicator, then by basis."""
        since = today - timedelta(days=TREND_DAYS)
        rows = await self._pool.fetch(_SQL["trend"], list(area_ids), since, indicator_id)
        starts: defaultdict[tuple[str, str], dict[Basis, Milestone]] = defaultdict(dict)
        for row in rows:
            percent = shown(row["numerator"], row["denominator"], row["value"])
            if percent is not None:
                start = Milestone(row["day"], percent)
                starts[row["area_id"], row["indicator"]][row["basis"]] = start
        return starts


def _area_answer(area: Area) -> AreaAnswer:
    return AreaAnswer(
        area_id=area.area_id,
        code=area.code,
        name=area.name,
        level=area.level,
        parent_id=area.parent_id,
        valid_from=area.valid_from,
        valid_to=area.valid_to,
        latitude=area.latitude,
        longitude=area.longitude,
        area_km2=area.area_km2,
    )


def _ranked(answers: Sequence[tuple[Area, FigureAnswer]]) -> list[RankedArea]:
    """Equal values share a rank (1, 2, 2, 4); units without a value have none and come last."""
    valued = [pair for pair in answers if pair[1].value is not None]
    valued.sort(key=lambda pair: (-(pair[1].value or 0), pair[0].area_id))
    ranked: list[RankedArea] = []
    for place, (area, figure) in enumerate(valued, start=1):
        same = ranked and ranked[-1].value == figure.value
        rank = ranked[-1].rank if same else place
        ranked.append(_ranked_area(area, figure, rank))
    rest = [pair for pair in answers if pair[1].value is None]
    return ranked + [_ranked_area(area, figure, None) for area, figure in rest]


def _ranked_area(area: Area, figure: FigureAnswer, rank: int | None) -> RankedArea:
    return RankedArea(**dict(figure), area=area.area_id, name=area.name, rank=rank)
