"""``GET …/history``: a figure day by day, with the units of their time or carried to others."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

import asyncpg

from contracts.areas import Area, Areas
from contracts.catalogue import Indicator
from contracts.pace import shown
from contracts.projection import TREND_DAYS
from contracts.updates import Basis
from services.chassis.database import load_queries
from services.chassis.problems import Problem
from services.scoring.core.series import Part, Point, daily, parts
from services.scoring.http.answers import CarriedFrom, Days, HistoryAnswer, PointAnswer

_SQL: Final = load_queries(Path(__file__).parents[1] / "sql" / "reading.sql")
_LONGEST: Final = timedelta(days=3_660)

#: Whose units count: those of each day, of today, or of the day that is named.
Tree = Literal["then", "today"] | date


@dataclass(frozen=True, slots=True)
class Span:
    """The days asked for; None is left to the default."""

    first: date | None
    last: date | None

    def days(self, area: Area, today: date) -> tuple[date, date]:
        """The first and the last day to answer for; none lies ahead or after the unit's end.

        Raises:
            Problem: 400, when they stand in the wrong order or too far apart.
        """
        end = min(today, area.valid_to or today)
        last = self.last or (end if self.first is None else today)
        first = self.first or last - min(timedelta(days=TREND_DAYS), last - date.min)
        if first > last or last - first > _LONGEST:
            detail = "`from` must not come after `to`, nor lie more than ten years before it"
            raise Problem(400, detail=detail)
        return first, min(last, end)


class Histories:
    """Reads histories."""

    def __init__(self, pool: asyncpg.Pool, areas: Areas) -> None:
        self._pool = pool
        self._areas = areas

    async def read(
        self,
        area: Area,
        indicator: Indicator,
        span: Span,
        tree: Tree,
        *,
        basis: Basis | None,
        today: date,
    ) -> HistoryAnswer:
        """A point for each of the days on which something is known.

        What units have reported stays theirs: shares of different periods cannot be added, and a
        share of a merged unit cannot be told from one part.

        Raises:
            Problem: 400, when the span is no span, or events cannot feed the indicator.
        """
        first, last = span.days(area, today)
        on = None if tree == "then" else today if tree == "today" else tree
        if indicator.is_reported_only and basis == "events":
            raise Problem(400, detail=f"{indicator.id} is fed by reports alone; leave basis out")
        basis = basis or ("reported" if indicator.is_reported_only else "events")
        of_parts = parts(self._areas, area, on)
        if basis == "reported":
            of_parts = of_parts[:1]
        stored: defaultdict[str, list[Point]] = defaultdict(list)
        area_ids = [part.area_id for part in of_parts]
        for row in await self._pool.fetch(
            _SQL["history"], area_ids, indicator.id, basis, first, last
        ):
            figure = (row["numerator"], row["denominator"], row["value"])
            stored[row["area_id"]].append(Point(row["day"], *figure, row["restated_at"]))
        heir = self._areas.current(area.area_id, on or today)
        return HistoryAnswer(
            area=area.area_id,
            indicator=indicator.id,
            basis=basis,
            as_of_tree=on or "then",
            carried_from=[] if on is None else self._carried_from(area, on, of_parts),
            carried_to=None if heir == area.area_id else heir,
            points=[_answer(point) for point in daily(of_parts, stored, first, last)],
        )

    def _carried_from(self, area: Area, on: date, of_parts: list[Part]) -> list[CarriedFrom]:
        summed = {part.area_id for part in of_parts}
        return [
            CarriedFrom(
                area=one.area_id,
                name=self._areas[one.area_id].name,
                days=Days(first=one.first, last=one.last),
                whole=one.whole,
            )
            for one in self._areas.former(area.area_id, on)
            if one.area_id in summed
        ]


def _answer(point: Point) -> PointAnswer:
    return PointAnswer(
        day=point.day,
        numerator=point.numerator,
        denominator=point.denominator,
        value=shown(point.numerator, point.denominator, point.value),
        restated_at=point.restated_at,
        carried=point.is_carried,
    )
