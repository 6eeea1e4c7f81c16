"""The AsyncAPI document is one of version 3.0, and says what the topics carry."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from contracts.schemas import asyncapi
from contracts.topics import TOPIC_CONFIGS

SPECIFICATION = json.loads(
    (Path(__file__).parent / "data" / "asyncapi" / "asyncapi-3.0.0.json").read_text("utf-8")
)
DOCUMENT = asyncapi()
CHANNELS: dict[str, Any] = DOCUMENT["channels"]
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def inlined(node: Any) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return inlined(resolve(node["$ref"]))
        return {key: inlined(value) for key, value in node.items()}
    return node


def test_the_document_is_valid_by_the_specification() -> None:
    Draft7Validator(SPECIFICATION).validate(DOCUMENT)


@pytest.mark.parametrize(
    "broken",
    [
        {"asyncapi": "2.6.0"},
        {"operations": {"x": {"action": "publish", "channel": {"$ref": "#/channels/inbox"}}}},
        {"channels": {"x": {"adress": "x.v1"}}},
        {"channels": {"x": {"bindings": {"kafka": {"partitions": 0}}}}},
    ],
)
def test_the_specification_refuses_a_broken_document(broken: dict[str, Any]) -> None:
    assert not Draft7Validator(SPECIFICATION).is_valid({**DOCUMENT, **broken})


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        assert resolve(reference)


def test_the_channels_are_the_topics_and_the_inbox() -> None:
    addresses = {channel["address"] for channel in CHANNELS.values()}
    assert addresses == {*TOPIC_CONFIGS, "inbox.{source}.v1"}
    assert set(CHANNELS["inbox"]["parameters"]) == {"source"}


def test_the_subject_events_are_the_23_of_the_contract_and_each_can_come_by_inbox() -> None:
    inside = set(CHANNELS["subjectEvents"]["messages"])
    assert len(inside) == 23
    inbox = set(CHANNELS["inbox"]["messages"])
    assert inbox == {f"edge.{name}" for name in inside} | {"debezium-change-record"}


def test_every_message_stands_on_a_channel_and_every_schema_in_a_message() -> None:
    used = {reference for channel in CHANNELS.values() for reference in references(channel)}
    assert {f"#/components/messages/{name}" for name in MESSAGES} <= used
    named = {reference for message in MESSAGES.values() for reference in references(message)}
    named |= {inner for reference in set(named) for inner in references(resolve(reference))}
    schemas = DOCUMENT["components"]["schemas"]
    assert named == {f"#/components/schemas/{name}" for name in schemas}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_the_examples_of_a_message_fit_its_payload_and_key(name: str) -> None:
    message = MESSAGES[name]
    payload = Draft7Validator(inlined(message["payload"]))
    for example in message.get("examples", ()):
        payload.validate(example["payload"])
        key = message["bindings"]["kafka"].get("key", {})
        if "pattern" in key:
            Draft7Validator(key).validate(example["payload"]["subject"])


def test_one_service_alone_writes_each_topic_but_that_of_refusals() -> None:
    writers: dict[str, set[str]] = {}
    for operation in DOCUMENT["operations"].values():
        if operation["action"] == "send":
            channel = operation["channel"]["$ref"].rpartition("/")[2]
            writers.setdefault(channel, set()).update(tag["name"] for tag in operation["tags"])
    assert writers == {
        "subjectEvents": {"ingest"},
        "rejectedEvents": {"ingest", "scoring"},
        "indicatorEvents": {"scoring"},
        "alertEvents": {"notifier"},
        "reportEvents": {"ingest"},
        "inbox": {"sources"},
    }


def test_a_topic_says_how_long_it_is_kept() -> None:
    for channel in CHANNELS.values():
        if channel["address"] in TOPIC_CONFIGS:
            said = channel["bindings"]["kafka"]["topicConfiguration"]
            for key, value in TOPIC_CONFIGS[channel["address"]].items():
                assert str(said[key]) == value
