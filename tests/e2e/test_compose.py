"""The services as docker-compose.yml starts them carry an event from its source to the figures."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
import yaml

from deploy.embedded.child import CALLER
from deploy.embedded.kafka import Kafka
from deploy.embedded.pg_binaries import binaries
from deploy.embedded.ports import LOOPBACK, free_port
from deploy.embedded.postgres import Postgres
from deploy.embedded.program import start_together
from tests.contract.compose import reading
from tests.e2e.composed_line import ComposedLine

PROVINCE: Final = "2025:15"
COMMUNE: Final = "02647"
CITIZEN: Final = "citizen:000000000015"
COUNTED_SECONDS: Final = 30

#: A province's own files, each made of what ships: its place there, and what is changed in it.
OWN_FILES: Final = {
    "rules.yaml": (
        "services/notifier/rules/rules.yaml",
        ("minimum_denominator: 30", "minimum_denominator: 41"),
    ),
    "routes.yaml": ("services/notifier/routes.yaml", ("  to: unit", "  to: van-phong")),
    "agencies.yaml": ("contracts/agencies/agencies.yaml", ("van-phong-ubnd", "so-cua-tinh")),
}
HOLIDAYS: Final = """\
country: VN
years:
  2006:
    days_off: [{day: 2006-01-01, name: Tết Dương lịch}]
"""
RECEIVERS: Final = """\
receivers:
  - {agency: so-cua-tinh, email: so@example.vn}
  - {group: van-phong, email: van-phong@example.vn}
"""


@dataclass(frozen=True)
class Running:
    """The line, and the secrets it was started with."""

    line: ComposedLine
    secrets: Path

    def headers(self, caller: str) -> dict[str, str]:
        token = (self.secrets / f"tokens/{caller}.jwt").read_text(encoding="utf-8").strip()
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("compose")
    content = reading.resolved(own_province(folder / "province"))
    secrets = make_secrets(content, folder)
    (secrets / "receivers.yaml").write_text(RECEIVERS, encoding="utf-8")
    # Not the session's servers: the file's topics, groups and role would meet those of other tests.
    kafka = Kafka(folder / "kafka", port=free_port(), controller_port=free_port(), heap="512m")
    postgres = Postgres(
        folder / "postgres",
        port=free_port(),
        password=(secrets / "postgres_password").read_text(encoding="utf-8").strip(),
        settings={"shared_buffers": "64MB", "max_wal_size": "1GB"},
    )
    try:
        start_together([kafka, postgres])
        address = f"{LOOPBACK}:{postgres.port}"
        dsn = secrets / "postgres_dsn"
        dsn.write_text(dsn.read_text(encoding="utf-8").replace("postgres:5432", address))
        asyncio.run(name_the_superuser_as_the_image_does(postgres.dsn))
        set_up_as_the_image_does(content["services"]["postgres"], secrets, postgres.dsn)

        logs = folder / "logs"
        logs.mkdir()
        line = ComposedLine(content, secrets, logs)
        line.hosts(kafka_9092=kafka.bootstrap)
        with line.running():
            yield Running(line, secrets)
    finally:
        postgres.stop()
        kafka.stop()


def own_province(folder: Path) -> dict[str, str]:
    """Put a province's own files into a folder; return .env with the lines that name them."""
    folder.mkdir()
    for name, (shipped, (before, after)) in OWN_FILES.items():
        text = (reading.ROOT / shipped).read_text(encoding="utf-8")
        assert before in text, name
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    (folder / "holidays.yaml").write_text(HOLIDAYS, encoding="utf-8")
    known = reading.env_file(commented=True)
    lines = {name: value for name, value in known.items() if value.startswith("/province/")}
    assert {value.removeprefix("/province/") for value in lines.values()} == {
        "holidays.yaml",
        *OWN_FILES,
    }
    return {**reading.env_file(), **lines, "NHIPSO_PROVINCE_DIR": str(folder)}


def make_secrets(content: dict[str, Any], folder: Path) -> Path:
    """Run the file's service that makes the secrets, its mounts mapped; return their folder."""
    secrets = folder / "secrets"
    entry = content["services"]["secrets"]
    seen = {inside: str(path) for inside, path in reading.folders(entry).items()}
    seen["/secrets"] = str(secrets)
    python, *arguments = entry["command"]
    assert python == "python"
    mapped = [seen.get(word, word) for word in arguments]
    subprocess.run([sys.executable, *mapped], cwd=folder, check=True)
    return secrets


async def name_the_superuser_as_the_image_does(dsn: str) -> None:
    """Call the superuser postgres: in the embedded server it bears the name of the services' role."""
    connection = await asyncpg.connect(dsn)
    password = urlsplit(dsn).password
    await connection.execute(f"CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{password}'")
    await connection.close()
    connection = await asyncpg.connect(dsn, user="postgres")
    await connection.execute("ALTER ROLE nhipso RENAME TO embedded")
    await connection.close()


