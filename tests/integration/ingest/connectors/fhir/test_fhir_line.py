"""The whole line over a real HAPI FHIR server: what leaves ingest, and what notifications do."""

import asyncio
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from contracts.rejected import unseal
from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from tests.contract.ingest.service import Keys
from tests.integration.ingest.connectors.conformance import (
    Process,
    Setting,
    citizen,
    hearing,
    new_source,
    running,
)
from tests.integration.ingest.connectors.fhir.hapi import Hapi
from tests.integration.ingest.connectors.fhir.invented import (
    DIAGNOSIS,
    SUMMARY,
    composition,
    config,
    document,
    encounter,
    patient,
)

SECRET = "chỉ-máy-chủ-FHIR-biết"
PATH = "/v1/fhir/under-test/notifications"
#: None of these may leave the server: the diagnosis, its codes, a name, another number, a title.
CLINICAL = (DIAGNOSIS, "phế cầu", "233604007", "J13", "Nguyễn", "GDp", "Bác sĩ")


@pytest.fixture
async def setting(kafka: str, database: str, tmp_path: Path, topics: None, hapi: Hapi) -> Setting:
    keys = Keys(tmp_path / "keys")
    keys.folder.mkdir()
    keys.write()
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    setting = Setting(tmp_path, kafka, database, keys, new_source())
    summary = {"system": SUMMARY["system"], "code": SUMMARY["code"]}
    entry = {
        "name": setting.name,
        "kind": "fhir",
        "source": setting.source,
        "domains": ["health"],
        # Nothing but a notification has it read again in the time of a test.
        "interval_seconds": 3600,
        "config": config(
            hapi.base,
            records={"compositions": [summary], "document_references": []},
            notifications={"secret_file": str(tmp_path / "secret"), "header": "X-FHIR-Secret"},
        ),
    }
    text = yaml.safe_dump({"connectors": [entry]}, allow_unicode=True)
    (tmp_path / "connectors.yaml").write_text(text, encoding="utf-8")
    return setting


async def test_nothing_clinical_leaves_the_server(setting: Setting, hapi: Hapi) -> None:
    await hapi.put(
        [
            patient("p1", citizen(1)),
            patient("p2", "12 34"),
            patient("p3", None),
            encounter("e1", "p1"),
            encounter("e2", "p2"),
            encounter("e3", "p3", type=[]),
            composition("c1", "p1"),
            composition("c2", "p2"),
            document("d1", "p1"),
            document("d3", "p3"),
        ]
    )
    async with (
        hearing(setting, SUBJECT_EVENTS) as heard,
        hearing(setting, REJECTED_EVENTS) as refused,
        running(setting) as ingest,
    ):
        accepted = await heard.until(lambda found: len(found) >= 3)
        kept = await refused.until(lambda found: len(found) >= 4)
        assert {one["subject"] for one in accepted} == {setting.subject(1)}
        assert sorted(one["type"] for one in accepted) == [
            "vn.nhipso.health.record-changed.v1",
            "vn.nhipso.health.record-changed.v1",
            "vn.nhipso.health.teleconsultation-completed.v1",
        ]
        originals = [unseal(setting.keys.rejections, one["sealed"]).decode() for one in kept]
        # Sealed, short words may stand in it by chance.
        told = [*accepted, *(one | {"sealed": ""} for one in kept)]
        shown = [json.dumps(one, ensure_ascii=False) for one in told]
        shown += [await ingest.get(path) for path in ("/metrics", "/v1/connectors")]
        await ingest.stop()
        shown.append(ingest.log.read_text(encoding="utf-8"))
    for text in (*shown, *originals):
        assert [word for word in CLINICAL if word in text] == []
    assert {name for text in originals for name in json.loads(text)} == {"resource", "patient"}
    for text in originals:
        fields = set(json.loads(text)["resource"])
        assert fields <= {
            *("resourceType", "id", "meta", "status", "class", "type", "subject", "period", "date")
        }


async def notify(
    ingest: Process, body: Any, *, secret: str = SECRET, path: str = PATH
) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-FHIR-Secret": f"Bearer {secret}", "Content-Type": "application/fhir+json"}
    url = f"http://127.0.0.1:{ingest.port}{path}"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=io.BytesIO(data), headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def said(type_: str, count: int, *events: int, status: str = "active") -> Mapping[str, Any]:
    resource = {
        "resourceType": "SubscriptionStatus",
        "status": status,
        "type": type_,
        "eventsSinceSubscriptionStart": str(count),
        "notificationEvent": [{"eventNumber": str(number)} for number in events],
        "subscription": {"reference": "Subscription/nhipso"},
    }
    # A server that sends whole resources sends them here too.
    entries = [{"resource": resource}, {"resource": encounter("unasked", "p1")}]
    return {"resourceType": "Bundle", "type": "history", "entry": entries}


