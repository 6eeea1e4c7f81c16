"""Times and days: RFC 3339 at the edge, aware UTC inside, local days in Asia/Ho_Chi_Minh."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: The zone in which the contract's days begin and end.
LOCAL_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")

#: An event's time may not lie before this day, nor further ahead of now than this.
EARLIEST_DAY: Final = date(2000, 1, 1)
FURTHEST_AHEAD: Final = timedelta(minutes=5)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# Viet Nam has kept UTC+7 without daylight saving since 1975, before the earliest event time that
# the contract takes, so a day number is plain arithmetic (a test holds it against the zone's data).
LOCAL_OFFSET_MICROSECONDS: Final = 7 * 3600 * 1_000_000
_DAY_MICROSECONDS: Final = 24 * 3600 * 1_000_000
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
#: Most times as they are written; Python reads these by itself, just so.
_COMMON: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 date-time with an offset as aware UTC, cut to whole microseconds.

    Raises:
        ValueError: when the text is not RFC 3339, has no offset, or names no real moment.
    """
    is_leap = False
    if _COMMON.fullmatch(text) is None:
        text, is_leap = _rewritten(text)
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
        return _after_leap_second(moment) if is_leap else moment
    except (ValueError, OverflowError) as error:
        raise ValueError(f"names no real moment: {error}") from None


def _rewritten(text: str) -> tuple[str, bool]:
    """The time as Python reads it, and whether it is the second before the one that is meant."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError(
            "must be RFC 3339 with an offset, for example 2026-11-22T08:30:00+07:00",
        )
    day, minute, second, fraction, offset = found.groups()
    microseconds = (fraction or "")[:6].ljust(6, "0")
    offset = "+00:00" if offset in "Zz" else offset
    is_leap = second == "60"
    return f"{day}T{minute}:{'59' if is_leap else second}.{microseconds}{offset}", is_leap


def _after_leap_second(before: datetime) -> datetime:
    """The second after `before`, as POSIX counts a leap second; one ends a month in UTC alone."""
    after = before + timedelta(seconds=1)
    if (after.day, after.hour, after.minute, after.second) != (1, 0, 0, 0):
        raise ValueError("a leap second can only end a month in UTC")
    return after


def format_rfc3339(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 in UTC, with ``Z`` and only the fraction it has."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def epoch_microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01T00:00:00Z."""
    return (moment - _EPOCH) // _MICROSECOND


def local_day(moment: datetime) -> date:
    """The calendar day of a moment in Asia/Ho_Chi_Minh."""
    return moment.astimezone(LOCAL_ZONE).date()


def local_ordinal(microseconds: int) -> int:
    """The local day of an epoch time in microseconds, as a proleptic ordinal (``date.toordinal``)."""
    return (microseconds + LOCAL_OFFSET_MICROSECONDS) // _DAY_MICROSECONDS + _EPOCH_ORDINAL


def time_objection(moment: datetime, now: datetime) -> str | None:
    """Why an event time is outside the contract's bounds, or None when it is inside."""
    # Ahead comes first: the last hours of the year 9999 have no local day.
    if moment - now > FURTHEST_AHEAD:
        return (
            "time lies more than 5 minutes ahead of now; check the clock and offset of the source"
        )
    if local_day(moment) < EARLIEST_DAY:
        return f"time lies before {EARLIEST_DAY}; check the clock or the unit of the source's time"
    return None
