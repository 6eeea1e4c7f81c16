"""What the routes of reports answer with."""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.events import EventTime, Number
from services.chassis.problems import Problem
from services.ingest.core.identifiers import redact
from services.ingest.reports.core.faults import Fault, Language
from services.ingest.reports.core.figures import Change, Figure
from services.ingest.reports.store import Kept, State

_AREA = "area:"
_TITLES: dict[Language, tuple[str, str]] = {
    "vi": (
        "Báo cáo chưa được nhận",
        "Báo cáo có {count} chỗ chưa đúng; không số liệu nào được nhận. Sửa rồi gửi lại cả báo cáo.",
    ),
    "en": (
        "The report was not taken",
        "The report has {count} faults; none of its figures was taken. Correct and send it whole.",
    ),
}


class FaultAnswer(BaseModel):
    """One thing that is wrong with a report, in the language that was asked for."""

    code: str
    sheet: Annotated[str | None, Field(description="null where it is about the whole report")]
    cell: Annotated[str | None, Field(description="like F12; in JSON like rows[3].numerator")]
    indicator: str | None
    message: Annotated[str, Field(description="what is wrong")]
    advice: Annotated[str, Field(description="what to write instead")]


class FigureAnswer(BaseModel):
    """One figure of a report."""

    indicator: str
    numerator: int | None
    denominator: int | None
    value: Number | None
    note: str
    change: Annotated[
        Change,
        Field(
            description="beside the version before; `kept`: this version does not speak of it, "
            "so it stays and has no event of its own"
        ),
    ]


class ReportAnswer(BaseModel):
    """Who sent which version of a report, and when."""

    id: UUID
    area: Annotated[str, Field(description="area id, or agency:<code>")]
    period: str
    version: int
    state: Annotated[State, Field(description="pending: the broker has not acknowledged it yet")]
    submitted_at: EventTime
    accepted_at: EventTime | None
    detail: Annotated[str, Field(description="why its events were refused, if they were")]
    sub: Annotated[str, Field(description="`sub` of the token that sent it")]
    role: str
    media_type: str
    file_bytes: int
    sha256: Annotated[str, Field(description="of the file, hexadecimal")]


class ReportsAnswer(BaseModel):
    """Reports, the latest first."""

    reports: list[ReportAnswer]
    next: Annotated[
        UUID | None, Field(description="what to give as `after` for those before; null at the end")
    ]


class WholeReportAnswer(ReportAnswer):
    """A report with all figures that hold with it."""

    figures: list[FigureAnswer]
    remarks: Annotated[
        dict[str, str], Field(description="indicator → note, where nothing is reported")
    ]


def report(kept: Kept) -> ReportAnswer:
    """What is known of a report beside its figures."""
    return ReportAnswer(
        id=kept.id,
        area=name_of(kept.reporter),
        period=kept.period,
        version=kept.version,
        state=kept.state,
        submitted_at=kept.submitted_at,
        accepted_at=kept.accepted_at,
        detail=kept.detail,
        sub=kept.sub,
        role=kept.role,
        media_type=kept.media_type,
        file_bytes=kept.file_bytes,
        sha256=kept.sha256.hex(),
    )


def whole_report(kept: Kept, figures: dict[str, Figure]) -> WholeReportAnswer:
    """A report with its figures."""
    return WholeReportAnswer(
        **report(kept).model_dump(),
        figures=[_figure(figure) for _, figure in sorted(figures.items())],
        remarks=dict(kept.remarks),
    )


def _figure(figure: Figure) -> FigureAnswer:
    value: Decimal | None = figure.value
    return FigureAnswer(
        indicator=figure.indicator,
        numerator=figure.numerator,
        denominator=figure.denominator,
        value=value,
        note=figure.note,
        change=figure.change,
    )


def refusal(faults: list[Fault], language: Language, status: int) -> Problem:
    """The answer to a report that is not taken: everything that is wrong with it, in its order."""
    title, detail = _TITLES[language]
    answers = [fault_answer(fault, language).model_dump() for fault in faults]
    return Problem(
        status,
        title,
        detail.format(count=len(faults)),
        headers={"Content-Language": language},
        errors=answers,
    )


def no_form(fault: Fault, language: Language) -> Problem:
    """The answer where there is no form to ask for."""
    detail = f"{fault.message(language)} {fault.advice(language)}"
    return Problem(
        HTTPStatus.NOT_FOUND, detail=detail, headers={"Content-Language": language}, code=fault.code
    )


def fault_answer(fault: Fault, language: Language) -> FaultAnswer:
    """A fault in words; what the sender wrote is repeated without long numbers."""
    place = fault.place
    return FaultAnswer(
        code=fault.code,
        sheet=(place.sheet or None) if place else None,
        cell=(redact(place.cell) or None) if place else None,
        indicator=fault.indicator,
        message=redact(fault.message(language)),
        advice=redact(fault.advice(language)),
    )


def name_of(subject: str) -> str:
    """The name of a reporter by the subject of its events."""
    return subject.removeprefix(_AREA)


def subject_of(name: str) -> str:
    """The subject of a reporter's events by its name."""
    return name if name.startswith("agency:") else _AREA + name
