"""The page behind a letter's link, where a unit says that it has taken its alerts up.

Opening it changes nothing, sending its form does. What the link allows stands in `links`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BeforeValidator
from starlette.datastructures import FormData

from contracts.times import local_day
from services.chassis.problems import Problem
from services.notifier.acknowledge_words import WORDS
from services.notifier.core.acknowledgement import (
    LONGEST_PROMISE,
    Acknowledgement,
    promise_objection,
)
from services.notifier.core.alert import FOR_OPERATORS, Alert
from services.notifier.core.detail import indicator_name, indicator_name_en
from services.notifier.core.letter import UNIT_PREFIX, worst_first
from services.notifier.core.wording import Language, day, unit_en
from services.notifier.http import Api
from services.notifier.links import ACKNOWLEDGE_PATH, LinkError, Permit
from services.notifier.stationery import Stationery
from services.notifier.store import alerts, told, works
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


Answers = Mapping[UUID, Acknowledgement]


@dataclass(frozen=True, slots=True)
class _Said:
    """What was filled in, shown again where something is missing."""

    chosen: frozenset[str] | None = None
    note: str = ""
    promised_on: str = ""
    mistakes: Sequence[str] = field(default=())


class AcknowledgePage:
    """Shows the form of a link and takes it."""

    def __init__(self, stationery: Stationery, api: Callable[[], Api]) -> None:
        """`api` is asked at each request: it is there once the lifespan has started."""
        self._links = stationery.links
        self._contact = stationery.contact
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
        return await self._form(token, language, await self._open(permit), _Said())

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
            return await self._form(token, language, open_alerts, said, status=422)
        chosen = said.chosen or frozenset()
        promised_on = date.fromisoformat(said.promised_on) if said.promised_on else None
        kept = Acknowledgement(said.note, promised_on, now, f"link:{permit.audience}")
        async with self._api().pool.acquire() as connection, connection.transaction():
            for alert in open_alerts:
                if not chosen.isdisjoint(_names(alert)):
                    await works.acknowledge(connection, alert.id, kept)
        return self._page(language, 200, notice=WORDS[language]["done"])

    async def _open(self, permit: Permit) -> list[Alert]:
        """What the link is about and still fires."""
        until = permit.told_at + _SECOND
        async with self._api().pool.acquire() as connection:
            if not permit.audience.startswith(UNIT_PREFIX):
                # Who is told of many units answers for what the letter told, whichever they are.
                return worst_first(
                    await told.of_letter(connection, permit.audience, permit.told_at, until)
                )
            found, _ = await alerts.search(connection, Search(area=permit.area, state="firing"))
        return worst_first(
            alert
            for alert in found
            if (alert.fired_at or alert.opened_at) < until and alert.kind not in FOR_OPERATORS
        )

    async def _form(
        self,
        token: str,
        language: Language,
        open_alerts: Sequence[Alert],
        said: _Said,
        *,
        status: int = 200,
    ) -> HTMLResponse:
        words = WORDS[language]
        if not open_alerts:
            return self._page(language, 200, notice=words["none"])
        async with self._api().pool.acquire() as connection:
            known = await works.acknowledgements(connection, [one.id for one in open_alerts])
        answers = {alert: one for alert, one in known.items() if one.holds}
        today = local_day(self._api().clock.now())
        areas = list(dict.fromkeys(alert.key.area for alert in open_alerts))
        intro = words["intro"].format(unit=self._unit(areas[0], language))
        choices = [self._choice(alert, answers, said, language) for alert in open_alerts]
        if len(areas) > 1:
            intro = words["intro_units"]
            choices = [
                self._unit_choice(
                    area,
                    [one for one in open_alerts if one.key.area == area],
                    answers,
                    said,
                    language,
                )
                for area in areas
            ]
        return self._page(
            language,
            status,
            token=token,
            intro=intro,
            said=said,
            choices=choices,
            first_day=today.isoformat(),
            last_day=(today + LONGEST_PROMISE).isoformat(),
        )

    def _choice(
        self, alert: Alert, answers: Answers, said: _Said, language: Language
    ) -> dict[str, object]:
        name_of = indicator_name if language == "vi" else indicator_name_en
        since = day(alert.fired_at or alert.opened_at, language)
        answer = answers.get(alert.id)
        return {
            "id": str(alert.id),
            "name": name_of(self._api().domain, alert.key.indicator),
            "since": WORDS[language]["since"].format(day=since),
            "answer": _answer(answer, language),
            "chosen": answer is None if said.chosen is None else str(alert.id) in said.chosen,
        }

    def _unit_choice(
        self,
        area: str,
        some: Sequence[Alert],
        answers: Answers,
        said: _Said,
        language: Language,
    ) -> dict[str, object]:
        """All of one unit among several; none is chosen unasked."""
        answered = [answers.get(alert.id) for alert in some]
        return {
            "id": area,
            "name": self._unit(area, language),
            "since": WORDS[language]["n_alerts"].format(n=len(some)),
            "answer": _answer(answered[0], language) if all(answered) else "",
            "chosen": area in (said.chosen or ()),
        }

    def _unit(self, area: str, language: Language) -> str:
        known = self._api().domain.areas.get(area)
        name = known.name if known is not None else area
        return name if language == "vi" else unit_en(name)

    def _notice(self, error: LinkError, language: Language) -> HTMLResponse:
        words = WORDS[language]
        if error.expired:
            return self._page(language, 410, notice=words["expired"])
        return self._page(language, 404, notice=words["invalid"])

    def _page(self, language: Language, status: int, **context: object) -> HTMLResponse:
        text = self._template.render(
            {
                "language": language,
                "words": WORDS[language],
                "path": ACKNOWLEDGE_PATH.removeprefix("/"),
                "longest_note": _LONGEST_NOTE,
                "notice": None,
                "contact": self._contact
                and WORDS[language]["contact"].format(contact=self._contact),
            }
            | context
        )
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


def add_acknowledge_page(app: FastAPI, page: AcknowledgePage) -> None:
    """Add the page to an app."""
    router = APIRouter(include_in_schema=False)
    # Who opens a link that a program has lengthened wants a page, not a problem for programs.
    Lang = Annotated[Language, BeforeValidator(_spoken)]  # noqa: N806 - an annotation

    @router.get(ACKNOWLEDGE_PATH)
    async def show(token: str = "", lang: Lang = "vi") -> HTMLResponse:
        return await page.show(token, lang)

    @router.post(ACKNOWLEDGE_PATH)
    async def take(request: Request, lang: Lang = "vi") -> HTMLResponse:
        length = request.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            raise Problem(411, detail="Say how long the form is, as browsers do.")
        if int(length) > _LARGEST_FORM:
            raise Problem(413, detail=f"The form is longer than {_LARGEST_FORM} bytes.")
        async with request.form(max_files=0) as form:
            return await page.take(form, lang)

    app.include_router(router)


def _spoken(asked: str) -> Language:
    return "en" if asked == "en" else "vi"


def _answer(said: Acknowledgement | None, language: Language) -> str:
    """What has been said of an alert already, and the promise; empty where nothing holds."""
    if said is None:
        return ""
    words = WORDS[language]
    told = [words["answered"].format(day=day(said.acknowledged_at, language))]
    if said.promised_on is not None:
        told.append(words["promised"].format(day=day(said.promised_on, language)))
    return ", ".join(told)


def _read(form: FormData, open_alerts: Sequence[Alert], now: datetime, language: Language) -> _Said:
    """What a form says, and what is wrong with it."""
    words = WORDS[language]
    open_ids = {name for alert in open_alerts for name in _names(alert)}
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


def _names(alert: Alert) -> tuple[str, str]:
    """By what a form chooses an alert: by itself, or with all of its unit."""
    return str(alert.id), alert.key.area


def _is_promise(text: str, today: date) -> bool:
    try:
        return promise_objection(date.fromisoformat(text), today) is None
    except ValueError:
        return False
