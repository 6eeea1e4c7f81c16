"""``GET /v1/reports``: what was sent by whom and when, every version with its figures and file."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query, Response

from contracts.areas import Areas
from contracts.tokens import Principal, Role
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.reports import answers, layout, store
from services.ingest.reports.access import (
    SECURITY,
    Area,
    Period,
    attachment,
    file_name,
    readable,
)


def router(pool: asyncpg.Pool, tokens: TokenVerifier, areas: Areas) -> APIRouter:
    """The routes; a unit reads what it and those below it have sent, all others read all."""
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])
    readers = callers(tokens, Role.UNIT, Role.OPERATOR, Role.LEADER, Role.SOURCE)

    @routes.get("", summary="Reports that were sent", openapi_extra=SECURITY)
    async def listed(
        caller: Annotated[Principal, Depends(readers)],
        area: Area = None,
        period: Period = None,
        after: Annotated[UUID | None, Query(description="`next` of the answer before")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> answers.ReportsAnswer:
        names = readable(caller, area, areas)
        reporters = None if names is None else [answers.subject_of(name) for name in names]
        found = await store.listed(pool, reporters, period, after, limit)
        return answers.ReportsAnswer(
            reports=[answers.report(one) for one in found],
            next=found[-1].id if len(found) == limit else None,
        )

    @routes.get("/{report}", summary="A report with its figures", openapi_extra=SECURITY)
    async def read(
        report: UUID, caller: Annotated[Principal, Depends(readers)]
    ) -> answers.WholeReportAnswer:
        kept = await _found(report, caller)
        return answers.whole_report(kept, await store.figures(pool, report))

    @routes.get("/{report}/file", summary="The file as it was sent", openapi_extra=SECURITY)
    async def read_file(report: UUID, caller: Annotated[Principal, Depends(readers)]) -> Response:
        kept = await _found(report, caller)
        name = file_name(answers.name_of(kept.reporter), kept.period, f"-v{kept.version}")
        content = await store.read_file(pool, report)
        return attachment(content, kept.media_type, f"{name}.{layout.EXTENSIONS[kept.media_type]}")

    async def _found(report: UUID, caller: Principal) -> store.Kept:
        kept = await store.read(pool, report)
        if kept is not None:
            names = readable(caller, None, areas)
            if names is None or answers.name_of(kept.reporter) in names:
                return kept
        raise Problem(
            HTTPStatus.NOT_FOUND, detail="There is no such report, or not for this token."
        )

    return routes