async def test_a_notification_has_it_read_at_once_and_a_gap_is_caught_up(
    setting: Setting, hapi: Hapi
) -> None:
    await hapi.put([patient(f"p{number}", citizen(number)) for number in range(5)])
    await hapi.put([encounter("e0", "p0")])
    async with hearing(setting, SUBJECT_EVENTS) as heard, running(setting) as ingest:
        await heard.until(lambda found: len(found) >= 1)
        await ingest.until("/v1/connectors", lambda text: '"reached"' in text)

        assert (await notify(ingest, said("handshake", 0, status="requested")))[0] == 200
        await hapi.put([encounter("e1", "p1")])
        assert (await notify(ingest, said("event-notification", 1, 1)))[0] == 200
        await heard.until(lambda found: len(found) >= 2)

        # The notifications of the events 2 and 3 are lost; a heartbeat shows it.
        await hapi.put([encounter("e2", "p2"), encounter("e3", "p3")])
        assert (await notify(ingest, said("heartbeat", 3)))[0] == 200
        found = await heard.until(lambda found: len(found) >= 4)
        assert {one["subject"] for one in found} == {setting.subject(number) for number in range(4)}
        await ingest.until("/v1/connectors", lambda text: '"caught_up":2' in text)
        metrics = await ingest.get("/metrics")
        assert 'ingest_fhir_missed_events_total{connector="under-test"} 2.0' in metrics
        assert 'ingest_fhir_subscription_active{connector="under-test"} 1.0' in metrics
        counted = 'ingest_fhir_notifications_total{connector="under-test",type="heartbeat"} 1.0'
        assert counted in metrics

        # R4's own rest-hook says nothing at all.
        await hapi.put([encounter("e4", "p4")])
        assert (await notify(ingest, b""))[0] == 200
        await heard.until(lambda found: len(found) >= 5)
        assert len(await heard.all()) == 5
        log = ingest.log.read_text(encoding="utf-8")
        assert "notifications were missed" in log
        assert not any(word in log for word in (*CLINICAL, SECRET))


async def test_event_numbers_are_kept_over_a_restart(setting: Setting, hapi: Hapi) -> None:
    async with running(setting) as ingest:
        await ingest.until("/readyz", lambda text: '"ready"' in text or "ok" in text)
        await notify(ingest, said("handshake", 0))
        await notify(ingest, said("event-notification", 4, 4))
    async with running(setting) as ingest:
        await ingest.until("/readyz", lambda text: '"ready"' in text or "ok" in text)
        await asyncio.gather(*(notify(ingest, said("event-notification", 6, 6)) for _ in range(5)))
        metrics = await ingest.get("/metrics")
        assert 'ingest_fhir_missed_events_total{connector="under-test"} 1.0' in metrics


async def test_a_subscription_that_fails_is_told(setting: Setting, hapi: Hapi) -> None:
    async with running(setting) as ingest:
        await ingest.until("/readyz", lambda text: '"ready"' in text or "ok" in text)
        for status in ("error", "off"):
            assert (await notify(ingest, said("query-status", 0, status=status)))[0] == 200
            metrics = await ingest.get("/metrics")
            assert 'ingest_fhir_subscription_active{connector="under-test"} 0.0' in metrics
        log = ingest.log.read_text(encoding="utf-8")
        assert log.count("a FHIR subscription does not work") == 2


async def test_only_the_server_is_heard_and_only_notifications(
    setting: Setting, hapi: Hapi
) -> None:
    async with running(setting) as ingest:
        await ingest.until("/readyz", lambda text: '"ready"' in text or "ok" in text)
        assert (await notify(ingest, said("heartbeat", 0), secret="guessed"))[0] == 401
        elsewhere = "/v1/fhir/another/notifications"
        assert (await notify(ingest, said("heartbeat", 0), path=elsewhere))[0] == 404
        status, text = await notify(ingest, {"entry": [{"resource": encounter("e", "p")}]})
        assert status == 400
        assert DIAGNOSIS not in text
        assert (await notify(ingest, b"{"))[0] == 400
        assert (await notify(ingest, b" " * 9_000_000))[0] == 413
