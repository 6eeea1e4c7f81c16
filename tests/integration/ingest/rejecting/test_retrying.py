"""Rejections are taken again, as whose they were and through the mapping of today."""

import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from contracts.rejected import MAX_SEALED_BYTES
from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from services.ingest.connectors.connector import (
    Connector,
    Cursor,
    Event,
    Kind,
    Page,
    RecordMapping,
    SourceError,
    SourceRecord,
    Surroundings,
    UnmappableError,
)
from services.ingest.core.rows import Row
from services.ingest.settings import ConnectorSettings, IngestSettings
from tests.contract.ingest.service import Keys, running, tail
from tests.integration.ingest.rejecting.desk import (
    NUMBER,
    Desk,
    encoded,
    new_source,
    publish,
    refusal,
)


async def _kept(desk: Desk, kafka: str, original: bytes, **changes: Any) -> str:
    """Let a rejection be there that an older build has made; returns its id."""
    made = refusal(desk.ingest.keys, desk.source, original, **changes)
    await publish(kafka, made.model_dump_json().encode())
    await desk.listed(1, event_id=made.event_id or "")
    return str(made.id)


async def test_a_retry_that_is_accepted_publishes_and_closes(desk: Desk, kafka: str) -> None:
    event = desk.event()
    rejection = await _kept(desk, kafka, encoded(event))
    async with tail(SUBJECT_EVENTS, kafka) as accepted, tail(REJECTED_EVENTS, kafka) as refused:
        status, answer = await desk.do(f"/v1/rejections/{rejection}/retry")
        assert (status, answer["outcome"]) == (200, "accepted")
        [record] = await accepted.take(1)
        await refused.take(0)
    assert json.loads(record.value)["id"] == event["id"]
    assert NUMBER not in record.value.decode()
    shown = await desk.state(rejection)
    assert (shown["state"], shown["attempts"]) == ("accepted", 1)
    [work] = shown["works"]
    assert (work["done_by"], work["outcome"]) == ("an operator", "accepted")
    # Done is done.
    status, problem = await desk.do(f"/v1/rejections/{rejection}/retry")
    assert status == 409
    assert "already" in problem["detail"]


async def test_a_retry_that_is_refused_again_is_told_on_the_same_rejection(
    desk: Desk, kafka: str
) -> None:
    await desk.refused(desk.bad())
    [found] = await desk.listed()
    # It has another fault as well, which comes first in an older order of rules.
    other = await _kept(desk, kafka, encoded(desk.bad(time="soon")), event_id="e-2")
    async with tail(SUBJECT_EVENTS, kafka) as accepted, tail(REJECTED_EVENTS, kafka) as refused:
        for rejection, reason in ((found["id"], "bad-data"), (other, "bad-time")):
            status, answer = await desk.do(f"/v1/rejections/{rejection}/retry")
            assert (status, answer["outcome"], answer["reason"]) == (200, "refused", reason)
        await accepted.take(0)
        await refused.take(0)
    shown = await desk.state(other)
    assert (shown["state"], shown["attempts"]) == ("open", 1)
    assert (shown["reason"], shown["first_reason"]) == ("bad-time", "bad-data")
    assert [work["reason"] for work in shown["works"]] == ["bad-time"]
    await desk.listed(2)


async def test_it_is_taken_as_its_caller_and_as_nobody_else(desk: Desk, kafka: str) -> None:
    event = encoded(desk.event())
    without = await _kept(desk, kafka, event, caller_domains=["payment"], event_id="e-1")
    foreign = await _kept(desk, kafka, event, caller_sources=[new_source()], event_id="e-2")
    for rejection in (without, foreign):
        _, answer = await desk.do(f"/v1/rejections/{rejection}/retry")
        assert (answer["outcome"], answer["reason"]) == ("refused", "source-not-allowed")
    # The operator adds what was missing.
    source = {"source": desk.source, "domains": ["identity"], "title": "A", "contact": "a@b.vn"}
    status, _ = await desk.do("/v1/sources", source)
    assert status in (200, 201)
    _, answer = await desk.do(f"/v1/rejections/{without}/retry")
    assert answer["outcome"] == "accepted"
    _, answer = await desk.do(f"/v1/rejections/{foreign}/retry")
    assert answer["outcome"] == "refused"


