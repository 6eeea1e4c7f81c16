"""The form of one reporter and period: which indicators it asks for, and when it is taken."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from contracts.areas import Area, Areas, Level
from contracts.catalogue import Catalogue
from contracts.forms import Forms, Measure, period_in_words, unit_in_words
from contracts.reporting import Calendar, Window, kind_of
from services.ingest.reports.core.faults import Code, Fault

AGENCY: Final = "agency:"
_PROVINCE: Final[Level] = "province"
_AREA_ID: Final = re.compile(r"[a-z0-9]{1,16}:[0-9]{2,5}")


class NoFormError(Exception):
    """There is no form for this reporter and period; `fault` says why and what to do."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: a unit or an agency, by the name under which it is asked for."""

    name: str
    """``2025:04252`` or ``agency:so-y-te``, as in the queries and tokens of units."""
    title: str
    level: Level
    area: Area | None

    @property
    def subject(self) -> str:
        """The subject of its events."""
        return self.name if self.area is None else f"area:{self.name}"


@dataclass(frozen=True, slots=True)
class Row:
    """One indicator of a form."""

    indicator: str
    section: str
    measure: Measure


@dataclass(frozen=True)
class Form:
    """What a reporter is asked for a period."""

    reporter: Reporter
    period: str
    rows: tuple[Row, ...]
    window: Window

    @property
    def period_title(self) -> str:
        """The period in words."""
        return period_in_words(self.period)

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """Indicator → how it is reported here."""
        return {row.indicator: row.measure for row in self.rows}


@dataclass(frozen=True, slots=True)
class Rules:
    """The data that forms follow from."""

    areas: Areas
    catalogue: Catalogue
    calendar: Calendar
    forms: Forms

    def reporter(self, name: str) -> Reporter:
        """The reporter of that name.

        Raises:
            NoFormError: no unit and no agency is called so.
        """
        if name.startswith(AGENCY):
            title = self.forms.agencies.names.get(name.removeprefix(AGENCY))
            if title is not None:
                return Reporter(name, title, _PROVINCE, None)
        elif (area := self.areas.get(name)) is not None:
            return Reporter(name, unit_in_words(area, self.areas), area.level, area)
        raise NoFormError(Fault(Code.UNKNOWN_REPORTER))

    def form(self, name: str, period: str) -> Form:
        """The form of a reporter and period.

        Raises:
            NoFormError: nobody is called so, it is no period, or nothing is asked for it.
        """
        reporter = self.reporter(name)
        try:
            kind_of(period)
        except ValueError:
            raise NoFormError(Fault(Code.BAD_PERIOD)) from None
        window = self.calendar.window(reporter.level, period)
        words = period_in_words(period)
        if window is None:
            raise NoFormError(Fault(Code.NOT_ASKED, values={"period": words}))
        self._check_exists(reporter, window)
        asked = self.calendar.expected(reporter.level, period)
        if reporter.area is None:
            asked = tuple(one for one in asked if one in self.forms.agencies.indicators)
            if not asked:
                raise NoFormError(Fault(Code.NOT_ASKED, values={"period": words}))
        return Form(reporter, period, self._rows(asked), window)

    def _rows(self, asked: tuple[str, ...]) -> tuple[Row, ...]:
        order = self.forms.headings
        rows = (
            Row(name, self.forms.section_of(name), self.forms.indicators[name]) for name in asked
        )
        return tuple(sorted(rows, key=lambda row: order.index(row.section)))

    def _check_exists(self, reporter: Reporter, window: Window) -> None:
        """A unit reports for a period if it exists on its due day."""
        area = reporter.area
        if area is None or area.is_valid(window.due):
            return
        heir = self.areas.carried(area.area_id, window.due)
        values = {"due": _day(window.due), "heir": heir.area_id if heir else "–"}
        raise NoFormError(Fault(Code.UNIT_ENDED, values=values))


def taken_on(form: Form, today: date, *, also_late: bool) -> Fault | None:
    """Why a report is not taken on a day, or None when it is.

    Args:
        form: the form that was filled in.
        today: the local day.
        also_late: whether a closed period is taken all the same.
    """
    state = form.window.state(today)
    if state == "ahead":
        return Fault(Code.NOT_OPEN, values={"day": _day(form.window.opens)})
    if state == "closed" and not also_late:
        return Fault(Code.CLOSED, values={"day": _day(form.window.closes)})
    return None


def is_reporter_name(text: str) -> bool:
    """Whether a text has the form of a reporter's name."""
    return text.startswith(AGENCY) or _AREA_ID.fullmatch(text) is not None


def _day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"
