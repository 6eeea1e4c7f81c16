"""Why an event is refused: the enum that is also the metric label. Source: wire contract."""

from enum import StrEnum


class Reason(StrEnum):
    """Reason of a refusal, as answered over HTTP and written to ``rejected-events.v1``."""

    BAD_ENVELOPE = "bad-envelope"
    UNKNOWN_TYPE = "unknown-type"
    BAD_DATA = "bad-data"
    BAD_SUBJECT = "bad-subject"
    BAD_TIME = "bad-time"
    UNKNOWN_AREA = "unknown-area"
    SOURCE_NOT_ALLOWED = "source-not-allowed"
    PERSONAL_DATA = "personal-data"
    TOO_LARGE = "too-large"