async def test_a_row_of_a_file_is_read_as_a_row(desk: Desk, kafka: str) -> None:
    cells = {
        "type": "identity.eid-changed.v1",
        "subject": f"citizen:{NUMBER}",
        "time": "2026-03-01T08:30:00+07:00",
        "data.level": "2",
        "data.activated": "true",
    }
    origin = {"via": "file", "file": "march.csv", "line": 2}
    rejection = await _kept(desk, kafka, Row(2, cells).original(), origin=origin)
    shown = await desk.state(rejection)
    assert shown["original"]["cells"]["data.level"] == "2"
    assert NUMBER not in json.dumps(shown)
    _, answer = await desk.do(f"/v1/rejections/{rejection}/retry")
    assert answer == {"id": rejection, "outcome": "accepted", "reason": None, "detail": ""}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {
                "stage": "scoring",
                "origin": {"via": "topic", "topic": SUBJECT_EVENTS, "partition": 0, "offset": 1},
            },
            "scoring",
        ),
        ({"original_bytes": MAX_SEALED_BYTES + 1}, "512 KiB"),
        ({"sealed": "a.b.c.d.e"}, "NHIPSO_REJECTIONS__KEY_FILE"),
        (
            {"origin": {"via": "connector", "connector": "gone", "place": "row 1"}},
            "no connector gone",
        ),
    ],
)
async def test_what_cannot_be_retried_says_why(
    desk: Desk, kafka: str, changes: dict[str, Any], says: str
) -> None:
    rejection = await _kept(desk, kafka, encoded(desk.event()), **changes)
    status, problem = await desk.do(f"/v1/rejections/{rejection}/retry")
    assert status == 409
    assert says in problem["detail"]
    shown = await desk.state(rejection)
    assert (shown["state"], shown["attempts"], shown["works"]) == ("open", 0, [])
    status, answer = await desk.do("/v1/rejections/retry", {"filter": {"source": desk.source}})
    assert (status, answer["impossible"]) == (200, 1)


async def test_many_are_retried_a_bounded_number_at_a_time(desk: Desk, kafka: str) -> None:
    fit = [refusal(desk.ingest.keys, desk.source, encoded(desk.event())) for _ in range(7)]
    bad = [refusal(desk.ingest.keys, desk.source, encoded(desk.bad())) for _ in range(5)]
    await publish(kafka, *(one.model_dump_json().encode() for one in (*fit, *bad)))
    await desk.listed(12)
    counted = {"accepted": 0, "refused": 0, "impossible": 0}
    query: dict[str, Any] = {"filter": {"source": desk.source, "reason": "bad-data"}, "limit": 5}
    rounds = 0
    while True:
        status, answer = await desk.do("/v1/rejections/retry", query)
        assert status == 200
        assert len(answer["results"]) <= 5
        rounds += 1
        for outcome in counted:
            counted[outcome] += answer[outcome]
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    assert (rounds, counted) == (3, {"accepted": 7, "refused": 5, "impossible": 0})
    await desk.listed(5, state="open")
    await desk.listed(7, state="accepted")
    status, _ = await desk.do("/v1/rejections/retry", {"filter": {"state": "accepted"}})
    assert status == 422


async def test_a_dismissed_one_is_open_no_more_and_says_who_and_why(desk: Desk) -> None:
    await desk.refused(desk.bad())
    [found] = await desk.listed()
    url = f"/v1/rejections/{found['id']}/dismissal"
    assert (await desk.do(url, {"note": " "}))[0] == 422
    assert (await desk.do(url, {"note": f"a test of {NUMBER}"}))[0] == 200
    shown = await desk.state(found["id"])
    assert shown["state"] == "dismissed"
    [work] = shown["works"]
    assert (work["outcome"], work["note"], work["done_by"]) == (
        "dismissed",
        "a test of ***",
        "an operator",
    )
    assert (await desk.do(url, {"note": "again"}))[0] == 409
    _, answer = await desk.do("/v1/rejections/retry", {"filter": {"source": desk.source}})
    assert answer["results"] == []


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    assert (await desk.get(f"/v1/rejections/{nobody}"))[0] == 404
    assert (await desk.do(f"/v1/rejections/{nobody}/retry"))[0] == 404
    assert (await desk.do(f"/v1/rejections/{nobody}/dismissal", {"note": "x"}))[0] == 404


class _Config(BaseModel):
    """Which field of a row is the level."""

    field: str
    answers: bool
    household: bool = False


class _Rows:
    """A connector with one record."""

    def __init__(self, config: _Config, surroundings: Surroundings) -> None:
        self.map = _mapping(config, surroundings)

    async def read(self, cursor: Cursor | None) -> Page:
        row = encoded({"cccd": NUMBER, "muc": 2, "ho": "HK-77", "key": secrets.token_hex(4)})
        records = [SourceRecord("row 1", row)] if cursor is None else []
        return Page(records, 1, is_last=True)

    async def close(self) -> None:
        """Nothing is open."""


