"""Prometheus scrapes what docker-compose.yml starts, and its rules can be acted on."""

from typing import Any

import yaml

from tests.contract.compose import reading

ROOM = reading.ROOT / "deploy/prometheus"
CONFIG = yaml.safe_load((ROOM / "prometheus.yml").read_text(encoding="utf-8"))
CONTENT = reading.resolved(reading.env_file())


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for pattern in CONFIG["rule_files"]
        for path in sorted(ROOM.glob(pattern))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def test_each_service_is_scraped_where_it_listens() -> None:
    port = reading.image_environment()["NHIPSO_HTTP__PORT"]
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in CONFIG["scrape_configs"]
    }
    assert targets.pop("prometheus") == ["localhost:9090"]
    assert targets == {name: [f"{name}:{port}"] for name in reading.ours(CONTENT)}


def test_a_service_and_prometheus_share_a_network() -> None:
    networks = set(CONTENT["services"]["prometheus"]["networks"])
    for service in reading.ours(CONTENT).values():
        assert networks & set(service["networks"])


def test_the_configuration_is_mounted_where_prometheus_reads_it() -> None:
    prometheus = CONTENT["services"]["prometheus"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in prometheus["volumes"]
    assert "--config.file=/etc/prometheus/prometheus.yml" in prometheus["command"]


def test_every_alert_says_how_urgent_it_is_what_is_wrong_and_what_to_do() -> None:
    assert rules()
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
