"""The routes: areas, indicators, ranking, history, breakdown, catalogue."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request

from contracts.areas import Level
from contracts.tokens import Principal
from contracts.updates import Basis
from services.scoring.http.answers import (
    AreasAnswer,
    BreakdownAnswer,
    CatalogueAnswer,
    HistoryAnswer,
    IndicatorsAnswer,
    RankingAnswer,
)
from services.scoring.http.history import Span, Tree
from services.scoring.http.reading import Reader

_AS_OF_TREE: Final = """
Whose units count: `then`, those of each day; `today`, or a day, those of that day: a unit has the
figures of the units that it has taken over by then, from their first days on. Of a split unit all
goes to the successor that took its residents. What units have reported is never carried.
"""


def _reader(request: Request) -> Reader:
    reader = request.app.state.reader
    if not isinstance(reader, Reader):
        raise TypeError("the lifespan must set app.state.reader")
    return reader


def _span(
    first: Annotated[
        date | None,
        Query(alias="from", description="the first day; 90 days before `to` without it"),
    ] = None,
    last: Annotated[
        date | None,
        Query(alias="to", description="the last day; today, or the unit's last, without it"),
    ] = None,
) -> Span:
    return Span(first, last)


ReaderOfApp = Annotated[Reader, Depends(_reader)]


def routes(authorised: Callable[..., Principal]) -> APIRouter:
    """The router of the reading interface; every route wants a reader's token."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(authorised)])

    @router.get("/areas")
    async def areas(
        reader: ReaderOfApp,
        level: Level | None = None,
        parent: str | None = None,
        on: Annotated[date | None, Query(description="a day, today without it")] = None,
    ) -> AreasAnswer:
        """The units valid on a day."""
        return reader.areas(level, parent, on)

    @router.get("/areas/{area_id}/indicators")
    async def indicators_of_area(reader: ReaderOfApp, area_id: str) -> IndicatorsAnswer:
        """Every indicator of a unit, all units below it rolled up."""
        return await reader.indicators(area_id)

    @router.get("/areas/{area_id}/indicators/{indicator_id}/history")
    async def history(
        reader: ReaderOfApp,
        area_id: str,
        indicator_id: str,
        span: Annotated[Span, Depends(_span)],
        as_of_tree: Annotated[Tree, Query(description=_AS_OF_TREE)] = "then",
        *,
        basis: Annotated[
            Basis | None,
            Query(description="`reported`: what units reported of what events count as well"),
        ] = None,
    ) -> HistoryAnswer:
        """A point a day.

        A day without a change reads as the day before. Before the first day that was counted, and
        after the last day of a unit, there is no point. `restated_at` marks the days that events
        have changed which came late.
        """
        return await reader.history(area_id, indicator_id, span, as_of_tree, basis)

    @router.get("/areas/{area_id}/indicators/{indicator_id}/breakdown")
    async def breakdown(reader: ReaderOfApp, area_id: str, indicator_id: str) -> BreakdownAnswer:
        """What is missing, by criterion and by unit below."""
        return await reader.breakdown(area_id, indicator_id)

    @router.get("/indicators")
    async def indicators(reader: ReaderOfApp) -> CatalogueAnswer:
        """The catalogue with sources."""
        return reader.catalogue()

    @router.get("/indicators/{indicator_id}")
    async def indicator(reader: ReaderOfApp, indicator_id: str) -> dict[str, Any]:
        """One indicator with its source."""
        return reader.catalogue_entry(indicator_id)

    @router.get("/indicators/{indicator_id}/areas")
    async def ranking(
        reader: ReaderOfApp, indicator_id: str, level: Level = "commune"
    ) -> RankingAnswer:
        """The units of a level by their value."""
        return await reader.ranking(indicator_id, level)

    return router
