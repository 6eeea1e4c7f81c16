"""The whole of scoring, served on a free port: every route, the stream, readiness, metrics."""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr

from deploy.embedded.tokens import SigningKey, local_callers
from services.chassis.clock import FixedClock
from services.chassis.settings import (
    HttpSettings,
    KafkaSettings,
    PostgresSettings,
    TokenSettings,
)
from services.scoring.app import build
from services.scoring.settings import Configuration, RejectionSettings, ScoringSettings
from tests.integration.scoring.invented import NOW, registered, reported, smartphone
from tests.integration.scoring.on_kafka import fresh_topics, send, until
from tests.serving import address_of, listening, server_of

LAO_CAI, YEN_BAI, PROVINCE = "2025:02647", "2025:04252", "2025:15"


@dataclass
class Line:
    """A running service and those who call it."""

    http: aiohttp.ClientSession
    tokens: dict[str, str]
    store: asyncpg.Connection
    kafka: str

    async def get(self, path: str, caller: str = "leader") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
        async with self.http.get(path, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400 and path.startswith("/v1"):
                assert answer.content_type == "application/problem+json"
            return answer.status, json.loads(text) if "json" in answer.content_type else text

    async def indicator(self, area_id: str, indicator: str) -> dict[str, Any]:
        _, body = await self.get(f"/v1/areas/{area_id}/indicators")
        return next(one for one in body["indicators"] if one["id"] == indicator)


@pytest.fixture(scope="module")
async def line(
    kafka: str, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Line]:
    await fresh_topics(kafka, 2)
    admin = await asyncpg.connect(postgres)
    name = f"test_{uuid.uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    dsn = f"{postgres.rpartition('/')[0]}/{name}"
    room = tmp_path_factory.mktemp("scoring")
    key, listener = SigningKey.generate(), listening()
    configuration = configured(room, key, kafka, dsn)
    app = build(configuration, FixedClock(NOW))
    server = server_of(app)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()

    async def started() -> bool:
        assert thread.is_alive(), "the server did not start"
        return server.started

    await until(started, 60)
    store = await asyncpg.connect(dsn, server_settings={"search_path": "scoring"})
    callers = local_callers([LAO_CAI]) | {"nobody": {"sub": "nobody", "role": "stranger"}}
    tokens = {one: key.issue(claims, datetime.now(UTC)) for one, claims in callers.items()}
    tokens["expired"] = key.issue(callers["leader"], datetime.now(UTC) - timedelta(days=800))
    async with aiohttp.ClientSession(address_of(listener)) as http:
        found = Line(http, tokens, store, kafka)
        await fill(found)
        yield found
    server.should_exit = True
    await asyncio.to_thread(thread.join, 30)
    assert not thread.is_alive(), "the service does not stop"
    await store.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
    listener.close()


def configured(room: Path, key: SigningKey, kafka: str, dsn: str) -> Configuration:
    (room / "jwks.json").write_text(json.dumps(key.jwks()))
    seal = ECKey.generate_key("P-256", auto_kid=False)
    (room / "seal.json").write_text(json.dumps(seal.as_dict(private=False)))
    return Configuration(
        http=HttpSettings(port=0),
        kafka=KafkaSettings(bootstrap_servers=kafka, partitions=2),
        postgres=PostgresSettings(dsn=SecretStr(dsn)),
        tokens=TokenSettings(jwks_file=room / "jwks.json"),
        rejections=RejectionSettings(public_key_file=room / "seal.json"),
        scoring=ScoringSettings(
            group_id=f"scoring-{uuid.uuid4().hex}", rollup_seconds=0.1, publish_seconds=0.1
        ),
    )


async def fill(line: Line) -> None:
    """Three adults in Lào Cai, two of them with a smartphone; one of each in Yên Bái."""
    told = [registered(number) for number in (1, 2, 3)] + [smartphone(1), smartphone(2)]
    told += [registered(4, "04252"), registered(5, "04252"), smartphone(4)]
    told += [
        reported(f"area:{LAO_CAI}", "ds.smartphone", "2026-Q3", numerator=1, denominator=8),
        reported(f"area:{LAO_CAI}", "dt.gov.1", "2026-Q3", numerator=1, denominator=3),
        reported("agency:so-a", "dt.eco.2", "2026", value=1e300),
        reported(f"area:{LAO_CAI}", "dc.1.6", "2026-Q3", numerator=2, denominator=3),
    ]
    await send(line.kafka, told, 0)

    async def rolled_up() -> bool:
        query = "SELECT count(*) FROM figures WHERE area_id = $1 AND numerator = $2"
        return bool(await line.store.fetchval(query, PROVINCE, 3)) and bool(
            await line.store.fetchval("SELECT count(*) FROM figures WHERE basis = 'reported'")
        )

    await until(rolled_up, 60)


OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json")
ROUTES = (
    "/v1/areas",
    "/v1/indicators",
    "/v1/indicators/ds.smartphone",
    "/v1/indicators/ds.smartphone/areas",
    f"/v1/areas/{LAO_CAI}/indicators",
    f"/v1/areas/{LAO_CAI}/indicators/ds.smartphone/history",
    f"/v1/areas/{LAO_CAI}/indicators/ds.smartphone/breakdown",
)


@pytest.mark.parametrize("path", OPEN)
async def test_open_routes(line: Line, path: str) -> None:
    assert (await line.get(path, ""))[0] == 200


@pytest.mark.parametrize("path", [*ROUTES, "/v1/stream"])
async def test_who_may_read(line: Line, path: str) -> None:
    assert (await line.get(path, ""))[0] == 401
    assert (await line.get(path, "expired"))[0] == 401
    assert (await line.get(path, "urn:nhipso:source:vneid"))[0] == 403
    assert (await line.get(path, "nobody"))[0] == 403


@pytest.mark.parametrize("path", ROUTES)
async def test_units_operators_and_leaders_read(line: Line, path: str) -> None:
    for caller in (f"unit:{LAO_CAI}", "operator", "leader"):
        assert (await line.get(path, caller))[0] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/areas/2025:99999/indicators", 404),
        ("/v1/areas/%00/indicators", 404),
        ("/v1/indicators/x.y", 404),
        ("/v1/indicators/x.y/areas", 404),
        (f"/v1/areas/{LAO_CAI}/indicators/x.y/history", 404),
        (f"/v1/areas/{LAO_CAI}/indicators/x.y/breakdown", 404),
        # Nobody is counted one by one in what only reports feed.
        (f"/v1/areas/{LAO_CAI}/indicators/dt.gov.1/breakdown", 404),
        (
            "/v1/areas/2025:02647/indicators/ds.smartphone/history?from=2026-02-01&to=2026-01-01",
            400,
        ),
        ("/v1/areas/2025:02647/indicators/ds.smartphone/history?from=0001-01-01", 400),
        ("/v1/areas/2025:02647/indicators/ds.smartphone/history?as_of_tree=tomorrow", 422),
        ("/v1/areas?level=village", 422),
        ("/v1/areas?on=yesterday", 422),
        ("/v1/nothing", 404),
    ],
)
async def test_what_is_not_there(line: Line, path: str, status: int) -> None:
    assert (await line.get(path))[0] == status