def set_up_as_the_image_does(entry: dict[str, Any], secrets: Path, dsn: str) -> None:
    """Let psql run the file that the image runs when it finds its volume empty."""
    (mount,) = (volume for volume in entry["volumes"] if "/docker-entrypoint-initdb.d/" in volume)
    script = reading.ROOT / mount.split(":")[0]
    inside = entry["environment"]["NHIPSO_POSTGRES__DSN_FILE"]
    variables = {
        "NHIPSO_POSTGRES__DSN_FILE": str(secrets / inside.removeprefix(reading.SECRETS_FOLDER)),
        "PGPASSWORD": urlsplit(dsn).password or "",
        "PATH": "/usr/bin:/bin",
    }
    target = urlsplit(dsn)
    for _ in range(2):  # run again, it changes nothing
        subprocess.run(
            [
                binaries(CALLER).bin / "psql",
                f"--host={target.hostname}",
                f"--port={target.port}",
                "--username=postgres",
                f"--dbname={entry['environment']['POSTGRES_DB']}",
                "--no-password",
                "--no-psqlrc",
                f"--file={script}",
            ],
            env=variables,
            check=True,
        )


def registration() -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "compose-1",
        "source": "urn:nhipso:source:vneid",
        "type": "vn.nhipso.identity.citizen-registered.v1",
        "subject": CITIZEN,
        "time": datetime.now(UTC).isoformat(),
        "data": {"birth_date": "1990-05-17", "area": COMMUNE},
    }


async def figures(session: aiohttp.ClientSession, running: Running) -> list[dict[str, Any]]:
    async with session.get(
        f"{running.line.url('scoring')}/v1/areas/{PROVINCE}/indicators",
        headers=running.headers("operator"),
    ) as answer:
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = (await answer.json())["indicators"]
        return found


def counted(indicators: list[dict[str, Any]]) -> bool:
    return any(indicator["denominator"] == 1 for indicator in indicators)


async def metric(session: aiohttp.ClientSession, running: Running, name: str) -> float:
    async with session.get(f"{running.line.url('notifier')}/metrics") as answer:
        found = re.search(rf"^{name} (\S+)", await answer.text(), re.MULTILINE)
    assert found is not None
    return float(found[1])


async def test_an_event_goes_through(running: Running) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(
            f"{running.line.url('ingest')}/v1/events",
            json=registration(),
            headers={
                **running.headers("vneid"),
                "Content-Type": "application/cloudevents+json",
            },
        ) as answer:
            assert answer.status == 202, await answer.text()
            assert await answer.json() == {"accepted": 1, "rejected": []}
        async with asyncio.timeout(COUNTED_SECONDS):
            while not counted(await figures(session, running)):  # noqa: ASYNC110
                await asyncio.sleep(0.2)


async def test_the_dashboard_shows_the_province(running: Running) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(running.line.url("dashboard")) as answer,
    ):
        assert answer.status == 200
        assert "Lào Cai" in await answer.text()


async def test_the_notifier_goes_by_the_provinces_own_files(running: Running) -> None:
    # That it has started says that its routes and agencies are those that the receivers name.
    async with aiohttp.ClientSession() as session:
        async with session.get(
            f"{running.line.url('notifier')}/v1/targets?area={PROVINCE}&indicator=ds.smartphone",
            headers=running.headers("operator"),
        ) as answer:
            assert answer.status == 200, await answer.text()
            (target,) = (await answer.json())["targets"]
            assert target["minimum_denominator"] == 41
        # The present year is not in the province's file.
        async with asyncio.timeout(COUNTED_SECONDS):
            while not await metric(session, running, "notifier_holiday_years_missing"):  # noqa: ASYNC110
                await asyncio.sleep(0.2)


async def test_every_metric_of_the_rules_is_told_by_a_service(running: Running) -> None:
    told = set()
    async with aiohttp.ClientSession() as session:
        for service in running.line.services:
            async with session.get(f"{running.line.url(service)}/metrics") as answer:
                told |= set(re.findall(r"^# TYPE (\S+)", await answer.text(), re.MULTILINE))
    expressions = [
        rule["expr"]
        for path in (reading.ROOT / "deploy/prometheus/rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    named = {
        name.removesuffix("_bucket")
        for expression in expressions
        for name in re.findall(r"\b(?:ingest|scoring|notifier|dashboard|http)_\w+", expression)
    }
    assert named
    assert named <= told


def test_what_is_logged_is_json_and_names_nobody(running: Running) -> None:
    for service in running.line.services:
        log = running.line.log(service)
        assert CITIZEN.partition(":")[2] not in log
        assert all(line.startswith("{") for line in log.splitlines()), service
