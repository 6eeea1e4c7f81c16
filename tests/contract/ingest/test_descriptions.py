"""The descriptions, the schemas, and what every service answers."""

import jsonschema

from contracts.events import EVENT_MODELS
from tests.contract.ingest.service import Ingest


async def test_schemas_want_a_token(ingest: Ingest) -> None:
    for path in ("/v1/schemas", f"/v1/schemas/{next(iter(EVENT_MODELS))}"):
        status, problem = await ingest.get(path)
        assert (status, problem["status"]) == (401, 401)


async def test_schemas_are_listed_and_each_can_be_read(ingest: Ingest) -> None:
    token = ingest.keys.token()
    status, listed = await ingest.get("/v1/schemas", token=token)
    assert status == 200
    assert list(listed) == list(EVENT_MODELS)
    for event_type, schema in listed.items():
        assert await ingest.get(f"/v1/schemas/{event_type}", token=token) == (200, schema)
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_an_unknown_schema_is_a_problem(ingest: Ingest) -> None:
    unknown = "/v1/schemas/vn.nhipso.nothing.v1"
    status, problem = await ingest.get(unknown, token=ingest.keys.token())
    assert (status, problem["status"]) == (404, 404)


async def test_openapi_and_asyncapi_describe_the_service(ingest: Ingest) -> None:
    status, openapi = await ingest.get("/openapi.json")
    assert status == 200
    post = openapi["paths"]["/v1/events"]["post"]
    assert {"202", "207", "422", "400", "401", "403", "413", "415", "429", "503"} <= post[
        "responses"
    ].keys()
    assert "application/cloudevents-batch+json" in post["requestBody"]["content"]
    status, asyncapi = await ingest.get("/asyncapi.json")
    assert (status, asyncapi["asyncapi"][0]) == (200, "3")


async def test_health_and_readiness(ingest: Ingest) -> None:
    assert (await ingest.get("/healthz"))[0] == 200
    assert await ingest.get("/readyz") == (200, {"status": "ready", "checks": {"kafka": "ok"}})


async def test_metrics_name_sources_and_reasons_and_no_person(ingest: Ingest) -> None:
    event = {
        "specversion": "1.0",
        "id": "metrics-1",
        "source": "urn:nhipso:source:vneid",
        "type": "vn.nhipso.identity.e-signature-changed.v1",
        "subject": "citizen:000987654321",
        "time": "2026-03-01T08:30:00+07:00",
        "data": {"active": True, "colour": "red"},
    }
    assert (await ingest.post(event))[0] == 202
    assert (await ingest.post(event | {"source": "urn:000987654321"}))[0] == 422
    _, text = await ingest.get("/metrics")
    for line in (
        'ingest_events_total{domain="identity",result="accepted"}',
        'ingest_rejected_total{reason="personal-data",source="other"}',
        'ingest_unlisted_fields_total{type="vn.nhipso.identity.e-signature-changed.v1"}',
        "ingest_publish_seconds_count",
        "faststream_published_messages_total",
    ):
        assert line in text
    # Other tests of this session may have sent later ones.
    last = 'ingest_source_last_event_timestamp_seconds{source="urn:nhipso:source:vneid"} '
    assert float(text.partition(last)[2].partition("\n")[0]) >= 1_772_328_600
    assert "000987654321" not in text