async def test_units_of_a_day(line: Line) -> None:
    _, now = await line.get("/v1/areas?level=commune")
    assert (now["on"], len(now["areas"])) == ("2026-11-22", 99)
    _, before = await line.get("/v1/areas?on=2025-06-30&parent=legacy:132")
    assert "legacy:04252" in {area["area_id"] for area in before["areas"]}
    _, other = await line.get("/v1/areas?on=2025-06-30&parent=2025:15")
    assert other["areas"] == []


async def test_figures_of_a_unit(line: Line) -> None:
    _, body = await line.get(f"/v1/areas/{LAO_CAI}/indicators")
    assert (body["area"], body["as_of"]) == (LAO_CAI, "2026-11-22T03:00:00Z")
    assert len(body["indicators"]) == len({one["id"] for one in body["indicators"]})
    one = await line.indicator(LAO_CAI, "ds.smartphone")
    assert (one["numerator"], one["denominator"], one["value"]) == (2, 3, 66.67)
    assert (one["basis"], one["target"]) == ("events", 90)
    # 70 at the end of 2025, 90 at the end of 2030: 326 of 1826 days on. 73.57 % of 3 is 3 people.
    assert (one["pace"], one["gap_people"]) == (73.57, 1)
    assert (one["projected_on"], one["projection"]) == (
        None,
        {
            "slope_per_day": None,
            "state": "too-short",
            "based_on": {"from": "2026-11-22", "to": "2026-11-22"},
        },
    )
    # What the unit reported stands beside what was counted.
    assert (one["reported"]["numerator"], one["reported"]["value"]) == (1, 12.5)
    assert (one["reported"]["period"], one["reported"]["difference"]) == ("2026-Q3", 54.17)
    whole = await line.indicator(PROVINCE, "ds.smartphone")
    assert (whole["numerator"], whole["denominator"], whole["value"]) == (3, 5, 60)


