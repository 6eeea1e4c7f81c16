"""The whole process: from records on Kafka to letters, events and answers over HTTP."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from contracts.topics import ALERT_EVENTS, INDICATOR_EVENTS, TOPIC_CONFIGS
from contracts.updates import AlertChanged, IndicatorUpdated
from deploy.embedded.ports import free_port
from deploy.embedded.tokens import SigningKey, issue_all
from services.chassis.kafka import ensure_topics
from services.chassis.settings import KafkaSettings
from services.notifier.pipeline.consuming import GROUP
from tests.integration.notifier.conftest import COMMUNE, PROVINCE, told

PATIENCE = 60.0
AREAS = (PROVINCE, COMMUNE, "2025:02671")


@dataclass
class Mailroom:
    """A real SMTP server that keeps what it takes."""

    port: int = field(default_factory=free_port)
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(message_from_bytes(content, policy=default))
        return "250 OK"


@pytest.fixture
def mailroom() -> Iterator[Mailroom]:
    room = Mailroom()
    controller = Controller(room, hostname="127.0.0.1", port=room.port)
    controller.start()
    yield room
    controller.stop()


@dataclass
class Running:
    """The notifier as its own process."""

    environment: dict[str, str]
    url: str
    log: Path
    tokens: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.notifier", env=self.environment, stderr=log
            )
        await self.until(self.is_ready)

    async def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return await self.process.wait()

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log.read_text(encoding="utf-8")
        try:
            status, _ = await self.get("/readyz")
        except aiohttp.ClientError:
            return False
        return status == HTTPStatus.OK

    async def get(self, path: str, caller: str | None = None) -> tuple[int, Any]:
        headers = {} if caller is None else {"Authorization": f"Bearer {self.tokens[caller]}"}
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.get(path, headers=headers) as answer,
        ):
            text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text

    async def firing(self) -> list[dict[str, Any]]:
        _, answer = await self.get("/v1/alerts?state=firing", "operator")
        found: list[dict[str, Any]] = answer["alerts"]
        return found

    async def until(self, what: Any) -> None:
        """Ask again and again, for it is another process."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await what():  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"waited in vain; the log:\n{self.log.read_text(encoding='utf-8')[-4000:]}")


@pytest.fixture
def prepared(kafka: str, database: str, mailroom: Mailroom, tmp_path: Path) -> Running:
    key = SigningKey.generate()
    (tmp_path / "jwks.json").write_text(json.dumps(key.jwks()), encoding="utf-8")
    mailboxes = [f'{{area: "{area}", email: {area[5:]}@example.vn}}' for area in AREAS]
    (tmp_path / "receivers.yaml").write_text(
        f"receivers: [{', '.join(mailboxes)}]", encoding="utf-8"
    )
    port = free_port()
    environment = {
        **os.environ,
        "NHIPSO_HTTP__PORT": str(port),
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "NHIPSO_KAFKA__PARTITIONS": "3",
        "NHIPSO_POSTGRES__DSN": database,
        "NHIPSO_TOKENS__JWKS_FILE": str(tmp_path / "jwks.json"),
        "NHIPSO_NOTIFIER__RECEIVERS_FILE": str(tmp_path / "receivers.yaml"),
        "NHIPSO_NOTIFIER__SMTP__HOST": "127.0.0.1",
        "NHIPSO_NOTIFIER__SMTP__PORT": str(mailroom.port),
        "NHIPSO_NOTIFIER__SMTP__TLS": "none",
        "NHIPSO_NOTIFIER__FOR_SECONDS": "1",
        "NHIPSO_NOTIFIER__GROUP_WAIT_SECONDS": "1",
        "NHIPSO_NOTIFIER__QUIET_HOURS": "false",
        "NHIPSO_NOTIFIER__EVALUATE_EVERY_SECONDS": "0.2",
        "NHIPSO_NOTIFIER__DELIVER_EVERY_SECONDS": "0.2",
    }
    tokens = issue_all(key, AREAS, datetime.now(UTC))
    return Running(environment, f"http://127.0.0.1:{port}", tmp_path / "log", tokens)


@pytest.fixture
async def running(prepared: Running, kafka: str) -> AsyncIterator[Running]:
    await pass_over_what_others_left(kafka)
    try:
        yield prepared
    finally:
        if prepared.process is not None and prepared.process.returncode is None:
            # Not a kill: it must leave its group, for the next test begins with the same.
            await prepared.end(signal.SIGTERM)


async def pass_over_what_others_left(kafka: str) -> None:
    """The broker serves the whole session; begin at the end of the topic."""
    await topic(kafka)
    async with AIOKafkaConsumer(INDICATOR_EVENTS, bootstrap_servers=kafka) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
    async with AIOKafkaConsumer(bootstrap_servers=kafka, group_id=GROUP) as member:
        member.assign(list(ends))
        await member.commit(ends)


