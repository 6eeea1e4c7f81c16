"""Every kind of connector knows its own cursors, and tells another kind's clearly."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import pytest

from services.ingest.connectors.connector import Cursor, SourceError, position_in
from services.ingest.connectors.fhir import position as fhir
from services.ingest.connectors.files.connector import Place
from services.ingest.connectors.kafka import positions as kafka
from services.ingest.connectors.postgres import position as postgres
from services.ingest.connectors.rest import position as rest
from services.ingest.connectors.table import KINDS

CURSORS: Final[Mapping[str, list[Cursor]]] = {
    "fhir": [
        {},
        {"Encounter": {"reached": None, "recent": {}}},
        {"Patient": {"reached": "2026-03-01T01:10:00Z", "recent": {"a1": 1}}, "caught_up": 2},
        {"Patient": {"reached": None, "recent": {}}, "filled": True},
        {"bulk": {"status": "https://fhir.example/status/1", "file": 1, "line": 500}},
        {"bulk": {"file": "1.ndjson", "offset": 7}},
        {"bulk": {"failed": 500}},
        {"bulk": {}},
    ],
    "files": [{"file": "a.csv", "identity": "0a", "line": 500, "ended": False}],
    "kafka": [{"0": 1_042, "1": 0}, {"11": 7}],
    "postgres": [
        {"identity": "1.1", "horizon": 3},
        {
            "identity": "1.1",
            "horizon": 3,
            "read_at": "2026-03-01T01:10:00Z",
            "under_way": {"horizon": 9, "began": "2026-03-01T01:10:00Z", "filenode": 1},
        },
    ],
    "rest": [
        {"since": "2026-03-01T01:10:00Z", "known": {"a1": 1_700_000_000}},
        {"began": "2026-03-01T01:10:00Z", "at": {"number": 1, "offset": 100}},
    ],
}
READERS: Final[Mapping[str, Callable[[Cursor], Any]]] = {
    "fhir": fhir.progress_of,
    "files": partial(position_in, form=Place, kind="files"),
    "kafka": kafka.offsets_of,
    "postgres": postgres.position_of,
    "rest": partial(rest.position_of, start=None),
}


def test_all_kinds_are_here() -> None:
    assert set(CURSORS) == set(READERS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_its_own_cursors_are_read(kind: str) -> None:
    for cursor in CURSORS[kind]:
        READERS[kind](cursor)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_those_of_other_kinds_are_refused(kind: str) -> None:
    others = [cursor for other in set(KINDS) - {kind} for cursor in CURSORS[other] if cursor]
    for cursor in [*others, [1], "a", 7]:
        with pytest.raises(SourceError, match=f"not one of a {kind} connector; give the connector"):
            READERS[kind](cursor)


@pytest.mark.parametrize("cursor", CURSORS["fhir"])
def test_progress_of_fhir_is_what_was_kept(cursor: Cursor) -> None:
    assert fhir.progress_of(cursor) == cursor
    assert fhir.progress_of(None) == {}
