"""Digests over HTTP: what was written, how it was delivered, and one more written by hand.

They are put into words when asked for, in Vietnamese or with `?language=en` in English.

A unit sees those of itself and the units below; operators alone have one written.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from contracts.events import EventTime, IsoDay
from contracts.tokens import Principal, Role
from services.chassis.problems import Problem
from services.notifier.callers import Sight
from services.notifier.core.digest import Digest, Form
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.occasion import Cadence
from services.notifier.core.wording import Language
from services.notifier.http import Api
from services.notifier.pipeline.digesting import Digesting
from services.notifier.receivers.digest import page, workbook
from services.notifier.receivers.digest.rendering import as_text
from services.notifier.store import digests
from services.notifier.store.deliveries import DeliveryState
from services.notifier.store.digests import Kept, Wanted


class DigestSent(BaseModel):
    """How one delivery of a digest stands."""

    receiver: str
    state: DeliveryState
    attempts: int
    finished_at: EventTime | None
    last_error: str | None


class DigestSummary(BaseModel):
    """One digest in a list; `asked_by` is who had it written by hand."""

    id: UUID
    audience: str
    form: Form
    cadence: Cadence
    period: str
    since: IsoDay
    until: IsoDay
    area: str
    area_name: str
    subject: str
    written_at: EventTime
    asked_by: str | None
    deliveries: list[DigestSent]


class DigestsAnswer(BaseModel):
    """Digests, newest first."""

    digests: list[DigestSummary]


class DigestAnswer(DigestSummary):
    """One digest, with all that it says, as data and as text."""

    text: str
    digest: Digest


class DigestFilter(BaseModel, extra="forbid"):
    """Which digests; what is left out lets everything pass. `area` is exactly that unit."""

    cadence: Cadence | None = None
    area: str | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class DigestRequest(BaseModel, extra="forbid"):
    """Write the digests of the period that ends today, of one unit or of all that subscribe."""

    cadence: Cadence
    area: str | None = None


class DigestsWritten(BaseModel):
    """The digests that were written; those of today that were there before are not among them."""

    written: list[UUID]


async def _found(api: Api, seen: Sequence[str] | None, digest: UUID) -> Kept:
    async with api.pool.acquire() as connection:
        kept = await digests.search(connection, Wanted(id=digest, visible=seen))
    if not kept:
        raise Problem(404, detail=f"There is no digest {digest} that this token may see.")
    return kept[0]


async def _of_leaders(api: Api, seen: Sequence[str] | None, digest: UUID) -> Digest:
    found = (await _found(api, seen, digest)).digest
    if found.form != "leaders":
        raise Problem(404, detail="Digests for leaders alone have a PDF and a workbook.")
    return found


def _file(content: bytes, media_type: str, name: str) -> Response:
    named = f'attachment; filename="{name}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": named})


def add_digest_routes(
    app: FastAPI, *, sight: Sight, api: Callable[[], Api], digesting: Callable[[], Digesting]
) -> None:
    """Add the routes of digests to an app; `api` and `digesting` are asked at each request."""
    router = APIRouter(prefix="/v1/digests", tags=["digests"])
    Visible = Annotated[Sequence[str] | None, Depends(sight)]  # noqa: N806 - an annotation

    @router.get("")
    async def list_digests(
        seen: Visible, wanted: Annotated[DigestFilter, Query()]
    ) -> DigestsAnswer:
        """Digests, newest first."""
        if wanted.area is not None and seen is not None and wanted.area not in seen:
            raise Problem(403, detail=f"The token gives no sight of {wanted.area}.")
        async with api().pool.acquire() as connection:
            kept = await digests.search(connection, Wanted(**wanted.model_dump(), visible=seen))
        return DigestsAnswer(digests=[DigestSummary(**_summary(one)) for one in kept])

    @router.get("/{digest_id}")
    async def one_digest(seen: Visible, digest_id: UUID, language: Language = "vi") -> DigestAnswer:
        """One digest."""
        kept = await _found(api(), seen, digest_id)
        text = as_text(kept.digest, language)
        return DigestAnswer(**_summary(kept, language), text=text, digest=kept.digest)

    @router.get("/{digest_id}/pdf", response_class=Response)
    async def pdf(seen: Visible, digest_id: UUID, language: Language = "vi") -> Response:
        """The pages (PDF) of a digest for leaders."""
        digest = await _of_leaders(api(), seen, digest_id)
        content = await asyncio.to_thread(page.as_pdf, digest, language)
        return _file(content, page.MEDIA_TYPE, page.file_name(digest))

    @router.get("/{digest_id}/workbook", response_class=Response)
    async def xlsx(seen: Visible, digest_id: UUID, language: Language = "vi") -> Response:
        """The workbook (XLSX) of a digest for leaders."""
        digest = await _of_leaders(api(), seen, digest_id)
        content = await asyncio.to_thread(workbook.as_workbook, digest, language)
        return _file(content, workbook.MEDIA_TYPE, workbook.file_name(digest))

    _add_writing(router, sight=sight, api=api, digesting=digesting)
    app.include_router(router)


def _add_writing(
    router: APIRouter, *, sight: Sight, api: Callable[[], Api], digesting: Callable[[], Digesting]
) -> None:
    def operator(request: Request) -> Principal:
        who = sight.principal(request)
        if who.role is not Role.OPERATOR:
            raise Problem(403, detail="Only operators have digests written.")
        return who

    @router.post("", status_code=201)
    async def write_now(
        who: Annotated[Principal, Depends(operator)], wanted: DigestRequest
    ) -> DigestsWritten:
        """Write digests now and send them; once a day for each unit, however often it is asked."""
        known = api()
        if wanted.area is not None and known.domain.areas.get(wanted.area) is None:
            raise Problem(404, detail=f"There is no unit {wanted.area}.")
        written = await digesting().by_hand(wanted.cadence, wanted.area, who.sub, known.clock.now())
        return DigestsWritten(written=written)


def _summary(kept: Kept, language: Language = "vi") -> dict[str, Any]:
    digest = kept.digest
    shared = digest.model_dump(include=set(DigestSummary.model_fields) - {"id", "deliveries"})
    return {
        **shared,
        "id": kept.id,
        "subject": DigestSpeech(language).subject(digest),
        "asked_by": kept.asked_by,
        "deliveries": [DigestSent.model_validate(one) for one in kept.deliveries],
    }