async def test_a_denominator_of_nobody_has_no_value(line: Line) -> None:
    one = await line.indicator(PROVINCE, "ds.schools")
    assert (one["numerator"], one["denominator"], one["value"]) == (0, 0, None)
    assert (one["updated_at"], one["projection"]) == (None, None)


async def test_a_unit_that_no_events_reach_is_known_by_its_report(line: Line) -> None:
    one = await line.indicator(LAO_CAI, "dc.1.6")
    assert (one["basis"], one["value"], one["period"]) == ("reported", 66.67, "2026-Q3")


async def test_reported_figures(line: Line) -> None:
    share = await line.indicator(PROVINCE, "dt.gov.1")
    assert (share["basis"], share["value"], share["period"]) == ("reported", 33.33, "2026-Q3")
    assert (await line.indicator(PROVINCE, "dt.eco.2"))["value"] == 10**300


async def test_a_withdrawn_report_stands_beside_nothing(line: Line) -> None:
    await line.store.execute(
        "INSERT INTO figures (area_id, indicator, basis, updated_at, version) "
        "VALUES ($1, 'ds.smartphone', 'reported', now(), 1)",
        YEN_BAI,
    )
    one = await line.indicator(YEN_BAI, "ds.smartphone")
    assert (one["basis"], one["reported"], one["value"]) == ("events", None, 50)


async def test_a_target_that_is_met_is_met_today(line: Line) -> None:
    """Also where nothing is known of the days before."""
    await line.store.execute(
        "INSERT INTO figures (area_id, indicator, basis, numerator, denominator, updated_at, "
        "version) VALUES ($1, 'ds.fibre', 'events', 5, 5, now(), 1)",
        YEN_BAI,
    )
    assert (await line.indicator(YEN_BAI, "ds.fibre"))["projected_on"] == "2026-11-22"


async def test_the_trend_is_of_the_figures_own_basis_and_of_90_days(line: Line) -> None:
    """From 10 % on 24 August, as it stood since spring, to 50 % today: 40 more take 90 days."""
    await line.store.execute(
        "INSERT INTO history (area_id, indicator, basis, day, numerator, denominator) VALUES "
        "($1, 'ds.smartphone', 'events', '2026-03-01', 1, 10), "
        "($1, 'ds.smartphone', 'reported', '2026-08-25', 0, 10)",
        YEN_BAI,
    )
    one = await line.indicator(YEN_BAI, "ds.smartphone")
    assert one["projected_on"] == "2027-02-20"
    assert one["projection"] == {
        "slope_per_day": 0.4444,
        "state": "on-the-way",
        "based_on": {"from": "2026-08-24", "to": "2026-11-22"},
    }
    _, ranking = await line.get("/v1/indicators/ds.smartphone/areas")
    ranked = next(area for area in ranking["areas"] if area["area"] == YEN_BAI)
    assert ranked["projected_on"] == "2027-02-20"


