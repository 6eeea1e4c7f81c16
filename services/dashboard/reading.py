"""Read the HTTP interfaces of scoring and notifier."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import aiohttp
from pydantic import ValidationError

from services.dashboard.answers import (
    AlertAnswer,
    AlertsAnswer,
    Answer,
    AreaAnswer,
    AreasAnswer,
    BreakdownAnswer,
    CatalogueAnswer,
    ChildAnswer,
    FiguresAnswer,
    IndicatorAnswer,
    RankedAnswer,
    RankingAnswer,
    TargetAnswer,
    TargetsAnswer,
)
from services.dashboard.settings import DashboardSettings


class UpstreamError(Exception):
    """A service did not answer as it should; the message names the service and what it said."""


class NotFoundError(UpstreamError):
    """The service knows no such unit or indicator."""


A = TypeVar("A", bound=Answer)


class Reading:
    """A client of both services, with a leader's token."""

    def __init__(self, session: aiohttp.ClientSession, settings: DashboardSettings) -> None:
        self._session = session
        self._settings = settings

    async def areas(self) -> tuple[AreaAnswer, ...]:
        """The units of today."""
        return (await self._scoring("/v1/areas", AreasAnswer)).areas

    async def catalogue(self) -> tuple[IndicatorAnswer, ...]:
        """All indicators, in the order of the catalogue."""
        return (await self._scoring("/v1/indicators", CatalogueAnswer)).indicators

    async def figures(self, area: str) -> FiguresAnswer:
        """All figures of a unit."""
        return await self._scoring(f"/v1/areas/{area}/indicators", FiguresAnswer)

    async def ranking(self, indicator: str) -> tuple[RankedAnswer, ...]:
        """The communes by their value of one indicator."""
        path = f"/v1/indicators/{indicator}/areas"
        return (await self._scoring(path, RankingAnswer, level="commune")).areas

    async def children(self, area: str, indicator: str) -> tuple[ChildAnswer, ...]:
        """How many count in the units right below one, of an indicator that events feed."""
        path = f"/v1/areas/{area}/indicators/{indicator}/breakdown"
        return (await self._scoring(path, BreakdownAnswer)).areas

    async def firing(self, **wanted: str) -> tuple[AlertAnswer, ...]:
        """What fires now, by `area` or `indicator`, worst first; receivers are operators' matter."""
        url = self._settings.notifier_url
        answer = await self._get(
            "notifier", url, "/v1/alerts", AlertsAnswer, {"state": "firing", **wanted}
        )
        return tuple(one for one in answer.alerts if one.kind != "receiver")

    async def targets(self, **wanted: str) -> tuple[TargetAnswer, ...]:
        """What units are measured against, by `area` or `indicator`."""
        url = self._settings.notifier_url
        return (await self._get("notifier", url, "/v1/targets", TargetsAnswer, wanted)).targets

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
