"""The routes that people open: the province, each unit, each indicator; and what to say if not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from contracts.disclosure import SMALLEST
from services.dashboard import ranking, views
from services.dashboard.answers import AlertAnswer, AreaAnswer, IndicatorAnswer, TargetAnswer
from services.dashboard.definition import DefinitionPage, definition
from services.dashboard.reading import NotFoundError, Reading, UpstreamError
from services.dashboard.shield import Family, has_family
from services.dashboard.siblings import Siblings

_STATIC: Final = Path(__file__).parent / "static"

#: Pages load nothing from elsewhere and are not shown inside other pages.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What stands where a page cannot be shown."""

    title: str
    text: str


_NO_UNIT: Final = Notice("Không tìm thấy", "Không có đơn vị hoặc chỉ tiêu này.")
_NO_PAGE: Final = Notice(
    "Không tìm thấy", "Không có trang này. Địa chỉ có thể đã bị gõ sai hoặc đã thay đổi."
)
_BAD_REQUEST: Final = Notice("Không mở được trang", "Địa chỉ hoặc yêu cầu không đúng.")
_AWAY: Final = Notice(
    "Tạm thời chưa đọc được số liệu",
    "Hệ thống đang khởi động hoặc mất kết nối. Trang sẽ tự tải lại.",
)
_FAILED: Final = Notice(
    "Trang gặp lỗi",
    "Hệ thống gặp lỗi ngoài dự kiến và đã ghi lại. Đề nghị thử lại sau ít phút.",
)


