"""A batch of indicator events comes to the same, whatever its order."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

from contracts import catalogue
from contracts.pace import Milestone
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData, indicator_updated
from services.notifier.core.intake import digest

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
CATALOGUE = catalogue.load()


def told(
    version: int,
    value: str | None,
    *,
    indicator: str = "ds.smartphone",
    fresh_at: datetime | None = NOW,
    days: int = 0,
) -> IndicatorUpdated:
    return indicator_updated(
        IndicatorUpdatedData(
            area="2025:02647",
            indicator=indicator,
            basis="events",
            numerator=1,
            denominator=2,
            value=None if value is None else Decimal(value),
            version=version,
            updated_at=NOW + timedelta(days=days),
            fresh_at=fresh_at,
        )
    )


def test_keeps_the_newest_and_the_first_value() -> None:
    events = [told(1, None), told(2, "10", days=1), told(3, "20", days=2)]
    for order in permutations(events):
        (figure,) = digest(order, CATALOGUE).figures
        assert (figure.version, figure.value) == (3, Decimal(20))
        assert figure.first == Milestone(date(2026, 11, 23), Decimal(10))


def test_hears_the_feed_of_an_indicator() -> None:
    events = [told(1, "1"), told(2, "2", fresh_at=NOW + timedelta(hours=1))]
    assert digest(events, CATALOGUE).heard == {"telecom": NOW + timedelta(hours=1)}


def test_a_composite_tells_of_all_its_feeds() -> None:
    heard = digest([told(1, "1", indicator="dc.group-1")], CATALOGUE).heard
    assert heard == dict.fromkeys(
        ("telecom", "identity", "public-service", "payment", "community"), NOW
    )


def test_a_feed_that_never_sent_is_not_heard() -> None:
    assert digest([told(1, "1", fresh_at=None)], CATALOGUE).heard == {}


def test_an_indicator_of_another_build_is_kept_without_its_feed() -> None:
    batch = digest([told(1, "1", indicator="zz.unknown")], CATALOGUE)
    assert (len(batch.figures), batch.heard) == (1, {})
