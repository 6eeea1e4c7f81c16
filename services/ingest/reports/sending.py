"""``GET /v1/reports/template`` and ``POST /v1/reports``: forms to fill in, and their coming back."""

import asyncio
import math
import time
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from contracts.tokens import Principal, Role
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.ingest.body import BodyReader, BytesInFlight
from services.ingest.callers import callers
from services.ingest.core.rate import RateLimit
from services.ingest.publisher import BrokerAwayError
from services.ingest.reports import answers, layout
from services.ingest.reports.access import (
    SECURITY,
    Area,
    Period,
    attachment,
    check_area,
    file_name,
)
from services.ingest.reports.core.faults import Fault, Language, language_of
from services.ingest.reports.core.form import Form, NoFormError
from services.ingest.reports.core.sent import Sent
from services.ingest.reports.metrics import ReportMetrics
from services.ingest.reports.reading import UnreadableError, read_report
from services.ingest.reports.taking import File, RefusedError, Reports, find_form

_MOST_IN_FLIGHT: Final = 32 * 1024 * 1024
_RETRY_SECONDS: Final = 5
#: Reports that one caller may send a second on average, and at once: every version is kept.
_RATE: Final = 2.0
_BURST: Final = 200.0
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "description": (
        "The form as XLSX; or rows as CSV (columns indicator, numerator, denominator, value, note) "
        "with area and period in the query; or JSON with area, period and rows."
    ),
    "content": {
        layout.XLSX: {"schema": {"type": "string", "format": "binary"}},
        layout.CSV: {"schema": {"type": "string"}},
        layout.JSON: {
            "schema": {
                "type": "object",
                "required": ["rows"],
                "properties": {
                    "area": {"type": "string"},
                    "period": {"type": "string"},
                    "rows": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["indicator"],
                            "properties": {
                                "indicator": {"type": "string"},
                                "numerator": {"type": ["integer", "null"], "minimum": 0},
                                "denominator": {"type": ["integer", "null"], "minimum": 1},
                                "value": {"type": ["number", "null"]},
                                "note": {"type": ["string", "null"], "maxLength": 500},
                            },
                        },
                    },
                },
            }
        },
    },
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": answers.WholeReportAnswer, "description": "Accepted as a new version."},
    200: {
        "model": answers.WholeReportAnswer,
        "description": "The latest version was made of this very file; it stands.",
    },
    422: {
        "description": "Problem details; `errors` says cell by cell what is wrong. Nothing kept."
    },
    503: {
        "description": "The report is kept, the broker is away. It is accepted once the broker is "
        "back; sending the same file again is harmless."
    },
}

AcceptLanguage = Annotated[str | None, Header(description="vi (default) or en")]


def router(
    reports: Reports, tokens: TokenVerifier, metrics: ReportMetrics, max_bytes: int
) -> APIRouter:
    """The routes; they want the token of a unit, an operator or the source of reports.

    Args:
        reports: what takes reports in.
        tokens: checks credentials.
        metrics: where refusals are counted.
        max_bytes: of a file.
    """
    routes = APIRouter(prefix="/v1/reports", tags=["reports"])
    senders = callers(tokens, Role.UNIT, Role.OPERATOR, Role.SOURCE)
    in_flight = BytesInFlight(_MOST_IN_FLIGHT)
    rate = RateLimit(rate=_RATE, burst=_BURST)
    # A small file may take a hundred times its size while it is read.
    reading = asyncio.Semaphore(1)

    @routes.get("/template", summary="The form of a unit and period", openapi_extra=SECURITY)
    async def template(
        area: Annotated[str, Query(description="area id such as 2025:04252, or agency:<code>")],
        period: Annotated[str, Query(description="2026-10, 2026-Q3, 2026-H1 or 2026")],
        caller: Annotated[Principal, Depends(senders)],
        accept_language: AcceptLanguage = None,
    ) -> Response:
        check_area(caller, area)
        try:
            form = reports.rules.form(area, period)
        except NoFormError as error:
            raise answers.no_form(error.fault, language_of(accept_language)) from None
        name = f"{file_name(area, period)}.xlsx"
        return attachment(await reports.template(form), layout.XLSX, name)

    @routes.post(
        "",
        summary="Send a report",
        status_code=HTTPStatus.CREATED,
        response_model=None,
        responses=_RESPONSES,
        openapi_extra={"requestBody": _BODY} | SECURITY,
    )
    async def send(
        request: Request,
        caller: Annotated[Principal, Depends(senders)],
        area: Area = None,
        period: Period = None,
        accept_language: AcceptLanguage = None,
    ) -> JSONResponse:
        check_area(caller, area)
        _check_rate(rate, caller)
        media_type = _media_type(request)
        with BodyReader(request, in_flight, max_bytes) as body:
            file = File(media_type, await body.read())
            try:
                async with reading:
                    sent = await asyncio.to_thread(read_report, media_type, file.content)
                # The file says itself whose report it is, so that is when it is known who may.
                check_area(caller, area or sent.area)
                form = find_form(reports.rules, sent, area, period)
                return await _take(reports, sent, form, file, caller)
            except UnreadableError as error:
                language = language_of(accept_language)
                faults, status = [error.fault(language)], HTTPStatus.BAD_REQUEST
            except RefusedError as error:
                language = language_of(accept_language)
                faults, status = list(error.faults), HTTPStatus.UNPROCESSABLE_ENTITY
        raise _refused(faults, language, status, metrics)

    return routes


async def _take(
    reports: Reports, sent: Sent, form: Form, file: File, caller: Principal
) -> JSONResponse:
    try:
        kept, is_new = await reports.take(sent, form, file, caller)
    except BrokerAwayError:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            detail="The report is kept, but the broker is away: it is accepted once the broker is "
            "back. Sending the same file again does no harm.",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        ) from None
    answer = answers.whole_report(kept, await reports.figures(kept.id))
    return JSONResponse(
        answer.model_dump(mode="json"),
        status_code=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
        headers={"Location": f"/v1/reports/{kept.id}"},
    )


def _check_rate(rate: RateLimit, caller: Principal) -> None:
    now = time.monotonic()
    wait = rate.wait(caller.sub, now)
    if wait > 0:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            detail=f"At most {_RATE:g} reports a second; wait as Retry-After says.",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    rate.charge(caller.sub, 1, now)


def _refused(
    faults: list[Fault], language: Language, status: int, metrics: ReportMetrics
) -> Problem:
    metrics.refused(fault.code for fault in faults)
    return answers.refusal(faults, language, status)


def _media_type(request: Request) -> str:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in layout.EXTENSIONS:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            detail=f"Send one of {', '.join(layout.EXTENSIONS)} as Content-Type.",
        )
    return media_type
