"""The AsyncAPI 3.0 document of the topics: channels, messages, keys, who writes and who reads."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.event_schemas import REJECTED_EVENT, Schema, edge_schema, inside_schema
from contracts.events import EVENT_MODELS, TYPE_PREFIX
from contracts.examples import REJECTED_EXAMPLE, UPDATE_EXAMPLES, edge_example, inside_example
from contracts.report_events import REPORT_DUE, REPORT_MISSING, REPORT_RECEIVED
from contracts.subjects import inside_pattern
from contracts.topics import (
    ALERT_EVENTS,
    CLOUDEVENTS_JSON,
    CONTENT_TYPE_HEADER,
    INBOX_EVENTS,
    INDICATOR_EVENTS,
    REJECTED_EVENTS,
    REPORT_EVENTS,
    SUBJECT_EVENTS,
    TOPIC_CONFIGS,
)
from contracts.updates import ALERT_CHANGED, ALERT_OPENED, ALERT_RESOLVED, INDICATOR_UPDATED

ASYNCAPI_VERSION: Final = "3.0.0"
CONTRACT_VERSION: Final = "1.0.0"

_BINDING_VERSION: Final = "0.5.0"
_ALERTS: Final = (ALERT_OPENED, ALERT_CHANGED, ALERT_RESOLVED)
_REPORTS: Final = (REPORT_DUE, REPORT_MISSING, REPORT_RECEIVED)
_CHANGE_RECORD: Final = "debezium-change-record"

_AREA_KEY: Final = {
    "type": "string",
    "description": "the area id, for example 2025:02647",
}

#: Operation → who does it, what it does, on which channel.
_OPERATIONS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "sourcesSendInbox": ("sources", "send", "inbox", "Source systems that speak Kafka send events"),
    "ingestReceiveInbox": ("ingest", "receive", "inbox", "Ingest checks what sources sent"),
    "ingestSendSubjectEvents": (
        "ingest",
        "send",
        "subjectEvents",
        "Ingest publishes accepted events, under pseudonyms",
    ),
    "scoringReceiveSubjectEvents": (
        "scoring",
        "receive",
        "subjectEvents",
        "Scoring folds events into facts and figures",
    ),
    "ingestSendRejectedEvents": (
        "ingest",
        "send",
        "rejectedEvents",
        "Ingest keeps what it refused",
    ),
    "scoringSendRejectedEvents": (
        "scoring",
        "send",
        "rejectedEvents",
        "Scoring keeps what it could not read",
    ),
    "ingestReceiveRejectedEvents": (
        "ingest",
        "receive",
        "rejectedEvents",
        "Ingest keeps rejections where they can be worked on",
    ),
    "scoringSendIndicatorEvents": (
        "scoring",
        "send",
        "indicatorEvents",
        "Scoring tells of figures that have changed",
    ),
    "notifierReceiveIndicatorEvents": (
        "notifier",
        "receive",
        "indicatorEvents",
        "Notifier compares figures with the pace to their targets",
    ),
    "notifierSendAlertEvents": (
        "notifier",
        "send",
        "alertEvents",
        "Notifier tells of alerts that were opened, changed or resolved",
    ),
    "ingestSendReportEvents": (
        "ingest",
        "send",
        "reportEvents",
        "Ingest tells which reports of units are due, missing or complete",
    ),
    "notifierReceiveReportEvents": (
        "notifier",
        "receive",
        "reportEvents",
        "Notifier reminds units of their reports",
    ),
}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document of contract version 1, as JSON values."""
    subject_events = [_name(event_type) for event_type in EVENT_MODELS]
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Nhịp Số: topics",
            "version": CONTRACT_VERSION,
            "description": (
                "What the topics carry: events about citizens, households, organisations, "
                "institutions and dossiers in, figures of indicators and alerts out. Events are "
                "CloudEvents 1.0 in structured JSON.\n\n"
                "Tiếng Việt: các sự kiện vào và ra của hệ thống Nhịp Số trên Kafka. Số định danh "
                "cá nhân không bao giờ xuất hiện ngoài vùng biên; bên trong chỉ có bí danh."
            ),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": CLOUDEVENTS_JSON,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The broker (NHIPSO_KAFKA__BOOTSTRAP_SERVERS)",
                "variables": {
                    "bootstrap": {"default": "localhost:9092", "description": "host:port"}
                },
            }
        },
        "channels": {
            "subjectEvents": _channel(
                SUBJECT_EVENTS,
                "Accepted events (sự kiện đã tiếp nhận)",
                "Written by ingest alone, keyed by the subject in inside form. Kept for ever: "
                "state is rebuilt from it.",
                subject_events,
            ),
            "rejectedEvents": _channel(
                REJECTED_EVENTS,
                "Refused events (sự kiện bị từ chối)",
                "Keyed by source. The original is sealed; ingest alone can open it.",
                [_name(REJECTED_EVENT)],
            ),
            "indicatorEvents": _channel(
                INDICATOR_EVENTS,
                "Figures that have changed (chỉ tiêu cập nhật)",
                "Written by scoring alone, keyed by area id.",
                [_name(INDICATOR_UPDATED)],
            ),
            "alertEvents": _channel(
                ALERT_EVENTS,
                "Alerts (cảnh báo)",
                "Written by notifier alone, keyed by area id.",
                [_name(alert) for alert in _ALERTS],
            ),
            "reportEvents": _channel(
                REPORT_EVENTS,
                "Reports that are due, missing or complete (kỳ báo cáo của đơn vị)",
                "Written by ingest alone, keyed by area id.",
                [_name(report) for report in _REPORTS],
            ),
            "inbox": _channel(
                INBOX_EVENTS,
                "Events from a source that speaks Kafka (hộp nhận của nguồn)",
                "In edge form, or Debezium change records. It belongs to the edge: short "
                "retention, readable by ingest alone. Any key.",
                [*(f"edge.{name}" for name in subject_events), _CHANGE_RECORD],
            )
            | {
                "parameters": {
                    "source": {
                        "description": "the short name of the source system",
                        "examples": ["vneid", "dvc"],
                    }
                }
            },
        },
        "operations": {name: _operation(*entry) for name, entry in _OPERATIONS.items()},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _name(event_type: str) -> str:
    return event_type.removeprefix(TYPE_PREFIX)