def _mapping(config: _Config, surroundings: Surroundings) -> RecordMapping:
    def events(original: bytes) -> Sequence[Event]:
        row = json.loads(original)
        if config.field not in row:
            raise UnmappableError(f"the row has no field {config.field}")
        return [
            {
                "specversion": "1.0",
                "id": row["key"],
                "source": surroundings.source,
                "type": "vn.nhipso.identity.eid-changed.v1",
                "subject": f"household:{row['ho']}"
                if config.household
                else f"citizen:{row['cccd']}",
                "time": "2026-03-01T08:30:00+07:00",
                "data": {"level": row[config.field], "activated": True},
            }
        ]

    return events


async def _open(config: _Config, surroundings: Surroundings) -> Connector:
    if not config.answers:
        raise SourceError("the source does not answer; is it there?")
    return _Rows(config, surroundings)


Configure = Callable[..., IngestSettings]


@pytest.fixture
def configure(
    settings: IngestSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Configure:
    """Settings with one connector, described anew each time."""
    file = tmp_path / "connectors.yaml"
    source = new_source()

    def write(*, has_mapping: bool, **config: Any) -> IngestSettings:
        kind = Kind(_Config, _open, mapping=_mapping if has_mapping else None)
        monkeypatch.setattr("services.ingest.app.KINDS", {"rows": kind})
        entry = {
            "name": "rows",
            "kind": "rows",
            "source": source,
            "domains": ["identity"],
            "interval_seconds": 0.2,
            "config": config,
        }
        file.write_text(yaml.safe_dump({"connectors": [entry]}), encoding="utf-8")
        return settings.model_copy(update={"connectors": ConnectorSettings(file=file)})

    return write


def _source(settings: IngestSettings) -> str:
    assert settings.connectors.file is not None
    source: str = yaml.safe_load(settings.connectors.file.read_text())["connectors"][0]["source"]
    return source


@pytest.mark.parametrize("has_mapping", [True, False])
async def test_a_mended_mapping_is_enough(
    configure: Configure, keys: Keys, kafka: str, has_mapping: bool
) -> None:
    settings = configure(field="level", answers=True, has_mapping=has_mapping)
    source = _source(settings)
    async with running(settings, keys) as ingest:
        desk = Desk(ingest, source)
        [found] = await desk.listed(1, connector="rows", via="connector")
        assert "no field level" in found["detail"]
        shown = await desk.state(found["id"])
        assert shown["original"]["cccd"] == "***"
        assert shown["original"]["muc"] == 2
        _, answer = await desk.do(f"/v1/rejections/{found['id']}/retry")
        assert (answer["outcome"], answer["reason"]) == ("refused", "bad-data")
    # The mapping is mended; with one of its own the kind need not even reach its source.
    mended = configure(field="muc", answers=not has_mapping, has_mapping=has_mapping)
    async with running(mended, keys) as ingest, tail(SUBJECT_EVENTS, kafka) as accepted:
        desk = Desk(ingest, source)
        _, answer = await desk.do(f"/v1/rejections/{found['id']}/retry")
        assert answer["outcome"] == "accepted"
        [record] = await accepted.take(1)
        assert json.loads(record.value)["source"] == source
        shown = await desk.state(found["id"])
        assert (shown["state"], shown["attempts"]) == ("accepted", 2)


async def test_a_kind_without_a_mapping_of_its_own_needs_its_source(
    configure: Configure, keys: Keys
) -> None:
    settings = configure(field="level", answers=True, has_mapping=False)
    source = _source(settings)
    async with running(settings, keys) as ingest:
        [found] = await Desk(ingest, source).listed()
    away = configure(field="muc", answers=False, has_mapping=False)
    async with running(away, keys) as ingest:
        desk = Desk(ingest, source)
        status, problem = await desk.do(f"/v1/rejections/{found['id']}/retry")
        assert status == 409
        assert "does not answer" in problem["detail"]
        assert (await desk.state(found["id"]))["state"] == "open"


async def test_what_the_mapping_takes_for_a_household_is_masked_in_the_record(
    configure: Configure, keys: Keys
) -> None:
    # A household has no electronic identity, so the event is refused.
    settings = configure(field="muc", answers=True, has_mapping=True, household=True)
    async with running(settings, keys) as ingest:
        desk = Desk(ingest, _source(settings))
        [found] = await desk.listed()
        assert found["reason"] == "bad-subject"
        shown = await desk.state(found["id"])
    assert shown["original"]["ho"] == "***"
    assert "HK-77" not in json.dumps(shown)
