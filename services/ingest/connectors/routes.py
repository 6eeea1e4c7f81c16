"""``GET /v1/connectors``: which connectors there are, and how each fares; for operators."""

from collections.abc import Sequence
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from contracts.events import EventTime
from contracts.tokens import Role
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.connectors import checkpoints
from services.ingest.connectors.checkpoints import Standing, State
from services.ingest.connectors.connector import Configured
from services.ingest.connectors.showing import MOST_LETTERS, MOST_MEMBERS, shown


class ConnectorAnswer(BaseModel):
    """One connector. What is null is not known: it has not run yet."""

    name: str
    kind: str
    source: str
    domains: list[str]
    interval_seconds: float
    state: State | None
    detail: Annotated[str, Field(description="why it fails or rests, and what to look at")]
    since: Annotated[EventTime | None, Field(description="when this state began")]
    cursor: Annotated[
        Any,
        Field(
            description="how far the source has been read, abridged: of an object or a list the "
            f"first {MOST_MEMBERS} members, then how many more there are; of a text the first "
            f"{MOST_LETTERS} letters, then …; below the third level only how many members there "
            "are. PostgreSQL keeps the whole, from which reading goes on"
        ),
    ]
    moved_at: EventTime | None


class ConnectorsAnswer(BaseModel):
    """All connectors of the configuration, by name."""

    connectors: list[ConnectorAnswer]


def router(
    configured: Sequence[Configured[Any]], pool: asyncpg.Pool, tokens: TokenVerifier
) -> APIRouter:
    """The route; it needs an operator's token."""
    routes = APIRouter()
    operators = callers(tokens, Role.OPERATOR)

    @routes.get(
        "/v1/connectors",
        summary="Connectors and how they fare",
        dependencies=[Depends(operators)],
        openapi_extra={"security": [{"bearer": []}]},
    )
    async def list_connectors() -> ConnectorsAnswer:
        standings = await checkpoints.standings(pool)
        ordered = sorted(configured, key=lambda one: one.name)
        return ConnectorsAnswer(
            connectors=[_answer(one, standings.get(one.name)) for one in ordered]
        )

    return routes


def _answer(one: Configured[Any], standing: Standing | None) -> ConnectorAnswer:
    return ConnectorAnswer(
        name=one.name,
        kind=one.kind,
        source=one.source,
        domains=sorted(one.domains),
        interval_seconds=one.interval_seconds,
        state=standing.state if standing else None,
        detail=(standing.detail if standing else None) or "",
        since=standing.since if standing else None,
        cursor=shown(standing.cursor) if standing else None,
        moved_at=standing.moved_at if standing else None,
    )
