"""The page behind a letter's link, where a unit says that it has taken its alerts up.

Opening it changes nothing, sending its form does. What the link allows stands in `links`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import FormData

from contracts.times import local_day
from services.chassis.problems import Problem
from services.notifier.core.acknowledgement import (
    LONGEST_PROMISE,
    Acknowledgement,
    promise_objection,
)
from services.notifier.core.agency import AGENCY_PREFIX, agency_told
from services.notifier.core.alert import FOR_OPERATORS, Alert
from services.notifier.core.detail import indicator_name, indicator_name_en
from services.notifier.core.letter import OPERATORS, worst_first
from services.notifier.core.wording import Language, day, unit_en
from services.notifier.http import Api
from services.notifier.links import ACKNOWLEDGE_PATH, LinkError, Links, Permit
from services.notifier.store import alerts, works
from services.notifier.store.alerts import Search

_LONGEST_NOTE: Final = 2000
_LARGEST_FORM: Final = 64 * 1024
#: A token tells whole seconds only.
_SECOND: Final = timedelta(seconds=1)

#: The page loads nothing, is shown in no other page, and tells nobody its address.
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "vi": {
        "title": "Xác nhận đã tiếp nhận",
        "intro": "{unit}: các nội dung đã được thông báo và đến nay vẫn còn",
        "note": "Giải pháp thực hiện",
        "promised_on": "Cam kết hoàn thành trước hết ngày (không bắt buộc)",
        "promise": (
            "Đến hết ngày cam kết, hệ thống không nhắc lại. Nếu sau ngày đó vẫn còn chậm, hệ "
            "thống sẽ thông báo lại."
        ),
        "send": "Xác nhận",
        "since": "từ ngày {day}",
        "answered": "đã xác nhận ngày {day}",
        "promised": "cam kết hoàn thành trước hết ngày {day}",
        "done": "Đã ghi nhận. Xin cảm ơn.",
        "none": "Không còn nội dung nào cần xác nhận.",
        "expired": "Liên kết này đã hết hạn. Vui lòng dùng liên kết trong thư mới nhất.",
        "invalid": "Liên kết này không hợp lệ. Vui lòng mở lại liên kết trong thư.",
        "no_choice": "Vui lòng chọn ít nhất một nội dung.",
        "no_note": "Vui lòng ghi giải pháp thực hiện (không quá 2.000 ký tự).",
        "bad_day": "Ngày cam kết phải từ hôm nay trở đi và không quá một năm.",
    },
    "en": {
        "title": "Acknowledge",
        "intro": "{unit}: what you were told of and what still lags",
        "note": "What is being done",
        "promised_on": "Done by the end of (optional)",
        "promise": (
            "Until the end of that day there are no reminders. If it still lags afterwards, you "
            "are told again."
        ),
        "send": "Acknowledge",
        "since": "since {day}",
        "answered": "acknowledged on {day}",
        "promised": "to be done by the end of {day}",
        "done": "This has been noted. Thank you.",
        "none": "There is nothing left to acknowledge.",
        "expired": "This link has expired. Please use the one in the latest message.",
        "invalid": "This link is not valid. Please open the link in the message again.",
        "no_choice": "Please choose at least one.",
        "no_note": "Please write what is being done (2,000 characters at most).",
        "bad_day": "The day must be from today on and within a year.",
    },
}


@dataclass(frozen=True, slots=True)
class _Said:
    """What was filled in, shown again where something is missing."""

    chosen: frozenset[str] | None = None
    note: str = ""
    promised_on: str = ""
    mistakes: Sequence[str] = field(default=())


class AcknowledgePage:
    """Shows the form of a link and takes it."""

    def __init__(self, links: Links, api: Callable[[], Api]) -> None:
        """`api` is asked at each request: it is there once the lifespan has started."""
        self._links = links
        self._api = api
        self._template = Environment(
            loader=PackageLoader("services.notifier"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ).get_template("acknowledge.html.j2")

    async def show(self, token: str, language: Language) -> HTMLResponse:
        """The form, or why there is none."""
        try:
            permit = self._links.permit(token, self._api().clock.now())
        except LinkError as error:
            return self._notice(error, language)
        return await self._form(token, language, permit, await self._open(permit), _Said())

    async def take(self, form: FormData, language: Language) -> HTMLResponse:
        """Take a form that was sent: all that was chosen is acknowledged, or nothing is."""
        token = str(form.get("token", ""))
        now = self._api().clock.now()
        try:
            permit = self._links.permit(token, now)
        except LinkError as error:
            return self._notice(error, language)
        open_alerts = await self._open(permit)
        said = _read(form, open_alerts, now, language)
        if said.mistakes:
            return await self._form(token, language, permit, open_alerts, said, status=422)
        chosen = said.chosen or frozenset()
        promised_on = date.fromisoformat(said.promised_on) if said.promised_on else None
        kept = Acknowledgement(said.note, promised_on, now, f"link:{permit.audience}")
        async with self._api().pool.acquire() as connection, connection.transaction():
            for alert in open_alerts:
                if str(alert.id) in chosen:
                    await works.acknowledge(connection, alert.id, kept)
        return self._page(language, 200, notice=_WORDS[language]["done"])

    async def _open(self, permit: Permit) -> list[Alert]:
        """What the link is about and still fires."""
        async with self._api().pool.acquire() as connection:
            found, _ = await alerts.search(connection, Search(area=permit.area, state="firing"))
        until = permit.told_at + _SECOND
        for_operators = permit.audience == OPERATORS
        return worst_first(
            alert
            for alert in found
            if (alert.fired_at or alert.opened_at) < until
            and (alert.kind in FOR_OPERATORS) == for_operators
            and self._is_answered_by(permit.audience, alert)
        )

    def _is_answered_by(self, audience: str, alert: Alert) -> bool:
        """An agency acknowledges what it answers for, and not all that fires in the province."""
        if not audience.startswith(AGENCY_PREFIX):
            return True
        return agency_told(alert, self._api().domain) == audience

    async def _form(
        self,
        token: str,
        language: Language,
        permit: Permit,
        open_alerts: Sequence[Alert],
        said: _Said,
        *,
        status: int = 200,
    ) -> HTMLResponse:
        words = _WORDS[language]
        if not open_alerts:
            return self._page(language, 200, notice=words["none"])
        async with self._api().pool.acquire() as connection:
            known = await works.acknowledgements(connection, [one.id for one in open_alerts])
        answers = {alert: one for alert, one in known.items() if one.holds}
        domain = self._api().domain
        today = local_day(self._api().clock.now())
        area = domain.areas.get(permit.area)
        unit = area.name if area is not None else permit.area
        name_of = indicator_name if language == "vi" else indicator_name_en
        return self._page(
            language,
            status,
            token=token,
            intro=words["intro"].format(unit=unit if language == "vi" else unit_en(unit)),
            said=said,
            choices=[
                {
                    "id": str(alert.id),
                    "name": name_of(domain, alert.key.indicator),
                    "since": words["since"].format(
                        day=day(alert.fired_at or alert.opened_at, language)
                    ),
                    "answer": _answer(answers.get(alert.id), language),
                    "chosen": alert.id not in answers
                    if said.chosen is None
                    else str(alert.id) in said.chosen,
                }
                for alert in open_alerts
            ],
            first_day=today.isoformat(),
            last_day=(today + LONGEST_PROMISE).isoformat(),
        )

    def _notice(self, error: LinkError, language: Language) -> HTMLResponse:
        words = _WORDS[language]
        if error.expired:
            return self._page(language, 410, notice=words["expired"])
        return self._page(language, 404, notice=words["invalid"])

    def _page(self, language: Language, status: int, **context: object) -> HTMLResponse:
        text = self._template.render(
            {
                "language": language,
                "words": _WORDS[language],
                "path": ACKNOWLEDGE_PATH.removeprefix("/"),
                "longest_note": _LONGEST_NOTE,
                "notice": None,
            }
            | context
        )
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


def add_acknowledge_page(app: FastAPI, page: AcknowledgePage) -> None:
    """Add the page to an app."""
    router = APIRouter(include_in_schema=False)
    Token = Annotated[str, Query(max_length=2048)]  # noqa: N806 - an annotation

    @router.get(ACKNOWLEDGE_PATH)
    async def show(token: Token = "", lang: Language = "vi") -> HTMLResponse:
        return await page.show(token, lang)

    @router.post(ACKNOWLEDGE_PATH)
    async def take(request: Request, lang: Language = "vi") -> HTMLResponse:
        length = request.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            raise Problem(411, detail="Say how long the form is, as browsers do.")
        if int(length) > _LARGEST_FORM:
            raise Problem(413, detail=f"The form is longer than {_LARGEST_FORM} bytes.")
        async with request.form(max_files=0) as form:
            return await page.take(form, lang)

    app.include_router(router)


def _answer(said: Acknowledgement | None, language: Language) -> str:
    """What has been said of an alert already, and the promise; empty where nothing holds."""
    if said is None:
        return ""
    words = _WORDS[language]
    told = [words["answered"].format(day=day(said.acknowledged_at, language))]
    if said.promised_on is not None:
        told.append(words["promised"].format(day=day(said.promised_on, language)))
    return ", ".join(told)


def _read(form: FormData, open_alerts: Sequence[Alert], now: datetime, language: Language) -> _Said:
    """What a form says, and what is wrong with it."""
    words = _WORDS[language]
    open_ids = {str(alert.id) for alert in open_alerts}
    chosen = frozenset(str(one) for one in form.getlist("alert")) & open_ids
    note = str(form.get("note", "")).strip()
    promised_on = str(form.get("promised_on", "")).strip()
    mistakes = []
    if not chosen:
        mistakes.append(words["no_choice"])
    if not note or len(note) > _LONGEST_NOTE:
        mistakes.append(words["no_note"])
    if promised_on and not _is_promise(promised_on, local_day(now)):
        mistakes.append(words["bad_day"])
    return _Said(chosen, note, promised_on, mistakes)


def _is_promise(text: str, today: date) -> bool:
    try:
        return promise_objection(date.fromisoformat(text), today) is None
    except ValueError:
        return False