@pytest.mark.parametrize(("area", "nobody"), [(YEN_BAI, "2026-03-01"), (LAO_CAI, "2026-09-01")])
async def test_the_trend_begins_where_there_was_somebody_to_count(
    line: Line, area: str, nobody: str
) -> None:
    """From 10 % on 13 October to 50 % in 40 days; before that there was no share at all."""
    await line.store.execute(
        "INSERT INTO history (area_id, indicator, basis, day, numerator, denominator) VALUES "
        "($1, 'ds.colleges', 'events', $2::text::date, 0, 0), "
        "($1, 'ds.colleges', 'events', '2026-10-13', 1, 10)",
        *(area, nobody),
    )
    await line.store.execute(
        "INSERT INTO figures (area_id, indicator, basis, numerator, denominator, updated_at, "
        "version) VALUES ($1, 'ds.colleges', 'events', 5, 10, now(), 1)",
        area,
    )
    projection = (await line.indicator(area, "ds.colleges"))["projection"]
    assert projection["slope_per_day"] == 1
    assert projection["based_on"] == {"from": "2026-10-13", "to": "2026-11-22"}


async def test_ranking(line: Line) -> None:
    _, body = await line.get("/v1/indicators/ds.smartphone/areas?level=commune")
    assert (body["indicator"], body["level"], len(body["areas"])) == (
        "ds.smartphone",
        "commune",
        99,
    )
    assert [(one["area"], one["rank"]) for one in body["areas"][:2]] == [(LAO_CAI, 1), (YEN_BAI, 2)]
    assert {one["rank"] for one in body["areas"][2:]} == {None}
    # Equal values share a rank.
    _, tie = await line.get("/v1/indicators/dc.1.2/areas")
    assert [(one["rank"], one["value"]) for one in tie["areas"][:2]] == [(1, 0), (1, 0)]


async def test_history_fills_days_without_a_change(line: Line) -> None:
    await line.store.execute(
        "INSERT INTO history "
        "(area_id, indicator, basis, day, numerator, denominator, restated_at) VALUES "
        "($1, 'ds.schools', 'events', '2026-11-15', 1, 4, '2026-11-20T09:30:00+07:00'), "
        "($1, 'ds.schools', 'events', '2026-11-18', 2, 3, NULL)",
        LAO_CAI,
    )
    path = f"/v1/areas/{LAO_CAI}/indicators/ds.schools/history"
    _, body = await line.get(f"{path}?from=2026-11-14&to=2026-11-19")
    points = [(point["day"], point["value"], point["restated_at"]) for point in body["points"]]
    assert points == [
        ("2026-11-15", 25, "2026-11-20T02:30:00Z"),
        ("2026-11-16", 25, "2026-11-20T02:30:00Z"),
        ("2026-11-17", 25, "2026-11-20T02:30:00Z"),
        ("2026-11-18", 66.67, None),
        ("2026-11-19", 66.67, None),
    ]
    assert (body["as_of_tree"], body["carried_from"], body["carried_to"]) == ("then", [], None)
    _, later = await line.get(f"{path}?from=2026-11-20&to=2026-12-31")
    assert [point["day"] for point in later["points"]] == [
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
    ]


