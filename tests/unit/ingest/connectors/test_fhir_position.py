"""How far a type of resources has been read, and what is remembered near that point."""

import json

from services.ingest.connectors.fhir.patients import patient_id
from services.ingest.connectors.fhir.position import Position

EARLY = "2026-03-01T08:00:00.000+07:00"
LATE = "2026-03-01T01:10:00.5Z"


def test_a_round_starts_behind_the_latest_stamp() -> None:
    position = Position().after({"a": EARLY, "b": LATE}, LATE, 120)
    assert position.reached == LATE
    assert position.start(120) == "2026-03-01T01:08:00.500Z"
    assert Position().start(120) is None


def test_what_was_taken_near_the_latest_stamp_is_known_and_older_things_are_forgotten() -> None:
    position = Position().after({"a": EARLY}, EARLY, 120).after({"b": LATE}, LATE, 120)
    assert position.has("b")
    assert not position.has("a")


def test_it_never_goes_back() -> None:
    position = Position().after({}, LATE, 120).after({"a": EARLY}, EARLY, 3600)
    assert position.reached == LATE
    assert position.has("a")


def test_an_unfinished_reading_leaves_it_where_it_is() -> None:
    position = Position().after({"a": EARLY}, None, 120)
    assert position.reached is None
    assert position.has("a")


def test_it_goes_through_json() -> None:
    position = Position().after({"a": LATE}, LATE, 120)
    assert Position.of(json.loads(json.dumps(position.as_json()))) == position
    assert Position.of(None) == Position()


def test_what_is_remembered_is_bounded() -> None:
    taken = {f"{number}": f"2026-03-01T01:10:00.{number:06d}Z" for number in range(3_000)}
    position = Position().after(taken, "2026-03-01T01:10:01Z", 120)
    assert len(position.recent) == 2_000
    assert position.has("2999")


def test_only_references_to_patients_of_the_server_are_followed() -> None:
    base = "https://fhir.example/fhir"
    assert patient_id({"reference": "Patient/a-1.b"}, base) == "a-1.b"
    assert patient_id({"reference": f"{base}/Patient/7/_history/2"}, base) == "7"
    for other in (
        "https://elsewhere.example/fhir/Patient/7",
        "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        "Practitioner/7",
        "Patient/7,8",
        "#p",
        "",
    ):
        assert patient_id({"reference": other}, base) is None
    assert patient_id({}, base) is None
