"""Rows of a table become events in edge form, or an objection that repeats no cell."""

from collections.abc import Sequence
from typing import Any

import pytest

from contracts.events import EVENT_MODELS
from contracts.examples import edge_example
from contracts.reasons import Reason
from services.ingest.core.blame import field_at_fault
from services.ingest.core.cells import Cell, CellError, to_number
from services.ingest.core.rows import Columns, Row, TableError, attributes_of, row_of, to_event
from services.ingest.core.verdicts import ObjectionError

SOURCE = "urn:nhipso:source:vneid"
CITIZEN = "citizen:000123456789"
HEADING = ("type", "subject", "time", "id", "source", "level", "activated")
FIT: Sequence[Cell] = (
    "identity.eid-changed.v1",
    CITIZEN,
    "2026-03-01T08:30:00+07:00",
    "e-1",
    SOURCE,
    "2",
    "true",
)


def event_id(said: bytes) -> str:
    return f"keyed-{hash(said)}"


def row(heading: Sequence[Cell] = HEADING, cells: Sequence[Cell] = FIT) -> Row:
    found = Columns(heading).row(2, cells)
    assert found is not None
    return found


def event(
    cells: dict[str, Cell], sources: Sequence[str] = (SOURCE,), without: Sequence[str] = ()
) -> dict[str, Any]:
    held = dict(zip(HEADING, FIT, strict=True)) | cells
    kept = {name: cell for name, cell in held.items() if name not in without}
    return to_event(row(list(kept), list(kept.values())), sources=sources, event_id=event_id)


def objection(cells: dict[str, Cell], **kwargs: Any) -> ObjectionError:
    with pytest.raises(ObjectionError) as caught:
        event(cells, **kwargs)
    assert "123456789" not in caught.value.detail
    return caught.value


def test_a_row_becomes_an_event() -> None:
    assert event({}) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": SOURCE,
        "type": "vn.nhipso.identity.eid-changed.v1",
        "subject": CITIZEN,
        "time": "2026-03-01T08:30:00+07:00",
        "datacontenttype": "application/json",
        "data": {"level": 2, "activated": True},
    }


@pytest.mark.parametrize("event_type", EVENT_MODELS)
def test_every_type_of_the_contract_can_be_written_as_texts(event_type: str) -> None:
    example = edge_example(event_type)
    texts = {
        f"data.{name}": ("" if value is None else str(value))
        for name, value in example["data"].items()
    }
    attributes = {name: example[name] for name in ("type", "subject", "time", "id", "source")}
    held = {**attributes, **texts}
    made = to_event(
        row(list(held), list(held.values())), sources=[example["source"]], event_id=event_id
    )
    assert made["data"] == example["data"]
    EVENT_MODELS[event_type].model_validate(made)


def test_headings_may_have_the_prefix_another_case_and_remarks() -> None:
    made = to_event(
        row(
            ("Subject", " TYPE ", "time", "data.level", "Activated", "# ghi chú", ""),
            (CITIZEN, "vn.nhipso.identity.eid-changed.v1", "2026-03-01", 2, 1, "x", "y"),
        ),
        sources=[SOURCE],
        event_id=event_id,
    )
    assert made["data"] == {"level": 2, "activated": True}
    assert made["source"] == SOURCE


@pytest.mark.parametrize(
    ("heading", "complaint"),
    [
        (("type", "subject"), "no column time"),
        (("type", "subject", "time", "level", "data.level"), "two columns are called level"),
        (("type", "subject", "time", "levell"), "column 4 (levell)"),
        (("type", "subject", "time", "citizen:000123456789"), "column 4 (at that place)"),
        (("type", "subject", "time", "000123456789"), "column 4 (***)"),
    ],
)
def test_a_heading_that_cannot_be_used_is_refused(heading: Sequence[Cell], complaint: str) -> None:
    with pytest.raises(TableError) as caught:
        Columns(heading)
    assert complaint in str(caught.value)
    assert "000123456789" not in str(caught.value)


def test_a_row_without_a_cell_is_none() -> None:
    assert Columns(HEADING).row(7, ["", None, "  "]) is None


def test_the_same_content_has_the_same_id() -> None:
    first, again, other = (event({"level": level}, without=["id"]) for level in ("2", 2, "1"))
    assert first == again
    assert first["id"] != other["id"]


@pytest.mark.parametrize(
    ("cell", "read"), [("1200.5", 1200.5), ("1200.0", 1200), (3, 3), (1e-7, 1e-7), ("-7", -7)]
)
def test_forms_of_a_number(cell: Cell, read: float) -> None:
    made = to_number(cell)
    assert (made, type(made)) == (read, type(read))


@pytest.mark.parametrize("cell", ["1,200", "1.200,5", "1e5", "", True, "١"])
def test_what_is_no_number(cell: Cell) -> None:
    with pytest.raises(CellError):
        to_number(cell)


@pytest.mark.parametrize(
    ("cell", "read"),
    [("true", True), ("FALSE", False), ("1", True), (0, False), ("Có", True), ("không", False)],
)
def test_words_for_yes_and_no(cell: Cell, read: bool) -> None:
    assert event({"activated": cell})["data"]["activated"] is read


def test_words_may_be_written_in_parts() -> None:
    assert event({"activated": "co\u0301"})["data"]["activated"] is True


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+07:00"),
        ("2026-03-01 08:30", "2026-03-01T08:30:00+07:00"),
        ("2026-03-01T08:30:15.250", "2026-03-01T08:30:15.250000+07:00"),
        ("1/3/2026 8:05", "2026-03-01T08:05:00+07:00"),
        ("01/03/2026", "2026-03-01T00:00:00+07:00"),
        ("2026-03-01 08:30:00Z", "2026-03-01T08:30:00Z"),
    ],
)
def test_forms_of_a_time(cell: str, read: str) -> None:
    assert event({"time": cell})["time"] == read


