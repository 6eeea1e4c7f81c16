"""A sent report is taken whole, or everything that is wrong with it is told."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import SUBJECT_EVENT
from services.ingest.reports.core.events import events
from services.ingest.reports.core.faults import Code, language_of
from services.ingest.reports.core.figures import Change, Figure
from services.ingest.reports.core.form import NoFormError, taken_on
from services.ingest.reports.core.texts import TEXTS
from tests.unit.ingest.reports.invented import (
    AGENCY,
    COMMUNE,
    MONTH,
    PROVINCE,
    RULES,
    YEAR,
    codes,
    judged,
    row,
)

TEAMS, COVERAGE = "nf.community-teams", "dt.soc.5"
BEFORE = {TEAMS: Figure(TEAMS, 12, 14, None)}


def test_figures_and_notes_are_taken() -> None:
    checked = judged(row(TEAMS, 12, 14, note=" hai thôn  mới "), row(COVERAGE, note="chưa có"))
    assert checked.faults == []
    assert checked.figures == [Figure(TEAMS, 12, 14, None, "hai thôn mới")]
    assert checked.remarks == {COVERAGE: "chưa có"}


@pytest.mark.parametrize(
    ("numerator", "denominator", "found"),
    [
        (12, None, [("denominator-missing", "G9")]),
        (None, 14, [("numerator-missing", "F9")]),
        (15, 14, [("above-denominator", "F9")]),
        (0, 0, [("zero-denominator", "G9")]),
        (-1, 14, [("negative", "F9")]),
        (1.5, 14, [("not-whole", "F9")]),
        ("mười", "x", [("not-a-number", "F9"), ("not-a-number", "G9")]),
        ("85%", 100, [("percent-not-asked", "F9")]),
        (date(2026, 10, 12), 14, [("a-date", "F9")]),
        ("1,234", 2000, [("ambiguous-number", "F9")]),
        (1, 10**10, [("too-large", "G9"), ("personal-number", "G9")]),
    ],
)
def test_what_is_wrong_with_a_ratio_is_told_by_its_cell(
    numerator: Any, denominator: Any, found: list[tuple[str, str]]
) -> None:
    assert codes(judged(row(TEAMS, numerator, denominator))) == found


@pytest.mark.parametrize(
    ("indicator", "value", "found"),
    [
        ("dt.eco.1", 14.2, []),
        ("dt.eco.1", "14,2 %", []),
        ("dt.eco.1", 100.01, [("out-of-percent", "I9")]),
        ("dt.eco.1", -1, [("negative", "I9")]),
        ("dt.eco.2", 104.5, []),
        ("dt.eco.2", "5%", [("percent-not-asked", "I9")]),
        ("dt.eco.2", "1.234", [("ambiguous-number", "I9")]),
    ],
)
def test_values_are_bounded_by_their_unit(
    indicator: str, value: Any, found: list[tuple[str, str]]
) -> None:
    assert codes(judged(row(indicator, value=value), form=YEAR)) == found


def test_a_cell_shown_as_a_percentage_is_one() -> None:
    sent = row("dt.eco.1", value=0.142)
    shown = replace(sent, value=replace(sent.value, percent=True))
    checked = judged(shown, form=YEAR)
    assert checked.faults == []
    assert checked.figures[0].value == Decimal("14.2")


def test_formulas_without_results_and_merged_cells_are_told() -> None:
    sent = row(TEAMS, None, 14)
    formula = replace(sent, numerator=replace(sent.numerator, formula=True))
    assert codes(judged(formula)) == [("formula-without-value", "F9")]
    sent = row(TEAMS, 12, None)
    merged = replace(sent, denominator=replace(sent.denominator, merged="F9:G9"))
    assert codes(judged(merged)) == [("merged", "G9")]


def test_a_value_for_a_ratio_and_a_ratio_for_a_value_are_told() -> None:
    assert codes(judged(row(TEAMS, value=85))) == [("value-not-asked", "I9")]
    assert codes(judged(row("dt.eco.2", 1, 2), form=YEAR)) == [
        ("ratio-not-asked", "F9"),
        ("ratio-not-asked", "G9"),
    ]


def test_rows_that_are_not_of_the_form_are_told_if_they_say_anything() -> None:
    found = judged(
        row(TEAMS, 12, 14, line=9),
        row(TEAMS, 12, 14, line=10),
        row("dt.gov.1", 1, 2, line=11),
        row("khong-co", 1, 2, line=12),
        row(None, 1, 2, line=13),
        row("dt.gov.5", line=14),
        row(None, line=15),
    )
    assert codes(found) == [
        ("twice", "B10"),
        ("not-in-form", "B11"),
        ("unknown-indicator", "B12"),
        ("no-indicator", "F13"),
        ("no-indicator", "G13"),
    ]


def test_an_empty_report_is_none() -> None:
    assert codes(judged(row(TEAMS), row(COVERAGE))) == [("nothing-reported", "")]
    assert codes(judged(row(COVERAGE, note="chưa có số liệu"))) == [("nothing-reported", "")]
    assert codes(judged(before=BEFORE)) == [("nothing-reported", "")]


def test_all_faults_are_told_at_once() -> None:
    found = judged(row(TEAMS, 15, 14, line=9), row(COVERAGE, "x", "y", line=10))
    assert [place for _, place in codes(found)] == ["F9", "F10", "G10"]


def test_a_long_number_is_refused_wherever_it_stands_and_never_repeated() -> None:
    found = judged(row(TEAMS, 12, 14, note="liên hệ CCCD 001 234 567 890"))
    assert codes(found) == [("personal-number", "M9")]
    found = judged(row("CCCD 001234567890", 1, 2))
    for fault in found.faults:
        for language in ("vi", "en"):
            said = fault.message(language) + fault.advice(language)
            assert "1234567890" not in said


def test_a_note_has_a_length() -> None:
    assert codes(judged(row(TEAMS, 12, 14, note="x" * 501))) == [("long-note", "M9")]


def test_a_correction_tells_what_is_new_changed_unchanged_and_kept() -> None:
    other = Figure("dt.gov.1", 1, 2, None)
    before = BEFORE | {"dt.gov.1": other}
    checked = judged(row(TEAMS, 12, 14), row(COVERAGE, 1, 2), before=before)
    assert {figure.indicator: figure.change for figure in checked.figures} == {
        TEAMS: Change.UNCHANGED,
        COVERAGE: Change.NEW,
        "dt.gov.1": Change.KEPT,
    }
    [changed] = judged(row(TEAMS, 13, 14), before=BEFORE).figures
    assert changed.change is Change.CHANGED


def test_an_empty_row_cannot_withdraw_what_was_reported() -> None:
    found = judged(row(TEAMS), row(COVERAGE, 1, 2), before=BEFORE)
    assert codes(found) == [("withdrawn", "F9")]
    assert "12 / 14" in found.faults[0].message("vi")


def test_every_fault_has_both_languages() -> None:
    assert set(TEXTS) == {code.value for code in Code}
    for texts in TEXTS.values():
        assert set(texts) == {"vi", "en"}


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en;q=0.3, vi;q=0.7", "vi"),
        ("fr, en;q=0.5", "en"),
        ("en;q=0", "vi"),
        ("en;q=abc", "vi"),
    ],
)
def test_the_language_is_the_readers(wish: str | None, language: str) -> None:
    assert language_of(wish) == language


@pytest.mark.parametrize(
    ("area", "period", "code"),
    [
        ("2025:99999", "2026-10", Code.UNKNOWN_REPORTER),
        ("agency:khong-co", "2026-10", Code.UNKNOWN_REPORTER),
        (COMMUNE, "2026-13", Code.BAD_PERIOD),
        (PROVINCE, "2026-H1", Code.NOT_ASKED),
        (AGENCY, "2026-Q3", Code.NOT_ASKED),
        ("legacy:04252", "2026-10", Code.UNIT_ENDED),
    ],
)
def test_where_there_is_no_form_it_says_why(area: str, period: str, code: Code) -> None:
    with pytest.raises(NoFormError) as caught:
        RULES.form(area, period)
    assert caught.value.fault.code is code


def test_the_unit_that_has_taken_over_is_named() -> None:
    with pytest.raises(NoFormError) as caught:
        RULES.form("legacy:04252", "2026-10")
    assert "2025:04252" in caught.value.fault.advice("vi")


def test_agencies_report_what_is_theirs_of_the_province() -> None:
    form = RULES.form(AGENCY, "2026-10")
    assert form.reporter.title == "Sở Y tế"
    assert form.reporter.subject == AGENCY
    assert [one.indicator for one in form.rows] == ["dt.gov.1", "dt.gov.5", "dt.gov.7", "dt.gov.9"]


def test_a_period_is_taken_from_its_opening_to_its_closing() -> None:
    ahead = taken_on(MONTH, date(2026, 10, 31), also_late=True)
    assert ahead is not None
    assert ahead.code is Code.NOT_OPEN
    assert "1/11/2026" in ahead.advice("vi")
    assert taken_on(MONTH, date(2026, 11, 1), also_late=False) is None
    assert taken_on(MONTH, date(2026, 11, 25), also_late=False) is None
    closed = taken_on(MONTH, date(2026, 11, 26), also_late=False)
    assert closed is not None
    assert closed.code is Code.CLOSED
    assert taken_on(MONTH, date(2026, 11, 26), also_late=True) is None


@given(
    st.lists(
        st.tuples(st.sampled_from([TEAMS, COVERAGE]), st.integers(0, 500), st.integers(1, 500)),
        max_size=4,
    )
)
def test_what_is_taken_makes_events_of_the_contract(sent: list[tuple[str, int, int]]) -> None:
    checked = judged(*(row(*one, line=9 + n) for n, one in enumerate(sent)))
    if checked.faults:
        return
    moment = datetime(2026, 11, 3, tzinfo=UTC)
    made = events(MONTH.reporter, MONTH.period, 2, moment, checked.figures)
    assert len(made) == len(checked.figures) == len({event["id"] for event in made})
    for event in made:
        read = SUBJECT_EVENT.validate_python(event)
        assert read.subject == f"area:{COMMUNE}"
        assert len(read.id) <= 128


def test_kept_figures_have_no_event_and_values_are_numbers() -> None:
    figures = [
        Figure("dt.eco.1", None, None, Decimal("14.20")),
        Figure("dt.eco.2", None, None, Decimal(105), change=Change.UNCHANGED),
        Figure("dt.eco.6", None, None, Decimal(1), change=Change.KEPT),
    ]
    made = events(YEAR.reporter, YEAR.period, 1, datetime(2027, 1, 3, tzinfo=UTC), figures)
    assert [event["data"]["value"] for event in made] == [14.2, 105]
