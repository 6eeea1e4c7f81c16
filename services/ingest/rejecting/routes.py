"""``/v1/rejections``: what was refused, for operators and for the sources themselves."""

from collections import Counter
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from contracts.tokens import Principal, Role
from services.chassis.clock import Clock
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.core.identifiers import redact
from services.ingest.publisher import BrokerAwayError
from services.ingest.rejecting.answers import (
    CountAnswer,
    CountsAnswer,
    DismissalQuery,
    ListQuery,
    RejectionAnswer,
    RejectionsAnswer,
    RetriesAnswer,
    RetryAnswer,
    RetryQuery,
    WholeRejectionAnswer,
    answer_of,
    whole_answer_of,
)
from services.ingest.rejecting.filters import Cursor, CursorError, Filter
from services.ingest.rejecting.retrying import Result, Retrying
from services.ingest.rejecting.rows import fit
from services.ingest.rejecting.store import Store, Whole, Work

_SECURED: Final[dict[str, Any]] = {"security": [{"bearer": []}]}
_RETRY_AFTER_SECONDS: Final = 5


def reading_router(store: Store, retrying: Retrying, tokens: TokenVerifier) -> APIRouter:
    """The routes that show rejections; a source sees its own, and no originals."""
    routes = APIRouter()
    readers = callers(tokens, Role.OPERATOR, Role.SOURCE)
    operators = callers(tokens, Role.OPERATOR)

    @routes.get("/v1/rejections", summary="What was refused", openapi_extra=_SECURED)
    async def list_rejections(
        query: Annotated[ListQuery, Query()], caller: Annotated[Principal, Depends(readers)]
    ) -> RejectionsAnswer:
        after = _cursor(query.cursor)
        found = await store.find(query, caller, after=after, limit=query.limit + 1)
        page = found[: query.limit]
        return RejectionsAnswer(
            rejections=[answer_of(one) for one in page],
            next=page[-1].cursor.text() if len(found) > len(page) else None,
        )

    @routes.get("/v1/rejections/counts", summary="How much was refused", openapi_extra=_SECURED)
    async def count_rejections(
        query: Annotated[Filter, Query()], caller: Annotated[Principal, Depends(readers)]
    ) -> CountsAnswer:
        counts = await store.counts(query, caller)
        return CountsAnswer(
            counts=[CountAnswer.model_validate(one, from_attributes=True) for one in counts],
            total=sum(one.count for one in counts),
        )

    @routes.get(
        "/v1/rejections/{rejection}",
        summary="One rejection with its original, masked",
        dependencies=[Depends(operators)],
        openapi_extra=_SECURED,
    )
    async def show_rejection(rejection: UUID) -> WholeRejectionAnswer:
        whole = await _whole(store, rejection)
        original, hidden = await retrying.original(whole)
        works = await store.works(rejection)
        return whole_answer_of(whole.rejection, original, hidden, works)

    return routes


def working_router(
    store: Store, retrying: Retrying, tokens: TokenVerifier, clock: Clock
) -> APIRouter:
    """The routes that work on rejections; they need an operator's token."""
    routes = APIRouter()
    operators = callers(tokens, Role.OPERATOR)

    @routes.post("/v1/rejections/retry", summary="Retry several", openapi_extra=_SECURED)
    async def retry_several(
        query: RetryQuery, caller: Annotated[Principal, Depends(operators)]
    ) -> RetriesAnswer:
        if query.matching.state not in (None, "open"):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                detail="Only open rejections are retried together; leave filter.state out.",
            )
        matching = query.matching.model_copy(update={"state": "open"})
        after = _cursor(query.cursor)
        found = await store.find(matching, caller, after=after, limit=query.limit + 1)
        page = found[: query.limit]
        results = await _retried(retrying, [one.id for one in page], caller)
        outcomes = Counter(one.outcome for one in results)
        return RetriesAnswer(
            accepted=outcomes["accepted"],
            refused=outcomes["refused"],
            impossible=outcomes["impossible"],
            results=[RetryAnswer.model_validate(one) for one in results],
            next=page[-1].cursor.text() if len(found) > len(page) else None,
        )

    @routes.post(
        "/v1/rejections/{rejection}/retry", summary="Retry a rejection", openapi_extra=_SECURED
    )
    async def retry_one(
        rejection: UUID, caller: Annotated[Principal, Depends(operators)]
    ) -> RetryAnswer:
        results = await _retried(retrying, [rejection], caller)
        if not results:
            raise _missing()
        (result,) = results
        if result.outcome == "impossible":
            raise Problem(HTTPStatus.CONFLICT, "Cannot be retried", result.detail)
        return RetryAnswer.model_validate(result)

    @routes.post(
        "/v1/rejections/{rejection}/dismissal",
        summary="Say that a rejection needs no more work",
        openapi_extra=_SECURED,
    )
    async def dismiss(
        rejection: UUID, query: DismissalQuery, caller: Annotated[Principal, Depends(operators)]
    ) -> RejectionAnswer:
        work = Work(
            rejection=rejection,
            done_at=clock.now(),
            done_by=caller.sub,
            outcome="dismissed",
            reason=None,
            note=fit(redact(query.note)),
        )
        is_done = await store.dismiss(work)
        whole = await _whole(store, rejection)
        if not is_done:
            raise Problem(
                HTTPStatus.CONFLICT,
                detail=f"The rejection is {whole.rejection.state}; only an open one is dismissed.",
            )
        return answer_of(whole.rejection)

    return routes


async def _retried(retrying: Retrying, ids: list[UUID], caller: Principal) -> list[Result]:
    try:
        return await retrying.retry(ids, caller.sub)
    except BrokerAwayError:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            detail="The broker is away; what was not retried stays open. Try again.",
            headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
        ) from None


async def _whole(store: Store, rejection: UUID) -> Whole:
    found = await store.read([rejection])
    if not found:
        raise _missing()
    return found[0]


def _missing() -> Problem:
    return Problem(
        HTTPStatus.NOT_FOUND,
        detail="There is no such rejection; they are kept for 90 days, and appear a second late.",
    )


def _cursor(text: str | None) -> Cursor | None:
    try:
        return None if text is None else Cursor.read(text)
    except CursorError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, detail=f"cursor: {error}") from None
