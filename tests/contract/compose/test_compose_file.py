"""docker-compose.yml keeps the Compose specification and this project's rules for a deployment."""

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.contract.compose import reading

CONTENT = reading.resolved(reading.env_file())
LASTING = reading.lasting(CONTENT)
OURS = reading.ours(CONTENT)
WITH_MAIL_PASSWORD = reading.lasting(reading.resolved(reading.env_file(commented=True)))
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))

PUBLISHED = {"ingest", "scoring", "notifier", "dashboard", "prometheus"}


def secrets_of(service: dict[str, Any]) -> set[str]:
    return {
        value.removeprefix(reading.SECRETS_FOLDER)
        for value in service["environment"].values()
        if value.startswith(reading.SECRETS_FOLDER)
    }


def test_it_is_valid_by_the_compose_specification() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(CONTENT)
    ]
    assert errors == []


def test_the_schema_would_notice_a_mistake() -> None:
    wrong = {"services": {"kafka": {"image": "apache/kafka:4.1.0", "port": ["9092:9092"]}}}
    assert not Draft202012Validator(SCHEMA).is_valid(wrong)


def test_the_whole_line_is_there() -> None:
    assert set(OURS) == {"ingest", "scoring", "notifier", "dashboard"}
    assert set(LASTING) == set(OURS) | {"kafka", "postgres", "prometheus"}


def test_the_example_of_settings_names_each_variable_with_its_default() -> None:
    used = dict(reading.variables(reading.raw()))
    example = reading.env_file()
    assert set(used) == set(example)
    for name, default in used.items():
        assert default in (None, example[name]), name


def test_a_demanded_setting_is_asked_for_by_name() -> None:
    env = reading.env_file()
    del env["NHIPSO_SMTP_HOST"]
    with pytest.raises(reading.MissingVariableError, match=r"NHIPSO_SMTP_HOST: .*\.env"):
        reading.resolved(env)


def test_what_is_named_is_declared_and_what_is_declared_is_used() -> None:
    services = CONTENT["services"].values()
    named = {name for service in services for name in service.get("networks", [])}
    assert named == set(CONTENT["networks"])
    secrets = {name for service in services for name in service.get("secrets", [])}
    assert secrets == set(CONTENT["secrets"])
    sources = {
        volume.split(":")[0] for service in services for volume in service.get("volumes", [])
    }
    assert {source for source in sources if "/" not in source} == set(CONTENT["volumes"])


def test_what_is_mounted_from_the_checkout_is_in_it_and_stays_as_it_is() -> None:
    for service in LASTING.values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                source, _, mode = volume.split(":")
                assert (reading.ROOT / source).exists(), volume
                assert mode == "ro", volume


def test_every_secret_is_a_file_of_the_folder_that_the_settings_name() -> None:
    env = {**reading.env_file(), "NHIPSO_SECRETS_DIR": "/elsewhere"}
    for name, secret in reading.resolved(env)["secrets"].items():
        assert secret == {"file": f"/elsewhere/{name}"}


@pytest.mark.parametrize("name", sorted(LASTING))
def test_a_service_gets_just_the_secrets_that_its_settings_name(name: str) -> None:
    service = WITH_MAIL_PASSWORD[name]
    assert secrets_of({"environment": {}, **service}) == set(service.get("secrets", []))


def test_what_has_no_value_is_passed_on_or_left_out() -> None:
    name = "NHIPSO_NOTIFIER__SMTP__USERNAME"
    assert name not in OURS["notifier"]["environment"]
    assert WITH_MAIL_PASSWORD["notifier"]["environment"][name] == "nhip-so"


@pytest.mark.parametrize("name", sorted(LASTING))
def test_no_secret_stands_in_an_environment(name: str) -> None:
    for variable, value in LASTING[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|TOKEN_|KEY|DSN", variable):
            assert variable.endswith("_FILE"), variable
            assert value.startswith(reading.SECRETS_FOLDER), variable


def test_ports_are_published_on_the_chosen_address_alone() -> None:
    env = {**reading.env_file(), "NHIPSO_BIND": "192.0.2.7"}
    raw = reading.raw()["services"]
    content = reading.lasting(reading.resolved(env))
    published = {name for name, service in content.items() if service.get("ports")}
    assert published == PUBLISHED
    host_ports = set()
    for name in published:
        (port,) = content[name]["ports"]
        address, host_port, _ = port.split(":")
        assert address == "192.0.2.7"
        assert re.search(r":\$\{NHIPSO_[A-Z]+_PORT:-\d+\}:\d+$", raw[name]["ports"][0])
        host_ports.add(host_port)
    assert len(host_ports) == len(PUBLISHED)


def test_the_published_port_is_the_one_that_the_image_listens_on() -> None:
    image = reading.image_environment()
    assert image["NHIPSO_HTTP__HOST"] == "0.0.0.0"
    for service in OURS.values():
        (port,) = service["ports"]
        assert port.rpartition(":")[2] == image["NHIPSO_HTTP__PORT"]
        assert not any(variable.startswith("NHIPSO_HTTP__") for variable in service["environment"])


def test_broker_and_database_are_out_of_reach_from_outside() -> None:
    assert CONTENT["networks"]["backbone"] == {"internal": True}
    for name, service in LASTING.items():
        assert "backbone" in service["networks"]
        assert ("edge" in service["networks"]) is (name in PUBLISHED), name


@pytest.mark.parametrize("name", sorted(LASTING))
def test_a_service_is_watched_bounded_and_without_privileges(name: str) -> None:
    service = LASTING[name]
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "kafka")
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert set(service["deploy"]["resources"]["limits"]) == {"memory", "pids"}
    assert service["stop_grace_period"]
    check = service["healthcheck"]
    assert set(check) == {
        "test",
        "interval",
        "timeout",
        "retries",
        "start_period",
        "start_interval",
    }
    assert check["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_of_ours_is_asked_whether_it_is_ready(name: str) -> None:
    *_, module, url = OURS[name]["healthcheck"]["test"]
    assert module == "services.chassis.probe"
    assert url == f"http://127.0.0.1:{reading.image_environment()['NHIPSO_HTTP__PORT']}/readyz"


@pytest.mark.parametrize("name", sorted(set(LASTING) - set(OURS)))
def test_a_foreign_image_is_pinned_by_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", LASTING[name]["image"])


def test_nothing_starts_before_what_it_needs() -> None:
    graph = {name: set(service.get("depends_on", {})) for name, service in LASTING.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(LASTING)
    for name, service in LASTING.items():
        for condition in service.get("depends_on", {}).values():
            assert condition == {"condition": "service_healthy"}
        if name not in OURS:
            continue
        needed = {
            host
            for value in service["environment"].values()
            for host in re.findall(r"\b([a-z]+):\d+", value)
        }
        if "NHIPSO_POSTGRES__DSN_FILE" in service["environment"]:
            needed.add("postgres")
        assert needed == graph[name], name


def test_data_outlive_their_containers() -> None:
    mounts = {
        name: [
            volume
            for volume in service.get("volumes", [])
            if volume.split(":")[0] in CONTENT["volumes"]
        ]
        for name, service in LASTING.items()
    }
    assert mounts["kafka"] == [f"kafka-data:{LASTING['kafka']['environment']['KAFKA_LOG_DIRS']}"]
    # Since version 18 the image's volume is the folder above the data's.
    assert mounts["postgres"] == ["postgres-data:/var/lib/postgresql"]
    assert mounts["prometheus"] == ["prometheus-data:/prometheus"]
