"""``POST /v1/files``: a file of rows, taken in a piece at a time.

The file lies on disk while it is read, and no more than a piece of it is in memory. Each piece is with
the broker before the next one is read; whatever ends it early, the answer says how far it came, and the
whole file may be sent again: repeats do no harm.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.rejected import FileOrigin
from contracts.tokens import Principal, Role
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.callers import callers
from services.ingest.core.blame import field_at_fault
from services.ingest.core.identifiers import redact
from services.ingest.core.rate import RateLimit
from services.ingest.core.rows import EventId, Row, TableError, attributes_of, to_event
from services.ingest.core.verdicts import ObjectionError
from services.ingest.files.reading import MEDIA_TYPES, FileSettings, Form, form_of, opened, piece
from services.ingest.files.receiving import MULTIPART, received_file
from services.ingest.pauses import Pauses
from services.ingest.pipeline import Outcome, Pipeline
from services.ingest.publisher import BrokerAwayError
from services.ingest.routes import RejectedItem
from services.ingest.settings import LimitSettings
from services.ingest.wire import Received

_PIECE: Final = 1_000
_SHOWN: Final = 1_000


class RejectedRow(RejectedItem):
    """One refused row of a file."""

    line: Annotated[int, Field(description="line or row of the file, from 1, with the heading")]
    column: Annotated[str | None, Field(description="what is at fault, where one column is")]


class FileAnswer(BaseModel):
    """What became of a file's rows."""

    accepted: int
    refused: int
    rejected: Annotated[
        list[RejectedRow], Field(description=f"the first {_SHOWN:,} of those that were refused")
    ]


@dataclass(slots=True)
class _Progress:
    accepted: int = 0
    refused: int = 0
    rows: int = 0
    last_line: int = 1
    rejected: list[RejectedRow] = field(default_factory=list)

    def count(self, rows: list[Row], outcome: Outcome) -> None:
        self.accepted += len(outcome.accepted)
        self.refused += len(outcome.refusals)
        for refusal in outcome.refusals[: max(_SHOWN - len(self.rejected), 0)]:
            verdict = refusal.verdict
            self.rejected.append(
                RejectedRow(
                    index=self.rows + refusal.index,
                    line=rows[refusal.index].line,
                    column=field_at_fault(verdict.reason, verdict.detail),
                    id=verdict.answer_id,
                    reason=verdict.reason,
                    detail=verdict.detail,
                )
            )
        self.rows += len(rows)
        self.last_line = rows[-1].line

    def said(self) -> dict[str, Any]:
        answer = FileAnswer(accepted=self.accepted, refused=self.refused, rejected=self.rejected)
        return answer.model_dump(mode="json")

    def problem(self, status: int, detail: str, retry_after: int | None = None) -> Problem:
        """A problem that also says how far the file was taken."""
        if self.rows:
            detail += (
                f" Before that, the rows up to line {self.last_line} were taken: "
                f"{self.accepted} accepted, {self.refused} refused. "
                "Send the whole file again then: repeats do no harm."
            )
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Problem(
            status, detail=detail, headers=headers, lines_done=self.last_line, **self.said()
        )


