"""Reads how long the other side asks to be left alone: ``Retry-After`` (RFC 9110, 10.2.3)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = timedelta(days=1)
"""A wish for more is cut: whoever asks for a year has made a mistake."""


def wish(retry_after: str | None, now: datetime) -> timedelta | None:
    """How long to wait, by what the header says: seconds or a date. None where it is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        # A number without end must not break us.
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
        asked = moment.replace(tzinfo=moment.tzinfo or UTC) - now
    except (ValueError, OverflowError):
        return None
    return min(max(asked, timedelta(0)), LONGEST)
