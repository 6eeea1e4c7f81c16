"""What was refused is kept, found again, counted, and shown without naming anybody."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from pydantic import SecretStr

from contracts.topics import REJECTED_EVENTS
from services.chassis.database import open_pool
from services.chassis.settings import PostgresSettings
from services.ingest.rejecting.rows import row_of
from services.ingest.rejecting.store import KEPT, Store
from services.ingest.settings import IngestSettings
from tests.contract.ingest.service import Keys, running, tail
from tests.integration.ingest.rejecting.desk import (
    NUMBER,
    Desk,
    encoded,
    new_source,
    publish,
    refusal,
    soon,
)


async def test_a_refused_event_is_found_again_and_shown_masked(desk: Desk) -> None:
    status, _, _ = await desk.send(desk.bad(id="e-1"), desk.event())
    assert status == 207
    [found] = await desk.listed()
    assert found["state"] == "open"
    assert (found["reason"], found["first_reason"], found["attempts"]) == (
        "bad-data",
        "bad-data",
        0,
    )
    assert found["event_id"] == "e-1"
    assert found["origin"] == {"via": "http", "mode": "batch", "index": 0}
    shown = await desk.state(found["id"])
    assert shown["original_hidden"] == ""
    assert shown["original"]["subject"] == "citizen:***"
    assert shown["original"]["data"] == {"level": 7, "activated": True}
    assert shown["works"] == []


async def test_no_number_stands_anywhere_but_in_the_sealed_original(
    desk: Desk, database: str
) -> None:
    texts = {"id": f"row-{NUMBER}", "ext": NUMBER, "type": NUMBER, "source": f"urn:{NUMBER}"}
    for name, text in texts.items():
        await desk.refused(desk.bad(**{name: text}))
    await desk.refused(NUMBER, [NUMBER], {NUMBER: NUMBER})

    async def all_there() -> Any:
        _, answer = await desk.get("/v1/rejections", desk.sender(), limit="500")
        return answer if len(answer["rejections"]) == 7 else None

    # A source also sees what it sent as nobody, or as somebody that it is not.
    listed = await soon(all_there)
    said = [json.dumps(listed)]
    for one in listed["rejections"]:
        said.append(json.dumps(await desk.state(one["id"])))
        said.append(json.dumps(await desk.do(f"/v1/rejections/{one['id']}/retry")))
        said.append(
            json.dumps(await desk.do(f"/v1/rejections/{one['id']}/dismissal", {"note": NUMBER}))
        )
        said.append(json.dumps(await desk.state(one["id"])))
    said.append(json.dumps(await desk.get("/v1/rejections", event_id=f"row-{NUMBER}")))
    said.append(json.dumps(await desk.get("/v1/rejections/counts")))
    said.append((await desk.ingest.get("/metrics"))[1])
    connection = await asyncpg.connect(database)
    try:
        for table in ("rejections", "rejection_works", "pauses"):
            rows = await connection.fetch(f"SELECT row_to_json(t)::text FROM ingest.{table} t")  # noqa: S608
            said += [row[0] for row in rows]
    finally:
        await connection.close()
    assert len(said) > 30
    for text in said:
        assert NUMBER not in text
        assert NUMBER.lstrip("0") not in text


async def test_filters_find_what_they_say(desk: Desk) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    await desk.refused(desk.bad(id=f"row-{NUMBER}"), desk.bad(type="vn.nhipso.no.such.v1"))
    await desk.listed(2)
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    for query, count in (
        ({"event_id": f"row-{NUMBER}"}, 1),
        ({"event_id": "row-***"}, 1),
        ({"reason": "unknown-type"}, 1),
        ({"reason": "bad-time"}, 0),
        ({"type": "vn.nhipso.identity.eid-changed.v1"}, 1),
        ({"state": "open", "stage": "ingest", "via": "http"}, 2),
        ({"state": "dismissed"}, 0),
        ({"stage": "scoring"}, 0),
        ({"connector": "none"}, 0),
        ({"from": before.isoformat(), "to": later}, 2),
        ({"to": before.isoformat()}, 0),
    ):
        found = await desk.listed(count, **query)
        assert len(found) == count, query
    status, problem = await desk.get("/v1/rejections", colour="red")
    assert status == 422
    assert "colour" in json.dumps(problem)
    assert (await desk.get("/v1/rejections", cursor="nonsense"))[0] == 400


async def test_pages_hold_everything_once_newest_first(desk: Desk) -> None:
    for _ in range(3):
        await desk.refused(*(desk.bad() for _ in range(4)))
    await desk.listed(12)
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        _, page = await desk.get("/v1/rejections", source=desk.source, limit="5", **cursor)
        found += page["rejections"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len({one["id"] for one in found}) == len(found) == 12
    moments = [one["rejected_at"] for one in found]
    assert moments == sorted(moments, reverse=True)


async def test_a_source_is_found_by_its_own_name_whatever_digits_it_has(desk: Desk) -> None:
    here = Desk(desk.ingest, "urn:nhipso:source:000098765432")
    await here.refused(here.bad())
    [found] = await here.listed()
    assert found["source"] == here.source


async def test_counts_are_told_by_source_and_reason_also_as_metrics(desk: Desk) -> None:
    foreign = new_source()
    await desk.refused(desk.bad(), desk.bad(), desk.bad(type="vn.nhipso.no.such.v1"))
    await desk.refused(desk.event(source=foreign))
    await desk.listed(3)
    _, answer = await desk.get("/v1/rejections/counts", source=desk.source)
    assert answer == {
        "counts": [
            {"source": desk.source, "reason": "bad-data", "state": "open", "count": 2},
            {"source": desk.source, "reason": "unknown-type", "state": "open", "count": 1},
        ],
        "total": 3,
    }
    # What a sender only claims to be is no label.
    _, answer = await desk.get("/v1/rejections/counts", source=foreign)
    assert [one["source"] for one in answer["counts"]] == ["other"]

    async def told() -> Any:
        _, metrics = await desk.ingest.get("/metrics")
        lines = [line for line in metrics.splitlines() if desk.source in line]
        return [line for line in lines if line.startswith("ingest_rejections_open")]

    assert f'{{reason="bad-data",source="{desk.source}"}} 2.0' in "\n".join(await soon(told))
    assert foreign not in (await desk.ingest.get("/metrics"))[1]


async def test_a_source_sees_its_own_alone_and_no_originals(desk: Desk) -> None:
    other = Desk(desk.ingest)
    await desk.refused(desk.bad())
    await other.refused(other.bad(), other.bad())
    [mine] = await desk.listed()
    await other.listed(2)
    _, answer = await desk.get("/v1/rejections", desk.sender(), limit="500")
    assert [one["id"] for one in answer["rejections"]] == [mine["id"]]
    _, answer = await desk.get("/v1/rejections", desk.sender(), source=other.source)
    assert answer["rejections"] == []
    _, answer = await desk.get("/v1/rejections/counts", desk.sender())
    assert answer["total"] == 1
    for path in (f"/v1/rejections/{mine['id']}", "/v1/pauses"):
        assert (await desk.get(path, desk.sender()))[0] == 403
    for path in (f"/v1/rejections/{mine['id']}/retry", "/v1/rejections/retry"):
        assert (await desk.do(path, {}, desk.sender()))[0] == 403
    leader = desk.ingest.keys.token(role="leader", sources=[])
    assert (await desk.get("/v1/rejections", leader))[0] == 403
    assert (await desk.get("/v1/rejections", "no token"))[0] == 401


async def test_poison_is_passed_over_and_repeats_are_harmless(
    desk: Desk, keys: Keys, kafka: str
) -> None:
    once = refusal(keys, desk.source, encoded(desk.event())).model_dump_json().encode()
    nul = refusal(keys, desk.source, b"x", event_id="a\x00b", detail="\x00").model_dump_json()
    await publish(kafka, once, None, b"no rejection", b"\xff{}", once, nul.encode(), b"{}", once)
    assert len(await desk.listed(2)) == 2
    _, metrics = await desk.ingest.get("/metrics")
    assert 'ingest_rejection_records_total{result="unreadable"}' in metrics


async def test_a_row_that_postgresql_would_never_take_does_not_keep_the_others_out(
    desk: Desk, keys: Keys, database: str
) -> None:
    made = [refusal(keys, desk.source, b"{}").model_dump_json().encode() for _ in range(5)]
    rows = [row for one in made if (row := row_of(one)) is not None]
    # As if a text had slipped through.
    rows[2] = (*rows[2][:9], "a\x00b", *rows[2][10:])
    pool = await open_pool(
        PostgresSettings(dsn=SecretStr(database)), schema="ingest", application_name="test"
    )
    try:
        assert await Store(pool).insert(rows) == 1
    finally:
        await pool.close()
    await desk.listed(4)


async def test_several_processes_share_them_and_a_restart_goes_on(
    settings: IngestSettings, keys: Keys, kafka: str
) -> None:
    async with running(settings, keys) as one, running(settings, keys) as two:
        desk, other = Desk(one), Desk(two)
        other.source = desk.source
        await desk.refused(*(desk.bad() for _ in range(20)))
        await other.refused(*(other.bad() for _ in range(20)))
        await desk.listed(40)
    # Meanwhile somebody else refuses.
    late = refusal(keys, desk.source, encoded(desk.event()))
    await publish(kafka, late.model_dump_json().encode())
    async with running(settings, keys) as three:
        desk = Desk(three, desk.source)
        found = await desk.listed(41)
        assert str(late.id) in {one["id"] for one in found}


async def test_what_the_topic_keeps_no_longer_is_forgotten(
    desk: Desk, keys: Keys, kafka: str, database: str
) -> None:
    now = datetime.now(UTC)
    old = refusal(
        keys, desk.source, b"{}", rejected_at=(now - KEPT - timedelta(days=1)).isoformat()
    )
    young = refusal(keys, desk.source, b"{}", rejected_at=(now - KEPT / 2).isoformat())
    await publish(kafka, *(one.model_dump_json().encode() for one in (old, young)))
    await desk.listed(2)
    await desk.do(f"/v1/rejections/{old.id}/dismissal", {"note": "long ago"})
    pool = await open_pool(
        PostgresSettings(dsn=SecretStr(database)), schema="ingest", application_name="test"
    )
    try:
        await Store(pool).forget(now)
    finally:
        await pool.close()
    [left] = await desk.listed()
    assert left["id"] == str(young.id)


async def test_what_is_listed_is_what_the_topic_holds(desk: Desk, kafka: str) -> None:
    async with tail(REJECTED_EVENTS, kafka) as topic:
        await desk.refused(desk.bad())
        [record] = await topic.take(1)
    [found] = await desk.listed()
    assert found["id"] == json.loads(record.value)["id"]