_CONTENT: Final[dict[str, Any]] = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES
}
_REQUEST_BODY: Final = {
    "required": True,
    "description": (
        "Rows below a heading: CSV in UTF-8 with commas or semicolons, or XLSX (the first sheet). "
        "Columns: type, subject, time, and the fields of data by their names; id and source may "
        "be left out. May be gzipped, or the one file of a form."
    ),
    "content": {
        **_CONTENT,
        MULTIPART: {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
    },
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": FileAnswer, "description": "All accepted; the broker has acknowledged them."},
    207: {"model": FileAnswer, "description": "Some accepted."},
    422: {"model": FileAnswer, "description": "None accepted."},
    **{
        status: {"description": f"Problem details: {text}"}
        for status, text in {
            400: "the file cannot be read, or not to its end; `lines_done` says how far.",
            401: "no or bad credential.",
            403: "a token that may not send at all.",
            413: "file too large.",
            415: "media type.",
            429: "too many files at once, or a paused source; obey Retry-After.",
            503: "the broker is away; `lines_done` says how far it came. Obey Retry-After.",
        }.items()
    },
}


class FilesEndpoint:
    """Answers ``POST /v1/files``."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        tokens: TokenVerifier,
        limits: LimitSettings,
        files: FileSettings,
        pauses: Pauses,
        event_id: EventId,
    ) -> None:
        self._pipeline = pipeline
        self._caller = callers(tokens, Role.SOURCE)
        self._limits = limits
        self._files = files
        self._pauses = pauses
        self._event_id = event_id
        self._rate = RateLimit(rate=limits.rate, burst=limits.burst)
        self._held = 0

    def router(self) -> APIRouter:
        """The route, described for OpenAPI."""
        router = APIRouter()
        router.add_api_route(
            "/v1/files",
            self.post,
            methods=["POST"],
            status_code=HTTPStatus.ACCEPTED,
            summary="Send a file of events",
            responses=_RESPONSES,
            response_model=None,
            openapi_extra={"requestBody": _REQUEST_BODY, "security": [{"bearer": []}]},
        )
        return router

    async def post(
        self,
        request: Request,
        form: Annotated[Form | None, Query(alias="format", description="else by the type")] = None,
        sheet: Annotated[str | None, Query(description="a workbook's; else the first")] = None,
        name: Annotated[str | None, Query(description="the file's, for rejections")] = None,
    ) -> JSONResponse:
        """Take a file in; answer once the broker has acknowledged all of it."""
        caller = self._caller(request.headers.get("authorization"))
        progress = _Progress()
        self._check_pause(caller, progress)
        with self._turn():
            async with received_file(request, form, name, self._files.max_bytes) as (stream, known):
                try:
                    with opened(stream, _form(stream, known), self._files, sheet) as rows:
                        await self._take(rows, redact(known), caller, progress)
                except TableError as error:
                    raise progress.problem(HTTPStatus.BAD_REQUEST, _sentence(error)) from None
                except BrokerAwayError:
                    raise progress.problem(
                        HTTPStatus.SERVICE_UNAVAILABLE,
                        "The broker is away; send the file again.",
                        self._limits.retry_after_seconds,
                    ) from None
        if not progress.rows:
            raise Problem(HTTPStatus.BAD_REQUEST, detail="The file has no row below its heading.")
        return JSONResponse(progress.said(), status_code=_status(progress))

    async def _take(
        self, rows: Iterator[Row], name: str, caller: Principal, progress: _Progress
    ) -> None:
        while True:
            taken, events = await asyncio.to_thread(self._next, rows, caller)
            if not taken:
                return

            def origin(event: Received, taken: list[Row] = taken) -> FileOrigin:
                return FileOrigin(file=name, line=taken[event.index].line)

            outcome = await self._pipeline.take(events, origin, caller)
            progress.count(taken, outcome)
            self._check_pause(caller, progress)
            self._rate.charge(caller.sub, len(taken), time.monotonic())
            await asyncio.sleep(self._rate.wait(caller.sub, time.monotonic()))

    def _next(self, rows: Iterator[Row], caller: Principal) -> tuple[list[Row], list[Received]]:
        taken = piece(rows, _PIECE)
        return taken, [self._event(index, row, caller) for index, row in enumerate(taken)]

    def _event(self, index: int, row: Row, caller: Principal) -> Received:
        original = row.original()
        try:
            event = to_event(row, sources=caller.sources, event_id=self._event_id)
        except ObjectionError as objection:
            return Received(index, attributes_of(row, caller.sources), original, objection)
        return Received(index, event, original)

    def _check_pause(self, caller: Principal, progress: _Progress) -> None:
        why = self._pauses.paused(caller.sources)
        if why is not None:
            retry_after = self._limits.paused_retry_after_seconds
            raise progress.problem(HTTPStatus.TOO_MANY_REQUESTS, why, retry_after)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._held >= self._files.at_once:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                detail=f"{self._files.at_once} files are read at the moment; send yours again.",
                headers={"Retry-After": str(self._limits.retry_after_seconds)},
            )
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1


def _form(stream: IO[bytes], name: str) -> Form:
    stream.seek(0)
    return form_of(name, stream.read(8))


def _sentence(error: TableError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _status(progress: _Progress) -> HTTPStatus:
    if not progress.refused:
        return HTTPStatus.ACCEPTED
    return HTTPStatus.MULTI_STATUS if progress.accepted else HTTPStatus.UNPROCESSABLE_ENTITY
