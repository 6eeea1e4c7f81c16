"""Where the commands look for Kafka and PostgreSQL."""

import json
from pathlib import Path

import pytest

from services.chassis.settings import KafkaSettings
from services.cli.exits import UNREACHABLE, USAGE, CommandError
from services.cli.servers import Servers, database, servers

DSN = "postgresql://nhipso:secret@db/nhipso"


@pytest.fixture
def endpoints(tmp_path: Path) -> Path:
    file = tmp_path / "endpoints.json"
    content = {"kafka": "127.0.0.1:8604", "postgres": "postgresql://local", "tokens": {}}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def test_without_options_they_are_those_of_the_running_stack(endpoints: Path) -> None:
    found = servers(endpoints, None, None, None)
    assert found == Servers(KafkaSettings(bootstrap_servers="127.0.0.1:8604"), "postgresql://local")


def test_an_option_goes_before(endpoints: Path, tmp_path: Path) -> None:
    found = servers(endpoints, "kafka:9092", DSN, None)
    assert found == Servers(KafkaSettings(bootstrap_servers="kafka:9092"), DSN)
    file = tmp_path / "dsn"
    file.write_text(f"{DSN}\n", encoding="utf-8")
    assert database(endpoints, None, file) == DSN


def test_the_broker_is_reached_as_the_variables_of_the_services_say(
    endpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = tmp_path / "password"
    password.write_text("an invented password", encoding="utf-8")
    monkeypatch.setenv("NHIPSO_KAFKA__SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("NHIPSO_KAFKA__SASL_USERNAME", "nhipso")
    monkeypatch.setenv("NHIPSO_KAFKA__SASL_PASSWORD_FILE", str(password))
    kafka = servers(endpoints, "kafka:9093", DSN, None).kafka
    assert (kafka.bootstrap_servers, kafka.sasl_username) == ("kafka:9093", "nhipso")


def test_what_cannot_be_found_is_said(endpoints: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot read the secret file") as missing:
        database(endpoints, None, tmp_path / "nothing")
    assert missing.value.code == USAGE
    with pytest.raises(CommandError, match="start the stack") as gone:
        servers(tmp_path / "nothing.json", None, DSN, None)
    assert gone.value.code == UNREACHABLE
    endpoints.write_text(json.dumps({"tokens": {}}), encoding="utf-8")
    with pytest.raises(CommandError, match="names no address of kafka"):
        servers(endpoints, None, DSN, None)
