"""The routes that people open: the province, and each unit."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined

from services.dashboard import ranking, views
from services.dashboard.reading import (
    AlertAnswer,
    AreaAnswer,
    IndicatorAnswer,
    NotFoundError,
    Reading,
    TargetAnswer,
    UpstreamError,
)

_STATIC: Final = Path(__file__).parent / "static"

#: Pages load nothing from elsewhere and are not shown inside other pages.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Pages:
    """Reads what a page needs, all at once, and lays it out."""

    def __init__(self, reading: Callable[[], Reading], refresh_seconds: int) -> None:
        """`reading` is asked at each request: it is there once the lifespan has started."""
        self._reading = reading
        self._templates = Environment(
            loader=PackageLoader("services.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["refresh_seconds"] = refresh_seconds

    async def show(self, area_id: str | None, indicator: str | None) -> HTMLResponse:
        """The page of a unit (without one: the province), or one that says why there is none."""
        try:
            return self._rendered("page.html.j2", 200, page=await self._page(area_id, indicator))
        except NotFoundError:
            return self._rendered(
                "notice.html.j2",
                404,
                title="Không tìm thấy",
                text="Không có đơn vị hoặc chỉ tiêu này.",
            )
        except UpstreamError as error:
            structlog.get_logger(__name__).warning("a page could not be read", reason=str(error))
            return self._rendered(
                "notice.html.j2",
                503,
                title="Tạm thời chưa đọc được số liệu",
                text="Hệ thống đang khởi động hoặc mất kết nối. Trang sẽ tự tải lại.",
            )

    async def _page(self, area_id: str | None, indicator: str | None) -> views.Page:
        reading = self._reading()
        areas, catalogue = await asyncio.gather(reading.areas(), reading.catalogue())
        area = _area(areas, area_id)
        figures, alerts, targets, ranked = await asyncio.gather(
            reading.figures(area.area_id),
            self._firing(area=area.area_id),
            self._targets(area=area.area_id),
            self._ranking(area, catalogue, indicator),
        )
        parent = next((one for one in areas if one.area_id == area.parent_id), None)
        return views.page(
            area,
            parent,
            catalogue=catalogue,
            figures=figures,
            alerts=alerts,
            targets=targets,
            ranking=ranked,
        )

    async def _ranking(
        self, area: AreaAnswer, catalogue: Sequence[IndicatorAnswer], indicator: str | None
    ) -> ranking.Ranking | None:
        choices = ranking.rankable(catalogue)
        if area.parent_id is not None or not choices:
            return None
        chosen = next((one for one in choices if indicator in (None, one.id)), None)
        if chosen is None:
            raise NotFoundError(f"no ranking by {indicator}")
        places, alerts, targets = await asyncio.gather(
            self._reading().ranking(chosen.id),
            self._firing(indicator=chosen.id),
            self._targets(indicator=chosen.id),
        )
        return ranking.rank(chosen, choices, places, alerts=alerts or (), targets=targets)

    async def _firing(self, **wanted: str) -> tuple[AlertAnswer, ...] | None:
        """What fires; None while the notifier does not answer, for figures stand without it."""
        try:
            return await self._reading().firing(**wanted)
        except UpstreamError as error:
            structlog.get_logger(__name__).warning("alerts could not be read", reason=str(error))
            return None

    async def _targets(self, **wanted: str) -> tuple[TargetAnswer, ...]:
        """What units are measured against; without the notifier, all by the province's targets."""
        try:
            return await self._reading().targets(**wanted)
        except UpstreamError as error:
            structlog.get_logger(__name__).warning("targets could not be read", reason=str(error))
            return ()

    def _rendered(self, template: str, status: int, **context: object) -> HTMLResponse:
        text = self._templates.get_template(template).render(**context)
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


def add_routes(app: FastAPI, pages: Pages) -> None:
    """Add the pages and their style to an app."""
    router = APIRouter(include_in_schema=False)
    Indicator = Annotated[str | None, Query(max_length=64)]  # noqa: N806 - an annotation

    @router.get("/")
    async def province(indicator: Indicator = None) -> HTMLResponse:
        return await pages.show(None, indicator)

    @router.get("/areas/{area_id}")
    async def unit(area_id: str, indicator: Indicator = None) -> HTMLResponse:
        return await pages.show(area_id, indicator)

    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")


def _area(areas: Sequence[AreaAnswer], area_id: str | None) -> AreaAnswer:
    for area in areas:
        if area.area_id == area_id or (area_id is None and area.parent_id is None):
            return area
    raise NotFoundError(f"no unit {area_id}")