class Pages:
    """Reads what a page needs, all at once, and lays it out."""

    def __init__(
        self, reading: Callable[[], Reading], siblings: Siblings, refresh_seconds: int
    ) -> None:
        """`reading` is asked at each request: it is there once the lifespan has started."""
        self._reading = reading
        self._siblings = siblings
        self._templates = Environment(
            loader=PackageLoader("services.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"refresh_seconds": refresh_seconds, "few": SMALLEST}

    async def unit(self, area_id: str | None, indicator: str | None) -> HTMLResponse:
        """The page of a unit (without one: the province), or one that says why there is none."""
        return await self._shown("page.html.j2", self._unit(area_id, indicator))

    async def indicator(self, indicator_id: str) -> HTMLResponse:
        """The page of an indicator, or one that says why there is none."""
        return await self._shown("indicator.html.j2", self._indicator(indicator_id))

    def notice(
        self, status: int, notice: Notice, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A page that says why there is none."""
        return self._rendered(
            "notice.html.j2", status, headers, title=notice.title, text=notice.text
        )

    async def _shown(
        self, template: str, reading: Awaitable[views.Page | DefinitionPage]
    ) -> HTMLResponse:
        try:
            return self._rendered(template, HTTPStatus.OK, page=await reading)
        except NotFoundError:
            return self.notice(HTTPStatus.NOT_FOUND, _NO_UNIT)
        except UpstreamError as error:
            structlog.get_logger(__name__).warning("a page could not be read", reason=str(error))
            return self.notice(HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)

    async def _unit(self, area_id: str | None, indicator: str | None) -> views.Page:
        reading = self._reading()
        areas, catalogue = await asyncio.gather(reading.areas(), reading.catalogue())
        area = _area(areas, area_id)
        figures, alerts, targets, families, ranked = await asyncio.gather(
            reading.figures(area.area_id),
            self._firing(area=area.area_id),
            self._targets(area=area.area_id),
            self._siblings.read(_families(area, areas, catalogue)),
            self._chosen(area, areas, catalogue, indicator),
        )
        parent = next((one for one in areas if one.area_id == area.parent_id), None)
        return views.page(
            area,
            parent,
            catalogue=catalogue,
            figures=figures,
            alerts=alerts,
            targets=targets,
            families=families,
            ranking=ranked,
        )

    async def _indicator(self, indicator_id: str) -> DefinitionPage:
        reading = self._reading()
        areas, catalogue = await asyncio.gather(reading.areas(), reading.catalogue())
        known = {one.id: one for one in catalogue}
        if indicator_id not in known:
            raise NotFoundError(f"no indicator {indicator_id}")
        chosen, ranked = known[indicator_id], None
        alerts = await self._firing(indicator=indicator_id)
        if chosen in ranking.rankable(catalogue):
            ranked = await self._ranking(chosen, [chosen], areas, alerts)
        return definition(chosen, known, ranked, has_alerts=alerts is not None)

    async def _chosen(
        self,
        area: AreaAnswer,
        areas: Sequence[AreaAnswer],
        catalogue: Sequence[IndicatorAnswer],
        indicator: str | None,
    ) -> ranking.Ranking | None:
        """Of the province the ranking that was chosen."""
        choices = ranking.rankable(catalogue)
        if area.parent_id is not None or not choices:
            return None
        chosen = next((one for one in choices if indicator in (None, one.id)), None)
        if chosen is None:
            raise NotFoundError(f"no ranking by {indicator}")
        alerts = await self._firing(indicator=chosen.id)
        return await self._ranking(chosen, choices, areas, alerts)

    async def _ranking(
        self,
        chosen: IndicatorAnswer,
        choices: Iterable[IndicatorAnswer],
        areas: Sequence[AreaAnswer],
        alerts: Sequence[AlertAnswer] | None,
    ) -> ranking.Ranking:
        above = dict.fromkeys(one.parent_id for one in areas if one.parent_id is not None)
        places, targets, families = await asyncio.gather(
            self._reading().ranking(chosen.id),
            self._targets(indicator=chosen.id),
            self._siblings.read((one, chosen.id) for one in above if has_family(chosen)),
        )
        return ranking.rank(
            chosen, choices, places, alerts=alerts or (), targets=targets, families=families
        )

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

    def _rendered(
        self,
        template: str,
        status: int,
        headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> HTMLResponse:
        text = self._templates.get_template(template).render(**context)
        return HTMLResponse(text, status_code=status, headers={**(headers or {}), **_HEADERS})


def add_routes(app: FastAPI, pages: Pages) -> None:
    """Add the pages and their style to an app, and pages in place of its problem details."""
    router = APIRouter(include_in_schema=False)
    Indicator = Annotated[str | None, Query(max_length=64)]  # noqa: N806 - an annotation

    @router.get("/")
    async def province(indicator: Indicator = None) -> HTMLResponse:
        return await pages.unit(None, indicator)

    @router.get("/areas/{area_id}")
    async def unit(area_id: str, indicator: Indicator = None) -> HTMLResponse:
        return await pages.unit(area_id, indicator)

    @router.get("/indicators/{indicator_id}")
    async def indicator(indicator_id: str) -> HTMLResponse:
        return await pages.indicator(indicator_id)

    app.include_router(router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        notice = _NO_PAGE if error.status_code == HTTPStatus.NOT_FOUND else _BAD_REQUEST
        return pages.notice(error.status_code, notice, error.headers)

    @app.exception_handler(RequestValidationError)
    async def not_understood(_: Request, __: RequestValidationError) -> Response:
        return pages.notice(HTTPStatus.UNPROCESSABLE_ENTITY, _BAD_REQUEST)

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        # Starlette raises it again after the answer, so the server logs it, once.
        return pages.notice(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED)


def _area(areas: Sequence[AreaAnswer], area_id: str | None) -> AreaAnswer:
    for area in areas:
        if area.area_id == area_id or (area_id is None and area.parent_id is None):
            return area
    raise NotFoundError(f"no unit {area_id}")


def _families(
    area: AreaAnswer, areas: Sequence[AreaAnswer], catalogue: Sequence[IndicatorAnswer]
) -> list[Family]:
    """Of each indicator the units beside this one, and those below it."""
    above = [] if area.parent_id is None else [area.parent_id]
    if any(one.parent_id == area.area_id for one in areas):
        above.append(area.area_id)
    return [(unit, one.id) for unit in above for one in catalogue if has_family(one)]
