"""The interface described: JSON Schemas of the events, for whoever has a token, and AsyncAPI."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse

from contracts.events import EVENT_MODELS
from contracts.schemas import SCHEMA_TYPES, asyncapi, event_schema
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier

_SCHEMA_JSON: Final = "application/schema+json"


def router(tokens: TokenVerifier) -> APIRouter:
    """The routes of the descriptions; the documents are made once, here."""
    schemas = {event_type: event_schema(event_type) for event_type in SCHEMA_TYPES}
    document = asyncapi()
    routes = APIRouter()

    def authorised(authorization: Annotated[str | None, Header()] = None) -> None:
        tokens.verify(authorization)

    with_token = [Depends(authorised)]

    @routes.get(
        "/v1/schemas", dependencies=with_token, summary="Event types, each with its JSON Schema"
    )
    async def list_schemas() -> JSONResponse:
        return JSONResponse({event_type: schemas[event_type] for event_type in EVENT_MODELS})

    @routes.get(
        "/v1/schemas/{event_type}", dependencies=with_token, summary="JSON Schema of an event type"
    )
    async def read_schema(event_type: str) -> JSONResponse:
        schema = schemas.get(event_type)
        if schema is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                detail="The contract has no such event type; GET /v1/schemas lists them.",
            )
        return JSONResponse(schema, media_type=_SCHEMA_JSON)

    @routes.get("/asyncapi.json", include_in_schema=False)
    async def read_asyncapi() -> dict[str, Any]:
        return document

    return routes