@pytest.mark.parametrize("cell", ["1990-05-17", "17/05/1990", "17/5/1990", "1990-05-17T00:00:00"])
def test_forms_of_a_day(cell: str) -> None:
    made = to_event(
        row(
            ("type", "subject", "time", "birth_date", "area"),
            ("identity.citizen-registered.v1", CITIZEN, "2026-03-01", cell, "02647"),
        ),
        sources=[SOURCE],
        event_id=event_id,
    )
    assert made["data"]["birth_date"] == "1990-05-17"


@pytest.mark.parametrize("cell", [2647, "2647"])
def test_a_code_that_has_lost_its_zeros_is_told_so(cell: Cell) -> None:
    with pytest.raises(ObjectionError) as caught:
        to_event(
            row(
                ("type", "subject", "time", "area"),
                ("identity.residence-changed.v1", CITIZEN, "2026-03-01", cell),
            ),
            sources=[SOURCE],
            event_id=event_id,
        )
    assert "column area" in caught.value.detail
    assert "leading zeros are gone" in caught.value.detail


@pytest.mark.parametrize(
    ("cells", "reason", "told"),
    [
        ({"level": "two"}, Reason.BAD_DATA, "column level: must be a whole number"),
        ({"level": "1.000"}, Reason.BAD_DATA, "column level"),
        ({"level": 1.5}, Reason.BAD_DATA, "column level"),
        ({"level": True}, Reason.BAD_DATA, "column level"),
        ({"activated": "maybe"}, Reason.BAD_DATA, "column activated: must be yes or no"),
        ({"time": "31/02/2026"}, Reason.BAD_TIME, "no day of the calendar"),
        ({"time": "2026-03-01 25:00"}, Reason.BAD_TIME, "no time of the day"),
        ({"time": 46082.5}, Reason.BAD_TIME, "format the column as a date"),
        ({"time": "03-01-2026"}, Reason.BAD_TIME, "column time"),
        ({"subject": 123456789012345678}, Reason.BAD_SUBJECT, "15 digits"),
        ({"subject": 1.5}, Reason.BAD_SUBJECT, "column subject: must be a text"),
        ({"subject": ""}, Reason.BAD_SUBJECT, "column subject: is empty"),
        ({"type": "identity.eid"}, Reason.UNKNOWN_TYPE, "column type"),
        ({"type": ""}, Reason.BAD_ENVELOPE, "column type: is empty"),
    ],
)
def test_a_cell_that_does_not_fit_is_named_by_its_column(
    cells: dict[str, Cell], reason: Reason, told: str
) -> None:
    refused = objection(cells)
    assert refused.reason is reason
    assert told in refused.detail
    assert field_at_fault(refused.reason, refused.detail) == next(iter(cells))


def test_a_row_needs_a_source_when_the_caller_has_several() -> None:
    refused = objection({}, sources=["urn:a", "urn:b"], without=["source"])
    assert refused.detail == "column source: is empty; write as which source: urn:a, urn:b"


def test_more_cells_than_headings_are_objected_to() -> None:
    with pytest.raises(ObjectionError, match="more cells than the heading"):
        to_event(row(cells=[*FIT, "more"]), sources=[SOURCE], event_id=event_id)


def test_cells_of_other_types_are_left_to_be_dropped_with_all_unlisted_fields() -> None:
    made = event({"smartphone": "true"})
    assert made["data"] == {"level": 2, "activated": True, "smartphone": "true"}


def test_a_row_is_kept_as_json_and_read_again() -> None:
    kept = row()
    assert row_of(kept.original()) == kept
    for other in (b"", b"[]", b'{"line": "x", "cells": {}}', b"\xff"):
        with pytest.raises(ObjectionError):
            row_of(other)


def test_a_refusal_can_name_what_could_be_read() -> None:
    found = attributes_of(row(cells=["identity.eid-changed.v1", CITIZEN, "?", 7]), [SOURCE])
    assert (found["type"], found["subject"], found["source"]) == (
        "vn.nhipso.identity.eid-changed.v1",
        CITIZEN,
        SOURCE,
    )


@pytest.mark.parametrize(
    ("reason", "detail", "field"),
    [
        (Reason.BAD_DATA, "data.level: Field required; data.activated: x", "level, activated"),
        (Reason.BAD_DATA, "data: Value error, give numerator", "data"),
        (Reason.SOURCE_NOT_ALLOWED, "this token may send as urn:x alone", "source"),
        (Reason.SOURCE_NOT_ALLOWED, "this token may not send events of the domain x", "type"),
        (Reason.UNKNOWN_AREA, "no commune bore the code 1 on 2", "area"),
        (Reason.UNKNOWN_AREA, "subject names no known area: x", "subject"),
        (Reason.BAD_SUBJECT, "the subject of this type must be of kind citizen", "subject"),
        (Reason.BAD_TIME, "time lies before 2000", "time"),
        (Reason.BAD_ENVELOPE, "id must be a text", "id"),
        (Reason.PERSONAL_DATA, "data.reason holds a number", "reason"),
        (Reason.TOO_LARGE, "an event may have 10 bytes", None),
    ],
)
def test_which_field_a_refusal_is_about(reason: Reason, detail: str, field: str | None) -> None:
    assert field_at_fault(reason, detail) == field
