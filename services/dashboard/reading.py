"""Read the HTTP interfaces of scoring and notifier, as far as the pages need them."""

import asyncio
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.events import EventTime, IsoDay, Number
from services.dashboard.settings import DashboardSettings

#: Whose target it is.
Aim = Literal["provincial", "own", "national"]


class UpstreamError(Exception):
    """A service did not answer as it should; the message names the service and what it said."""


class NotFoundError(UpstreamError):
    """The service knows no such unit or indicator."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AreaAnswer(_Answer):
    """A unit."""

    area_id: str
    name: str
    parent_id: str | None


class _AreasAnswer(_Answer):
    areas: tuple[AreaAnswer, ...]


class _Text(_Answer):
    vi: str


class _PopulationAnswer(_Answer):
    name: str
    subject: str
    text: _Text


class IndicatorAnswer(_Answer):
    """An indicator of the catalogue."""

    id: str
    set: str
    name: _Text
    unit: str = "percent"
    population: _PopulationAnswer | None = None
    targets: dict[str, Decimal] = {}


class _CatalogueAnswer(_Answer):
    indicators: tuple[IndicatorAnswer, ...]


class DaysAnswer(_Answer):
    """From the first day of a trend to the last."""

    first: Annotated[IsoDay, Field(alias="from")]
    last: Annotated[IsoDay, Field(alias="to")]


class ProjectionAnswer(_Answer):
    """What a trend comes to; the slope is in percentage points a day."""

    state: str
    slope_per_day: Number | None = None
    based_on: DaysAnswer | None = None


class ReportedAnswer(_Answer):
    """What units reported of what events count as well."""

    period: str
    value: Number | None
    difference: Number | None = None


class FigureAnswer(_Answer):
    """A figure of a unit."""

    id: str
    numerator: int | None
    denominator: int | None
    value: Number | None
    basis: str
    target: Number | None
    pace: Number | None
    gap_people: int | None
    projected_on: IsoDay | None = None
    projection: ProjectionAnswer | None = None
    period: str | None = None
    reported: ReportedAnswer | None = None


class FiguresAnswer(_Answer):
    """All figures of a unit."""

    area: str
    as_of: EventTime
    indicators: tuple[FigureAnswer, ...]


class RankedAnswer(FigureAnswer):
    """A unit's place in a ranking."""

    area: str
    name: str
    rank: int | None


class _RankingAnswer(_Answer):
    areas: tuple[RankedAnswer, ...]


class LineAnswer(_Answer):
    """One line that a unit is measured against."""

    aim: Aim
    target: Number | None
    pace: Number | None


class TargetAnswer(_Answer):
    """What one indicator of one unit is measured against, the line it is judged by first."""

    area: str
    indicator: str
    lines: tuple[LineAnswer, ...]


class _TargetsAnswer(_Answer):
    targets: tuple[TargetAnswer, ...]


class _CriterionCause(_Answer):
    indicator_name: str
    value: Number


class _AreaCause(_Answer):
    area: str
    area_name: str
    gap_people: int


class _Causes(_Answer):
    criteria: tuple[_CriterionCause, ...] = ()
    areas: tuple[_AreaCause, ...] = ()


class AcknowledgementAnswer(_Answer):
    """What the unit has said of an alert; a broken promise counts for nothing."""

    acknowledged_at: EventTime
    promised_on: IsoDay | None
    broken_at: EventTime | None


class AlertAnswer(_Answer):
    """An alert."""

    kind: str = "pace"
    area: str
    area_name: str
    indicator: str
    indicator_name: str
    severity: str
    value: Number | None
    pace: Number | None
    aim: Aim = "provincial"
    gap_people: int | None
    fired_at: EventTime | None
    held_back_by: _Causes = _Causes()
    acknowledgement: AcknowledgementAnswer | None = None


class _AlertsAnswer(_Answer):
    alerts: tuple[AlertAnswer, ...]


A = TypeVar("A", bound=_Answer)


class Reading:
    """A client of both services, with a leader's token."""

    def __init__(self, session: aiohttp.ClientSession, settings: DashboardSettings) -> None:
        self._session = session
        self._settings = settings

    async def areas(self) -> tuple[AreaAnswer, ...]:
        """The units of today."""
        return (await self._scoring("/v1/areas", _AreasAnswer)).areas

    async def catalogue(self) -> tuple[IndicatorAnswer, ...]:
        """All indicators, in the order of the catalogue."""
        return (await self._scoring("/v1/indicators", _CatalogueAnswer)).indicators

    async def figures(self, area: str) -> FiguresAnswer:
        """All figures of a unit."""
        return await self._scoring(f"/v1/areas/{area}/indicators", FiguresAnswer)

    async def ranking(self, indicator: str) -> tuple[RankedAnswer, ...]:
        """The communes by their value of one indicator."""
        path = f"/v1/indicators/{indicator}/areas"
        return (await self._scoring(path, _RankingAnswer, level="commune")).areas

    async def firing(self, **wanted: str) -> tuple[AlertAnswer, ...]:
        """What fires now, by `area` or `indicator`, worst first; receivers are operators' matter."""
        url = self._settings.notifier_url
        answer = await self._get(
            "notifier", url, "/v1/alerts", _AlertsAnswer, {"state": "firing", **wanted}
        )
        return tuple(one for one in answer.alerts if one.kind != "receiver")

    async def targets(self, **wanted: str) -> tuple[TargetAnswer, ...]:
        """What units are measured against, by `area` or `indicator`."""
        url = self._settings.notifier_url
        return (await self._get("notifier", url, "/v1/targets", _TargetsAnswer, wanted)).targets

    async def check_scoring(self) -> str | None:
        """For readiness: None while scoring lives."""
        return await self._lives(self._settings.scoring_url)

    async def check_notifier(self) -> str | None:
        """For readiness: None while the notifier lives."""
        return await self._lives(self._settings.notifier_url)

    async def _lives(self, url: str) -> str | None:
        try:
            async with self._session.get(f"{url.rstrip('/')}/healthz") as answer:
                return None if answer.status == HTTPStatus.OK else f"HTTP {answer.status}"
        except (aiohttp.ClientError, OSError) as error:
            return type(error).__name__

    async def _scoring(self, path: str, form: type[A], **query: str) -> A:
        return await self._get("scoring", self._settings.scoring_url, path, form, query)

    async def _get(
        self, service: str, url: str, path: str, form: type[A], query: dict[str, str]
    ) -> A:
        headers = {"Authorization": f"Bearer {_token(self._settings.token_file)}"}
        try:
            async with (
                asyncio.timeout(self._settings.timeout_seconds),
                self._session.get(url.rstrip("/") + path, params=query, headers=headers) as answer,
            ):
                body = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UpstreamError(f"{service} does not answer: {type(error).__name__}") from error
        if status == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"{service} knows no {path}")
        if status != HTTPStatus.OK:
            raise UpstreamError(f"{service} answers HTTP {status} to {path}")
        try:
            return form.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UpstreamError(f"{service}, {path}: {place}: {first['msg']}") from error


def _token(path: Path) -> str:
    """The token, read anew each time, so that it may be renewed under the running process."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UpstreamError(f"the token file {path} cannot be read; check the path") from error
