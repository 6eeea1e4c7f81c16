"""Forms of the shipped calendar, and reports that people might send."""

from typing import Any

from contracts import areas, catalogue, forms, reporting
from services.ingest.reports.core.checking import Checked, check
from services.ingest.reports.core.faults import Place
from services.ingest.reports.core.figures import Figure
from services.ingest.reports.core.form import Form, Rules
from services.ingest.reports.core.personal import long_numbers
from services.ingest.reports.core.sent import Cell, Sent, SentRow

CATALOGUE = catalogue.load()
KNOWN = frozenset(CATALOGUE.by_id)
RULES = Rules(
    areas=areas.load(),
    catalogue=CATALOGUE,
    calendar=reporting.load(None, CATALOGUE),
    forms=forms.load(None, CATALOGUE),
)
COMMUNE = "2025:04252"
PROVINCE = "2025:15"
AGENCY = "agency:so-y-te"

#: Two ratios: dt.soc.5 and nf.community-teams.
MONTH = RULES.form(COMMUNE, "2026-10")
#: Three values, two of them in percent.
YEAR = RULES.form(PROVINCE, "2026")


def row(
    indicator: Any,
    numerator: Any = None,
    denominator: Any = None,
    value: Any = None,
    note: Any = None,
    *,
    line: int = 9,
) -> SentRow:
    cells = (indicator, numerator, denominator, value, note)
    return SentRow(
        *(
            Cell(raw, Place("Báo cáo", f"{letter}{line}"))
            for raw, letter in zip(cells, "BFGIM", strict=True)
        )
    )


def judged(*rows: SentRow, form: Form = MONTH, before: dict[str, Figure] | None = None) -> Checked:
    texts = (cell for one in rows for cell in (one.indicator, *one.figures, one.note) if cell.raw)
    return check(Sent(None, None, rows, long_numbers(texts)), form, before or {}, KNOWN)


def codes(checked: Checked) -> list[tuple[str, str]]:
    return [(fault.code.value, fault.place.cell if fault.place else "") for fault in checked.faults]
