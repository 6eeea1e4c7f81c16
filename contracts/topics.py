"""Topics: names, and how each is kept. Source: wire contract, "Topics"."""

from collections.abc import Mapping
from typing import Final

SUBJECT_EVENTS: Final = "subject-events.v1"
REJECTED_EVENTS: Final = "rejected-events.v1"
INDICATOR_EVENTS: Final = "indicator-events.v1"
ALERT_EVENTS: Final = "alert-events.v1"
REPORT_EVENTS: Final = "report-events.v1"
#: One topic a source that speaks Kafka, for example ``inbox.vneid.v1``; created by its operator.
INBOX_EVENTS: Final = "inbox.{source}.v1"

CONTENT_TYPE_HEADER: Final = "content-type"
CLOUDEVENTS_JSON: Final = "application/cloudevents+json"
CLOUDEVENTS_BATCH_JSON: Final = "application/cloudevents-batch+json"

_DAY_MS: Final = 24 * 3600 * 1000

#: Topic name → Kafka configuration. Accepted events are kept for ever: state is rebuilt from them.
TOPIC_CONFIGS: Final[Mapping[str, Mapping[str, str]]] = {
    SUBJECT_EVENTS: {"retention.ms": "-1", "retention.bytes": "-1", "compression.type": "producer"},
    REJECTED_EVENTS: {"retention.ms": str(90 * _DAY_MS)},
    INDICATOR_EVENTS: {"retention.ms": str(7 * _DAY_MS)},
    ALERT_EVENTS: {"retention.ms": str(90 * _DAY_MS)},
    REPORT_EVENTS: {"retention.ms": str(90 * _DAY_MS)},
}