async def test_history_over_the_reform(line: Line) -> None:
    """Of Phường Lào Cai, and of 02641 and 02647, two of the units it was made of."""
    await line.store.execute(
        "INSERT INTO history (area_id, indicator, basis, day, numerator, denominator) VALUES "
        "('legacy:02641', 'ds.fibre', 'events', '2025-06-20', 1, 4), "
        "('legacy:02647', 'ds.fibre', 'events', '2025-06-25', 2, 4), "
        "('legacy:02641', 'ds.fibre', 'events', '2025-07-01', 0, 0), "
        "('legacy:02647', 'ds.fibre', 'events', '2025-07-01', 0, 0), "
        "('2025:02647', 'ds.fibre', 'events', '2025-07-01', 4, 8)"
    )

    async def history(area_id: str, query: str) -> tuple[dict[str, Any], dict[str, Any]]:
        path = f"/v1/areas/{area_id}/indicators/ds.fibre/history"
        status, body = await line.get(f"{path}?{query}")
        assert status == 200
        return body, {
            point["day"]: (point["numerator"], point["denominator"], point["carried"])
            for point in body["points"]
        }

    days = "from=2025-06-18&to=2025-07-02"
    _, then = await history(LAO_CAI, days)
    assert then == {"2025-07-01": (4, 8, False), "2025-07-02": (4, 8, False)}
    for tree in ("today", "2025-07-01"):
        body, carried = await history(LAO_CAI, f"{days}&as_of_tree={tree}")
        assert next(iter(carried)) == "2025-06-20"
        assert carried["2025-06-24"] == (1, 4, True)
        assert carried["2025-06-30"] == (3, 8, True)
        assert carried["2025-07-01"] == (4, 8, False)
        assert body["as_of_tree"] == tree.replace("today", "2026-11-22")
        assert {
            "area": "legacy:02647",
            "name": "Phường Kim Tân",
            "days": {"from": None, "to": "2025-06-30"},
            "whole": True,
        } in body["carried_from"]
    # Before the reform nothing had been taken over.
    assert (await history(LAO_CAI, f"{days}&as_of_tree=2025-06-30"))[1] == then
    # A unit that has ended has no days after its last one; without days, its last ones are told.
    body, old = await history("legacy:02641", "")
    assert body["carried_to"] == LAO_CAI
    assert (min(old), max(old), old["2025-06-30"]) == ("2025-06-20", "2025-06-30", (1, 4, False))
    assert await history("legacy:02641", "from=2025-07-01") == (body | {"points": []}, {})


async def test_reported_history_is_never_carried(line: Line) -> None:
    await line.store.execute(
        "INSERT INTO history (area_id, indicator, basis, day, value) "
        "VALUES ('legacy:02647', 'dt.eco.2', 'reported', '2025-06-25', 12)"
    )
    _, body = await line.get(
        f"/v1/areas/{LAO_CAI}/indicators/dt.eco.2/history?from=2025-06-20&as_of_tree=today"
    )
    assert (body["basis"], body["points"], body["carried_from"]) == ("reported", [], [])


async def test_what_units_reported_of_what_events_count_has_a_history_of_its_own(
    line: Line,
) -> None:
    route = f"/v1/areas/{LAO_CAI}/indicators/ds.smartphone/history"
    for wanted, value in (("", 66.67), ("?basis=events", 66.67), ("?basis=reported", 12.5)):
        _, body = await line.get(route + wanted)
        assert body["basis"] == ("reported" if "reported" in wanted else "events")
        assert body["points"][-1]["value"] == value
    status, problem = await line.get(
        f"/v1/areas/{LAO_CAI}/indicators/dt.eco.2/history?basis=events"
    )
    assert (status, problem["detail"]) == (
        400,
        "dt.eco.2 is fed by reports alone; leave basis out",
    )