def _channel(address: str, title: str, description: str, messages: list[str]) -> dict[str, Any]:
    binding: dict[str, Any] = {"bindingVersion": _BINDING_VERSION}
    if address in TOPIC_CONFIGS:
        binding["topic"] = address
        binding["topicConfiguration"] = {
            key: int(value) if key.startswith("retention.") else value
            for key, value in TOPIC_CONFIGS[address].items()
        }
    return {
        "address": address,
        "title": title,
        "description": description,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": binding},
    }


def _operation(service: str, action: str, channel: str, summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "tags": [{"name": service}],
    }


def _messages() -> dict[str, Any]:
    messages: dict[str, Any] = {}
    for event_type, model in EVENT_MODELS.items():
        name, summary = _name(event_type), model.__doc__ or ""
        key = {
            "type": "string",
            "pattern": inside_pattern(*model.subject_kinds),
            "description": "the subject in inside form",
        }
        messages[name] = _event(name, summary, inside_example(event_type), key)
        messages[f"edge.{name}"] = _event(f"edge.{name}", summary, edge_example(event_type), None)
    for event_type, example in UPDATE_EXAMPLES.items():
        summary = inside_schema(event_type)["description"]
        messages[_name(event_type)] = _event(_name(event_type), summary, example, _AREA_KEY)
    messages[_name(REJECTED_EVENT)] = _message(
        _name(REJECTED_EVENT),
        "What was refused, why, and where it came from.",
        REJECTED_EXAMPLE,
        {"type": "string", "description": "the source, or unknown"},
        "application/json",
    )
    messages[_CHANGE_RECORD] = {
        "name": _CHANGE_RECORD,
        "title": _CHANGE_RECORD,
        "summary": "A row change by Debezium; the connector of its source makes events of it.",
        "contentType": "application/json",
        "payload": {"type": "object"},
    }
    return messages


def _event(
    name: str, summary: str, example: Mapping[str, Any], key: Schema | None
) -> dict[str, Any]:
    return _message(name, summary, example, key, CLOUDEVENTS_JSON) | {
        "headers": {
            "type": "object",
            "properties": {CONTENT_TYPE_HEADER: {"type": "string", "const": CLOUDEVENTS_JSON}},
        }
    }


def _message(
    name: str, summary: str, example: Mapping[str, Any], key: Schema | None, content_type: str
) -> dict[str, Any]:
    binding = {"bindingVersion": _BINDING_VERSION} | ({} if key is None else {"key": key})
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": content_type,
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "examples": [{"name": "invented", "payload": dict(example)}],
        "bindings": {"kafka": binding},
    }


def _schemas() -> dict[str, Schema]:
    schemas: dict[str, Schema] = {}
    for event_type in EVENT_MODELS:
        name = _name(event_type)
        inside, edge = inside_schema(event_type), edge_schema(event_type)
        schemas[f"data.{name}"] = inside["properties"]["data"]
        for prefix, schema in (("", inside), ("edge.", edge)):
            schema["properties"]["data"] = {"$ref": f"#/components/schemas/data.{name}"}
            schemas[prefix + name] = schema
    for event_type in (INDICATOR_UPDATED, *_ALERTS, *_REPORTS, REJECTED_EVENT):
        schemas[_name(event_type)] = inside_schema(event_type)
    for schema in schemas.values():
        schema.pop("examples", None)  # they stand with the messages
    return schemas
