"""The verdict on a sent report: its figures, or everything that is wrong with it, cell by cell.

A row whose cells are empty says "not reported". A row that is not there says nothing: what was
reported before stays. A row that is there and empty cannot withdraw what was reported before,
because an event that was published cannot be taken back; it is a fault, so that nobody believes a
figure to be gone that still counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from contracts.forms import Measure
from services.ingest.reports.core.faults import Code, Fault
from services.ingest.reports.core.figures import Change, Figure
from services.ingest.reports.core.form import Form
from services.ingest.reports.core.numbers import (
    NumberError,
    is_empty,
    read_number,
    shown,
    tidy,
    written,
)
from services.ingest.reports.core.sent import MOST_ROWS, Cell, Sent, SentRow

_MOST_NOTE: Final = 500


@dataclass(slots=True)
class Checked:
    """The outcome; figures and remarks mean something only where there are no faults."""

    figures: list[Figure] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    """Notes on indicators that are not reported."""
    faults: list[Fault] = field(default_factory=list)


def check(sent: Sent, form: Form, before: Mapping[str, Figure], known: frozenset[str]) -> Checked:
    """Judge a report.

    Args:
        sent: the report.
        form: what the reporter is asked for the period.
        before: the figures of the version before, by indicator.
        known: all indicators of the catalogue.
    """
    checked = Checked()
    if len(sent.rows) > MOST_ROWS:
        checked.faults.append(Fault(Code.TOO_MANY_ROWS, values={"most": str(MOST_ROWS)}))
        return checked
    seen: dict[str, Cell] = {}
    for row in sent.rows:
        _Row(row, form, before, known, checked).judge(seen)
    # The file is kept, and nobody's number may be in it.
    checked.faults += (Fault(Code.PERSONAL_NUMBER, place) for place in sent.long_numbers)
    checked.figures += (
        figure.kept() for indicator, figure in before.items() if indicator not in seen
    )
    said = [figure for figure in checked.figures if figure.change is not Change.KEPT]
    if not said and not checked.faults:
        checked.faults.append(Fault(Code.NOTHING_REPORTED))
    return checked


@dataclass(frozen=True, slots=True)
class _Row:
    row: SentRow
    form: Form
    before: Mapping[str, Figure]
    known: frozenset[str]
    checked: Checked

    def judge(self, seen: dict[str, Cell]) -> None:
        cell = self.row.indicator
        name = cell.raw.strip() if isinstance(cell.raw, str) else shown(cell.raw or "")
        if not name:
            for figure in self.row.figures:
                if not is_empty(figure.raw):
                    self._fault(Code.NO_INDICATOR, figure, "")
            return
        if name in seen:
            other = seen[name].place.cell
            self._fault(Code.TWICE, cell, name, other=other)
            return
        measure = self.form.measures.get(name)
        if measure is None:
            self._not_asked(name)
            return
        seen[name] = cell
        self._figure(name, measure, self._note(name))

    def _not_asked(self, name: str) -> None:
        """Object to an indicator that is not of the form, if anything is said of it."""
        if all(is_empty(cell.raw) and not cell.formula for cell in self.row.figures):
            return
        if name in self.known:
            self._fault(Code.NOT_IN_FORM, self.row.indicator, name)
        else:
            example = self.form.rows[0].indicator
            self._fault(
                Code.UNKNOWN_INDICATOR, self.row.indicator, "", text=shown(name), example=example
            )

    def _note(self, name: str) -> str:
        raw = self.row.note.raw
        note = "" if raw is None else " ".join(str(raw).replace("\x00", " ").split())
        if len(note) > _MOST_NOTE:
            self._fault(Code.LONG_NOTE, self.row.note, name, most=str(_MOST_NOTE))
        return note

    def _figure(self, name: str, measure: Measure, note: str) -> None:
        faults = len(self.checked.faults)
        asked = self.row.figures[:2] if measure.is_ratio else self.row.figures[2:]
        if measure.is_ratio:
            if not is_empty(self.row.value.raw):
                self._fault(Code.VALUE_NOT_ASKED, self.row.value, name)
            ratio = self._ratio(name, measure)
            figure = ratio and Figure(name, *ratio, None, note)
        else:
            for cell in self.row.figures[:2]:
                if not is_empty(cell.raw):
                    self._fault(Code.RATIO_NOT_ASKED, cell, name, unit=measure.unit)
            value = self._value(name, measure)
            figure = None if value is None else Figure(name, None, None, value, note)
        if len(self.checked.faults) > faults:
            return
        before = self.before.get(name)
        if figure is not None:
            self.checked.figures.append(figure.after(before))
        elif before is not None:
            self._fault(Code.WITHDRAWN, asked[0], name, before=before.text)
        elif note:
            self.checked.remarks[name] = note

    def _ratio(self, name: str, measure: Measure) -> tuple[int, int] | None:
        top, bottom = self.row.numerator, self.row.denominator
        counts = {
            "numerator": self._count(top, name, measure.numerator or ""),
            "denominator": self._count(bottom, name, measure.denominator or ""),
        }
        given = [not is_empty(cell.raw) or cell.formula for cell in (top, bottom)]
        if given == [True, False]:
            self._fault(Code.DENOMINATOR_MISSING, bottom, name, merged=bottom.merged)
        elif given == [False, True]:
            self._fault(Code.NUMERATOR_MISSING, top, name, merged=top.merged)
        numerator, denominator = counts["numerator"], counts["denominator"]
        if denominator == 0:
            self._fault(Code.ZERO_DENOMINATOR, bottom, name)
            return None
        if numerator is None or denominator is None:
            return None
        if numerator > denominator:
            both = {
                "numerator": written(Decimal(numerator)),
                "denominator": written(Decimal(denominator)),
            }
            self._fault(Code.ABOVE_DENOMINATOR, top, name, **both)
            return None
        return numerator, denominator

    def _count(self, cell: Cell, name: str, what: str) -> int | None:
        number = self._number(cell, name, whole=True)
        if number is None:
            return None
        value, percent = number
        if percent:
            self._fault(Code.PERCENT_NOT_ASKED, cell, name, what=what)
        elif value != value.to_integral_value():
            self._fault(Code.NOT_WHOLE, cell, name, text=written(value))
        else:
            return int(value)
        return None

    def _value(self, name: str, measure: Measure) -> Decimal | None:
        cell = self.row.value
        number = self._number(cell, name, whole=False)
        if number is None:
            return None
        value, percent = number
        if percent and not measure.percent:
            self._fault(Code.PERCENT_NOT_ASKED, cell, name, what=measure.unit)
            return None
        if measure.percent and value > 100:
            self._fault(Code.OUT_OF_PERCENT, cell, name, text=written(value))
            return None
        return value

    def _number(self, cell: Cell, name: str, *, whole: bool) -> tuple[Decimal, bool] | None:
        """What stands in a cell of figures, from 0 on, and whether as a percentage."""
        if cell.formula:
            self._fault(Code.FORMULA_WITHOUT_VALUE, cell, name)
            return None
        if is_empty(cell.raw):
            return None
        if cell.merged is not None:
            self._fault(Code.MERGED, cell, name, range=cell.merged)
            return None
        try:
            number = read_number(cell.raw, whole=whole and not cell.percent)
            scale = 100 if cell.percent and not number.percent else 1
            value = tidy(number.value * scale)
        except NumberError as error:
            self._fault(error.code, cell, name, **error.values)
            return None
        if value < 0:
            self._fault(Code.NEGATIVE, cell, name, text=written(value))
            return None
        return value, cell.percent or number.percent

    def _fault(self, code: Code, cell: Cell, indicator: str, **values: Any) -> None:
        if values.get("merged"):
            code, values = Code.MERGED, {"range": values["merged"]}
        said = {name: str(value) for name, value in values.items()}
        self.checked.faults.append(Fault(code, cell.place, indicator or None, said))
