"""Moments at which counting goes wrong most easily, and the ways to write one moment."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import Final

from tests.oracle.said import HO_CHI_MINH

#: The first day of the merged province and its new communes.
REFORM: Final = date(2025, 7, 1)

_FIRST_DAY: Final = date(2000, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Days before today around which windows of 90 and 365 days open and close.
_EDGE_DAYS: Final = (0, 1, 89, 90, 91, 92, 364, 365, 366, 367, 730)
#: Local midnight, the midnight of UTC (07:00 here), and what lies just beside them.
_EDGE_TIMES: Final = (
    time(0),
    time(0, 0, 0, 1),
    time(23, 59, 59, 999_999),
    time(6, 59, 59, 999_999),
    time(7),
    time(12, 30, 0, 500_000),
)
_OFFSETS: Final = (
    *(HO_CHI_MINH, HO_CHI_MINH, UTC),
    timezone(timedelta(hours=-5)),
    timezone(timedelta(hours=5, minutes=45)),
    timezone(timedelta(hours=14)),
    timezone(-timedelta(hours=11, minutes=30)),
)


class Moments:
    """Draws event times that ingest accepts at `now` and after."""

    def __init__(self, rng: Random, now: datetime) -> None:
        self._rng = rng
        self._now = now
        self._today = now.astimezone(HO_CHI_MINH).date()

    def draw(self) -> datetime:
        """One moment: at an edge of a window, around the reform, just now, or long ago."""
        rng = self._rng
        kind = rng.choices(
            ("edge", "reform", "now", "ahead", "years", "ever"), (35, 10, 10, 5, 25, 15)
        )[0]
        match kind:
            case "edge":
                day = self._today - timedelta(days=rng.choice(_EDGE_DAYS))
                moment = datetime.combine(day, rng.choice(_EDGE_TIMES), HO_CHI_MINH)
            case "reform":
                midnight = datetime.combine(REFORM, time(0), HO_CHI_MINH)
                steps = (-86_400_000_000, -1, 0, 1, 3_600_000_000)
                moment = midnight + rng.choice(steps) * _MICROSECOND
            case "now":
                moment = self._now - timedelta(seconds=rng.uniform(0, 7200))
            case "ahead":
                moment = self._now + timedelta(seconds=rng.uniform(0, 200))
            case "years":
                moment = self._now - timedelta(days=rng.uniform(0, 800))
            case _:
                first = datetime.combine(_FIRST_DAY, time(0), HO_CHI_MINH)
                share = rng.choice((0.0, rng.random()))
                moment = first + share * (self._now - first)
        # An hour of today may still lie ahead.
        latest = self._now + timedelta(seconds=200)
        return moment if moment <= latest else self._now - timedelta(seconds=rng.uniform(0, 60))

    def written(self, moment: datetime) -> str:
        """The moment in one of the many forms that RFC 3339 allows."""
        rng = self._rng
        local = moment.astimezone(rng.choice(_OFFSETS))
        if local.date() < _FIRST_DAY:  # a day before 2000 is refused as it is written
            local = moment.astimezone(HO_CHI_MINH)
        text = local.replace(tzinfo=None).isoformat()
        if local.microsecond and rng.random() < 0.2:
            text += rng.choice(("000", "999"))  # digits beyond microseconds are cut off
        elif not local.microsecond and rng.random() < 0.3:
            text += rng.choice((".0", ".000", ".000000000"))
        offset = local.isoformat()[-6:]
        if offset == "+00:00":
            offset = rng.choice(("Z", "z", "+00:00"))
        return (text.replace("T", "t") if rng.random() < 0.05 else text) + offset


def local_day(moment: datetime) -> date:
    """The local day of a moment."""
    return moment.astimezone(HO_CHI_MINH).date()