async def test_history_is_described(line: Line) -> None:
    _, described = await line.get("/openapi.json")
    route = described["paths"]["/v1/areas/{area_id}/indicators/{indicator_id}/history"]["get"]
    parameters = {one["name"]: one for one in route["parameters"]}
    assert {"area_id", "indicator_id", "from", "to", "as_of_tree", "basis"} <= set(parameters)
    tree = parameters["as_of_tree"]
    assert tree["schema"]["default"] == "then"
    assert tree["schema"]["anyOf"] == [
        {"type": "string", "enum": ["then", "today"]},
        {"type": "string", "format": "date"},
    ]
    assert "residents" in tree["description"]
    schemas = described["components"]["schemas"]
    assert set(schemas["PointAnswer"]["required"]) == {
        "day",
        "numerator",
        "denominator",
        "value",
        "restated_at",
        "carried",
    }
    assert schemas["ProjectionAnswer"]["properties"]["state"]["enum"] == [
        "met",
        "on-the-way",
        "not-at-this-pace",
        "too-short",
        "no-target",
    ]
    assert set(schemas["Days"]["properties"]) == {"from", "to"}


async def test_breakdown_by_criterion_and_by_child(line: Line) -> None:
    _, body = await line.get(f"/v1/areas/{PROVINCE}/indicators/dc.group-2/breakdown")
    assert body["total"]["missing"] == 5
    assert [(one["id"], one["missing"]) for one in body["criteria"]] == [
        ("dc.2.1", 5),
        ("dc.2.2", 5),
    ]
    assert [(one["area"], one["missing"]) for one in body["areas"][:2]] == [
        (LAO_CAI, 3),
        (YEN_BAI, 2),
    ]
    assert len(body["areas"]) == 99
    _, leaf = await line.get(f"/v1/areas/{LAO_CAI}/indicators/ds.smartphone/breakdown")
    assert [one["id"] for one in leaf["criteria"]] == ["ds.smartphone"]
    assert leaf["areas"] == []


async def test_catalogue(line: Line) -> None:
    _, body = await line.get("/v1/indicators")
    assert body["version"] >= 1
    assert len([one for one in body["indicators"] if one["basis"] == "events"]) == 45
    _, one = await line.get("/v1/indicators/ds.smartphone")
    assert one["targets"] == {"2025": 70.0, "2030": 90.0}
    assert one["source"]["document"].startswith("Kế hoạch số 231")
    assert one["population"]["name"] == "citizens-18"


async def test_readiness_and_metrics(line: Line) -> None:
    _, ready = await line.get("/readyz", "")
    assert ready == {
        "status": "ready",
        "checks": {"postgres": "ok", "kafka": "ok", "roll-up": "ok"},
    }
    _, text = await line.get("/metrics", "")
    for name in (
        "scoring_records_total",
        "scoring_event_to_state_seconds_bucket",
        "scoring_shard_transaction_seconds_bucket",
        "scoring_rollup_seconds_bucket",
        "scoring_reseeks_total",
        "scoring_missing_records_total",
        "scoring_outbox_figures",
        "scoring_indicator_events_total",
        "scoring_stream_listeners",
    ):
        assert f"\n{name}" in text, name


async def next_event(stream: aiohttp.StreamReader) -> dict[str, str]:
    """One server-sent event; comments are passed over."""
    fields: dict[str, str] = {}
    while line := (await stream.readline()).decode().rstrip("\r\n"):
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
    return fields or await next_event(stream)


async def test_the_stream_tells_what_changes(line: Line) -> None:
    headers = {"Authorization": f"Bearer {line.tokens['leader']}"}
    path = f"/v1/stream?area={PROVINCE}&indicator=ds.smartphone"
    async with line.http.get(path, headers=headers) as answer, asyncio.timeout(20):
        assert answer.content_type == "text/event-stream"
        assert (await answer.content.readline()).startswith(b": listening")
        await send(line.kafka, [smartphone(5), smartphone(3)], 0)
        told = await next_event(answer.content)
        assert told["event"] == "indicator.updated"
        data = json.loads(told["data"])
        assert told["id"] == data["id"]
        assert (data["data"]["area"], data["data"]["indicator"]) == (PROVINCE, "ds.smartphone")
        assert data["data"]["numerator"] > 3