async def topic(kafka: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, partitions=3)
    await ensure_topics(settings, {INDICATOR_EVENTS: TOPIC_CONFIGS[INDICATOR_EVENTS]})


async def produce(kafka: str, *events: IndicatorUpdated, strange: bool = False) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        if strange:
            headers = [("content-type", b"\xff\xfe"), ("empty", None)]
            await producer.send_and_wait(INDICATOR_EVENTS, b"\xff no event", headers=headers)
            await producer.send_and_wait(INDICATOR_EVENTS, None, key=b"tombstone")
        for event in events:
            await producer.send_and_wait(
                INDICATOR_EVENTS, event.model_dump_json().encode(), key=event.data.area.encode()
            )


@asynccontextmanager
async def listening(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    async with AIOKafkaConsumer(
        ALERT_EVENTS, bootstrap_servers=kafka, auto_offset_reset="earliest"
    ) as consumer:
        yield consumer


def lags(version: int, *areas: str) -> list[IndicatorUpdated]:
    now = datetime.now(UTC)
    return [
        told(100, version=version, area=area, indicator=indicator, at=now, fresh_at=now)
        for area in areas
        for indicator in ("ds.smartphone", "ds.fibre")
    ]


async def test_the_line_from_figures_to_letters(
    running: Running, kafka: str, mailroom: Mailroom
) -> None:
    await produce(kafka, *lags(1, PROVINCE, COMMUNE), strange=True)
    await running.start()

    # One message a unit, with both of its indicators.
    async def both_told() -> bool:
        return len(mailroom.taken) >= 2

    await running.until(both_told)
    assert sorted(str(mail["To"]) for mail in mailroom.taken) == [
        "02647@example.vn",
        "15@example.vn",
    ]
    text = mailroom.taken[0].get_body(("plain",))
    assert text is not None
    assert "cáp quang" in text.get_content()
    assert "điện thoại thông minh" in text.get_content()

    # The province is told which commune holds it back.
    (smartphone,) = [
        alert
        for alert in await running.firing()
        if (alert["area"], alert["indicator"]) == (PROVINCE, "ds.smartphone")
    ]
    assert smartphone["held_back_by"]["areas"][0]["area_name"] == "Phường Lào Cai"
    assert smartphone["gap_people"] == smartphone["held_back_by"]["areas"][0]["gap_people"]

    # The world is told on alert-events.v1, keyed by unit.
    firing = {alert["id"] for alert in await running.firing()}
    async with listening(kafka) as consumer, asyncio.timeout(PATIENCE):
        while firing:
            record = await consumer.getone()
            event = AlertChanged.model_validate_json(record.value)
            if event.data.alert in firing:
                firing.remove(event.data.alert)
                assert event.type == "vn.nhipso.alert.opened.v1"
                assert record.key.decode() == event.data.area
                assert dict(record.headers)["content-type"] == b"application/cloudevents+json"

    # A kill and a replay of the whole topic tell nothing new.
    await running.end(signal.SIGKILL)
    running.environment["NHIPSO_HTTP__PORT"] = str(port := free_port())
    running.url = f"http://127.0.0.1:{port}"
    await produce(kafka, *lags(1, PROVINCE, COMMUNE))
    await running.start()
    await produce(kafka, *lags(1, "2025:02671"))

    async def third_told() -> bool:
        return len(mailroom.taken) >= 3

    await running.until(third_told)
    assert [str(mail["To"]) for mail in mailroom.taken][2:] == ["02671@example.vn"]
    assert len({mail["Message-ID"] for mail in mailroom.taken}) == 3

    async def six_are_shown() -> bool:
        _, shown = await running.get("/metrics")
        alerts = [one for one in shown.splitlines() if one.startswith("notifier_alerts{")]
        six = sum(float(one.split()[-1]) for one in alerts if 'state="firing"' in one) == 6
        # Observed once the delivery is noted, which is after the mail has come.
        return six and 'notifier_latency_seconds_count{receiver="email"}' in shown

    await running.until(six_are_shown)
    _, metrics = await running.get("/metrics")
    counter = 'notifier_notifications_total{outcome="delivered",reason="taken",receiver="email"}'
    assert f"{counter} 1.0" in metrics
    assert "notifier_consumer_lag" in metrics
    assert "notifier_received_messages_total" in metrics or "faststream_received" in metrics
    # 143: the signal takes its usual effect after an orderly shutdown.
    assert await running.end(signal.SIGTERM) in (0, -signal.SIGTERM)


async def test_who_may_see_what(running: Running, kafka: str) -> None:
    await produce(kafka, *lags(50, PROVINCE, COMMUNE, "2025:02671"))
    await running.start()

    async def six() -> bool:
        return len(await running.firing()) == 6

    await running.until(six)

    async def areas_of(caller: str, query: str = "") -> list[str]:
        status, answer = await running.get(f"/v1/alerts{query}", caller)
        assert status == HTTPStatus.OK
        return sorted({alert["area"] for alert in answer["alerts"]})

    assert await areas_of("leader") == sorted(AREAS)
    assert await areas_of(f"unit:{PROVINCE}") == sorted(AREAS)
    assert await areas_of(f"unit:{COMMUNE}") == [COMMUNE]
    assert await areas_of("leader", f"?area={COMMUNE}&severity=critical") == [COMMUNE]
    assert await areas_of("leader", "?indicator=ds.telehealth") == []
    assert await areas_of("leader", "?state=resolved") == []

    alert = (await running.firing())[0]
    status, one = await running.get(f"/v1/alerts/{alert['id']}", "operator")
    assert (status, one) == (HTTPStatus.OK, alert)
    other = next(a for a in await running.firing() if a["area"] != COMMUNE)

    source = "urn:nhipso:source:vneid"
    unit = f"unit:{COMMUNE}"
    for path, caller, expected in (
        ("/v1/alerts", None, HTTPStatus.UNAUTHORIZED),
        ("/v1/alerts", source, HTTPStatus.FORBIDDEN),
        ("/v1/deliveries", source, HTTPStatus.FORBIDDEN),
        ("/v1/receivers", unit, HTTPStatus.FORBIDDEN),
        ("/v1/receivers", source, HTTPStatus.FORBIDDEN),
        (f"/v1/alerts?area={PROVINCE}", unit, HTTPStatus.FORBIDDEN),
        (f"/v1/alerts/{other['id']}", unit, HTTPStatus.NOT_FOUND),
        ("/v1/alerts/nonsense", unit, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/v1/alerts?state=sleeping", unit, HTTPStatus.UNPROCESSABLE_ENTITY),
        ("/v1/alerts?colour=red", unit, HTTPStatus.UNPROCESSABLE_ENTITY),
    ):
        status, problem = await running.get(path, caller)
        assert status == expected, path
        assert problem["status"] == expected

    async def delivered() -> bool:
        _, answer = await running.get("/v1/deliveries", "operator")
        return [row["state"] for row in answer["deliveries"]] == ["delivered"] * 3

    await running.until(delivered)
    _, mine = await running.get("/v1/deliveries", unit)
    assert [row["receiver"] for row in mine["deliveries"]] == ["email:02647@example.vn"]
    _, of_one = await running.get(f"/v1/deliveries?alert={other['id']}", "operator")
    (row,) = of_one["deliveries"]
    assert row["area"] == other["area"]
    _, hidden = await running.get(f"/v1/deliveries?alert={other['id']}", unit)
    assert hidden["deliveries"] == []
    _, fare = await running.get("/v1/receivers", "operator")
    assert {(one["waiting"], one["disabled_at"]) for one in fare["receivers"]} == {(0, None)}
    body, operator = {"name": "email:02647@example.vn"}, running.tokens["operator"]
    async with (
        aiohttp.ClientSession(running.url) as session,
        session.post(
            "/v1/receivers/enable", json=body, headers={"Authorization": f"Bearer {operator}"}
        ) as answer,
    ):
        assert answer.status == HTTPStatus.NOT_FOUND  # it is not disabled


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NHIPSO_NOTIFIER__SMTP__HOST", None, "NHIPSO_NOTIFIER__SMTP__HOST"),
        ("NHIPSO_NOTIFIER__RECEIVERS_FILE", "/nowhere.yaml", "/nowhere.yaml cannot be read"),
        ("NHIPSO_NOTIFIER__ROUTES_FILE", "/nowhere.yaml", "/nowhere.yaml cannot be read"),
        ("NHIPSO_NOTIFIER__HOLIDAYS_FILE", "/nowhere.yaml", "/nowhere.yaml cannot be read"),
        ("NHIPSO_NOTIFIER__LEASE_SECONDS", "1", "NHIPSO_NOTIFIER__LEASE_SECONDS"),
        ("NHIPSO_KAFKA__BOOTSTRAP_SERVERS", None, "NHIPSO_KAFKA__BOOTSTRAP_SERVERS"),
    ],
)
async def test_a_wrong_setting_is_named(
    prepared: Running, variable: str, value: str | None, message: str
) -> None:
    prepared.environment.pop(variable, None)
    if value is not None:
        prepared.environment[variable] = value
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.notifier",
        env=prepared.environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert message in said.decode()
