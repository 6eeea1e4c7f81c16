"""``POST /v1/events``: who calls, how much, what came, and the answer. Source: wire contract."""

import math
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.events import EVENT_MODELS
from contracts.reasons import Reason
from contracts.rejected import HttpOrigin
from contracts.tokens import ClaimsError, Principal, Role, principal
from contracts.topics import CLOUDEVENTS_BATCH_JSON, CLOUDEVENTS_JSON
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.body import BodyReader, BytesInFlight
from services.ingest.core.rate import RateLimit
from services.ingest.pauses import Pauses
from services.ingest.pipeline import Outcome, Pipeline
from services.ingest.publisher import BrokerAwayError
from services.ingest.settings import LimitSettings
from services.ingest.wire import (
    NotCloudEventsError,
    Received,
    TooManyEventsError,
    UnsupportedMediaTypeError,
    mode_of,
    read_events,
)


class RejectedItem(BaseModel):
    """One refused event of a request."""

    index: Annotated[int, Field(description="place in the batch, from 0")]
    id: Annotated[str | None, Field(description="the event's id; *** stands for a personal number")]
    reason: Reason
    detail: Annotated[str, Field(description="what is wrong, and what to do")]


class Answer(BaseModel):
    """What became of a request's events."""

    accepted: int
    rejected: list[RejectedItem]


_STRUCTURED_SCHEMA: Final = {
    "anyOf": [{"$ref": f"v1/schemas/{event_type}"} for event_type in EVENT_MODELS]
}
_REQUEST_BODY: Final = {
    "required": True,
    "description": (
        "One event in structured mode, an array of events in batch mode, or in binary mode the "
        "event's data with its attributes in `ce-` headers. May be gzipped."
    ),
    "content": {
        CLOUDEVENTS_JSON: {"schema": _STRUCTURED_SCHEMA},
        CLOUDEVENTS_BATCH_JSON: {"schema": {"type": "array", "items": _STRUCTURED_SCHEMA}},
        "application/json": {"schema": {"type": "object"}},
    },
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Answer, "description": "All accepted; the broker has acknowledged them."},
    207: {"model": Answer, "description": "Some accepted."},
    422: {"model": Answer, "description": "None accepted."},
    **{
        status: {"description": f"Problem details: {text}"}
        for status, text in {
            400: "not JSON, or not a CloudEvent at all.",
            401: "no or bad credential.",
            403: "a token that may not send at all.",
            413: "body too large, or too many events in it.",
            415: "media type.",
            429: "too fast, or paused because most was refused; obey Retry-After.",
            503: "the broker is away and has acknowledged nothing of it; obey Retry-After.",
        }.items()
    },
}


class EventsEndpoint:
    """Answers ``POST /v1/events``."""

    def __init__(
        self, *, pipeline: Pipeline, tokens: TokenVerifier, limits: LimitSettings, pauses: Pauses
    ) -> None:
        self._pipeline = pipeline
        self._pauses = pauses
        self._tokens = tokens
        self._limits = limits
        self._rate = RateLimit(rate=limits.rate, burst=limits.burst)
        self._in_flight = BytesInFlight(limits.max_bytes_in_flight)

    def router(self) -> APIRouter:
        """The route, described for OpenAPI."""
        router = APIRouter()
        router.add_api_route(
            "/v1/events",
            self.post,
            methods=["POST"],
            status_code=HTTPStatus.ACCEPTED,
            summary="Send events",
            responses=_RESPONSES,
            response_model=None,
            openapi_extra={"requestBody": _REQUEST_BODY, "security": [{"bearer": []}]},
        )
        return router

    async def post(self, request: Request) -> JSONResponse:
        """Take events in and answer once the broker has acknowledged them."""
        caller = self._caller(request)
        self._check_rate(caller)
        self._check_pause(caller)
        with BodyReader(request, self._in_flight, self._limits.max_body_bytes) as body:
            headers = dict(request.headers)
            try:
                mode = mode_of(headers)
                events = read_events(
                    mode, headers, await body.read(), max_events=self._limits.max_batch_events
                )
            except UnsupportedMediaTypeError as error:
                raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail=str(error)) from None
            except NotCloudEventsError as error:
                raise Problem(HTTPStatus.BAD_REQUEST, detail=str(error)) from None
            except TooManyEventsError as error:
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail=str(error)) from None
            self._rate.charge(caller.sub, len(events), time.monotonic())
            self._check_named(caller, events)
            try:
                outcome = await self._pipeline.take(
                    events, lambda event: HttpOrigin(mode=mode, index=event.index), caller
                )
            except BrokerAwayError:
                raise Problem(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    detail="The broker is away; nothing was accepted. Send the same events again: repeats do no harm.",
                    headers={"Retry-After": str(self._limits.retry_after_seconds)},
                ) from None
        return _answer(outcome)

    def _caller(self, request: Request) -> Principal:
        claims = self._tokens.verify(request.headers.get("authorization"))
        try:
            caller = principal(claims)
        except ClaimsError as error:
            raise Problem(HTTPStatus.FORBIDDEN, detail=str(error)) from None
        if caller.role is not Role.SOURCE:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                detail=f"A token of the role {caller.role} may not send; use a source's token.",
            )
        return caller

    def _check_pause(self, caller: Principal) -> None:
        why = self._pauses.paused(caller.sources)
        if why is not None:
            raise self._paused(why)

    def _check_named(self, caller: Principal, events: Sequence[Received]) -> None:
        """A token of several sources goes on with those that are not paused.

        A batch of both kinds is taken: it cannot be put off in part.
        """
        paused = self._pauses.among(caller.sources)
        named = {_source(event.decoded) for event in events} if paused else set()
        if named and named <= paused and (why := self._pauses.paused(named)):
            raise self._paused(why)

    def _paused(self, why: str) -> Problem:
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "Source paused",
            why,
            headers={"Retry-After": str(self._limits.paused_retry_after_seconds)},
        )

    def _check_rate(self, caller: Principal) -> None:
        wait = self._rate.wait(caller.sub, time.monotonic())
        if wait > 0:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                detail=f"At most {self._limits.rate:g} events a second; wait as Retry-After says.",
                headers={"Retry-After": str(math.ceil(wait))},
            )


def _source(decoded: Any) -> str:
    source = decoded.get("source") if isinstance(decoded, dict) else None
    return source if isinstance(source, str) else ""


def _answer(outcome: Outcome) -> JSONResponse:
    if not outcome.refusals:
        status = HTTPStatus.ACCEPTED
    elif outcome.accepted:
        status = HTTPStatus.MULTI_STATUS
    else:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    rejected = [
        RejectedItem(
            index=refusal.index,
            id=refusal.verdict.answer_id,
            reason=refusal.verdict.reason,
            detail=refusal.verdict.detail,
        )
        for refusal in outcome.refusals
    ]
    answer = Answer(accepted=len(outcome.accepted), rejected=rejected)
    return JSONResponse(answer.model_dump(mode="json"), status_code=status)
