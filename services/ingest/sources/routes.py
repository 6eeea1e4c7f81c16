"""``/v1/sources``: registers sources and tells how each fares; for operators."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from contracts.events import EventTime
from contracts.tokens import Principal, Role
from services.chassis.clock import Clock
from services.chassis.problems import RESPONSES, Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.connectors.connector import Configured
from services.ingest.core.check import DOMAINS
from services.ingest.core.identifiers import redact
from services.ingest.pauses import Pauses
from services.ingest.sources.store import Registered, Source, SourceStore

#: An absolute URI of plain signs; an event may name more, but nobody needs to choose it.
_SOURCE: Final = re.compile(r"[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/-]+")


class Heard(Protocol):
    """What this process has heard of sources since it started."""

    def last_event(self, source: str) -> datetime | None:
        """When the latest accepted event of a source happened."""
        ...

    def sources(self) -> Collection[str]:
        """The sources of which events were accepted."""
        ...


class SourceBody(BaseModel):
    """A source as an operator describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[
        str, Field(max_length=256, description="as its events name it: urn:nhipso:source:hospital")
    ]
    domains: Annotated[
        frozenset[str], Field(min_length=1, description=f"out of {', '.join(sorted(DOMAINS))}")
    ]
    title: Annotated[str, Field(max_length=200, description="what people call it")] = ""
    contact: Annotated[str, Field(max_length=200, description="an office, not a person")] = ""

    @field_validator("source")
    @classmethod
    def _is_source(cls, value: str) -> str:
        if _SOURCE.fullmatch(value) is None or redact(value) != value:
            raise ValueError("must be a URI such as urn:nhipso:source:hospital")
        return value

    @field_validator("domains")
    @classmethod
    def _are_domains(cls, value: frozenset[str]) -> frozenset[str]:
        if not value <= DOMAINS:
            raise ValueError(f"must be out of {', '.join(sorted(DOMAINS))}")
        return value

    @field_validator("title", "contact")
    @classmethod
    def _holds_no_number(cls, value: str) -> str:
        if redact(value) != value or not value.isprintable():
            raise ValueError("must be printable, without a number of twelve digits or more")
        return value


class ReadingAnswer(BaseModel):
    """A connector of the configuration that reads a source; `GET /v1/connectors` tells how it fares."""

    name: str
    kind: str
    domains: Annotated[list[str], Field(description="of the events that it may send")]


class SourceAnswer(BaseModel):
    """A source and how it fares; one that is not registered has no domains and no times.

    One that connectors of ingest read needs no registration: their configuration says what it is.
    """

    source: str
    domains: list[str]
    title: str
    contact: str
    added_at: EventTime | None
    changed_at: EventTime | None
    last_event_at: Annotated[
        EventTime | None,
        Field(description="of the latest accepted event, as far as this process knows"),
    ]
    open_rejections: Annotated[int, Field(description="refused events that wait for work")]
    paused: Annotated[str | None, Field(description="why nothing is taken; null when it is")]
    connectors: Annotated[
        list[ReadingAnswer], Field(description="which read it; none when it sends by itself")
    ]


class SourcesAnswer(BaseModel):
    """All sources that are registered, that connectors read or of which events came, by name."""

    sources: list[SourceAnswer]


def router(
    store: SourceStore,
    tokens: TokenVerifier,
    pauses: Pauses,
    heard: Heard,
    clock: Clock,
    *,
    configured: Sequence[Configured[Any]],
) -> APIRouter:
    """The routes; they need an operator's token. `configured` are the connectors of ingest."""
    routes = APIRouter()
    operators = callers(tokens, Role.OPERATOR)

    def answer(said: Source, known: Registered | None, rejections: int) -> SourceAnswer:
        return SourceAnswer(
            source=said.source,
            domains=sorted(said.domains),
            title=said.title,
            contact=said.contact,
            added_at=known.added_at if known else None,
            changed_at=known.changed_at if known else None,
            last_event_at=heard.last_event(said.source),
            open_rejections=rejections,
            paused=pauses.paused([said.source]),
            connectors=[
                ReadingAnswer(name=one.name, kind=one.kind, domains=sorted(one.domains))
                for one in sorted(configured, key=lambda one: one.name)
                if one.source == said.source
            ],
        )

    @routes.post(
        "/v1/sources",
        summary="Register a source",
        status_code=HTTPStatus.CREATED,
        responses=RESPONSES
        | {200: {"model": SourceAnswer, "description": "It was there, or has been replaced."}},
        openapi_extra={"security": [{"bearer": []}]},
    )
    async def register(
        body: SourceBody,
        response: Response,
        caller: Annotated[Principal, Depends(operators)],
        replace: Annotated[bool, Query(description="put it in the place of what is there")] = False,
    ) -> SourceAnswer:
        said = Source(body.source, body.domains, body.title, body.contact)
        became, registered = await store.register(
            said, replace=replace, by=caller.sub, now=clock.now()
        )
        if became == "other":
            raise Problem(
                HTTPStatus.CONFLICT,
                detail="There is a source of this name, described otherwise; GET /v1/sources shows "
                "it. Add ?replace=true to put this in its place.",
            )
        if became != "added":
            response.status_code = HTTPStatus.OK
        rejections = (await store.open_rejections()).get(said.source, 0)
        return answer(registered.said, registered, rejections)

    @routes.get(
        "/v1/sources",
        summary="Sources and how they fare",
        responses=RESPONSES,
        dependencies=[Depends(operators)],
        openapi_extra={"security": [{"bearer": []}]},
    )
    async def list_sources() -> SourcesAnswer:
        rejections = await store.open_rejections()
        known = {one.said.source: one for one in await store.all()}
        others = {*heard.sources(), *(one.source for one in configured)} - known.keys()
        found = {name: one.said for name, one in known.items()}
        found |= {name: Source(name, frozenset(), "", "") for name in others}
        return SourcesAnswer(
            sources=[
                answer(said, known.get(name), rejections.get(name, 0))
                for name, said in sorted(found.items())
            ]
        )

    return routes
