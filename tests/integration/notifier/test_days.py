"""The days of figures, and letters that tell a trend from them, on a real store."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from contracts.pace import Milestone
from contracts.projection import TREND_DAYS
from services.notifier.core.figure import FigureKey
from services.notifier.core.letter import Letter
from services.notifier.links import Links
from services.notifier.store import days
from tests.integration.notifier.conftest import COMMUNE, NOW, Bench, mailboxes, told

DAY = timedelta(days=1)
KEY = FigureKey(COMMUNE, "ds.smartphone", "events")
UNIT = f"unit:{COMMUNE}"
OTHERS = ("2025:02671", "2025:02680", "2025:02683", "2025:02647")


async def known(bench: Bench) -> list[Milestone]:
    async with bench.pool.acquire() as connection:
        return (await days.of_keys(connection, [KEY])).get(KEY, [])


async def rise(bench: Bench, *steps: tuple[int, int], first_version: int = 1) -> None:
    """Take a figure of so many days ago, each with the next version."""
    for number, (ago, numerator) in enumerate(steps):
        at = NOW - ago * DAY
        await bench.take(told(numerator, version=first_version + number, at=at))


def on(ago: int) -> date:
    return (NOW - ago * DAY).date()


async def test_the_newest_of_each_day_is_kept(bench: Bench) -> None:
    await rise(bench, (2, 100), (2, 110), (1, 120))
    assert [(one.on, int(one.percent)) for one in await known(bench)] == [(on(2), 11), (on(1), 12)]
    # Late, of a day that is known better.
    await bench.take(told(90, version=1, at=NOW - 2 * DAY))
    assert [int(one.percent) for one in await known(bench)] == [11, 12]


async def test_a_batch_keeps_each_of_its_days(bench: Bench) -> None:
    events = [told(100 + ago, version=9 - ago, at=NOW - ago * DAY) for ago in range(5)]
    await bench.take(*events)
    assert [one.on for one in await known(bench)] == [on(ago) for ago in (4, 3, 2, 1, 0)]


async def test_what_is_older_than_the_trend_is_forgotten(bench: Bench) -> None:
    steps = [(ago, 500 - ago) for ago in range(200, -1, -10)]
    await rise(bench, *steps)
    kept = await known(bench)
    assert kept[0].on == on(TREND_DAYS)
    assert len(kept) == 1 + TREND_DAYS // 10


async def test_what_stood_when_the_trend_begins_is_kept(bench: Bench) -> None:
    await rise(bench, (300, 100), (200, 200), (20, 300), (0, 400))
    assert [one.on for one in await known(bench)] == [on(200), on(20), on(0)]


async def test_a_replay_ends_as_it_began(bench: Bench) -> None:
    steps = [(ago, 500 - ago) for ago in range(200, -1, -7)]
    await rise(bench, *steps)
    before = await known(bench)
    await rise(bench, *steps)
    assert await known(bench) == before
    await bench.take(
        *(
            told(numerator, version=1 + number, at=NOW - ago * DAY)
            for number, (ago, numerator) in enumerate(steps)
        )
    )
    assert await known(bench) == before


async def test_what_is_not_judged_is_not_kept(bench: Bench) -> None:
    await bench.take(told(100, indicator="dc.1.1"), told(100, denominator=0))
    async with bench.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM figure_days") == 0


async def written(bench: Bench) -> list[Letter]:
    async with bench.pool.acquire() as connection:
        rows = await connection.fetch("SELECT letter FROM messages ORDER BY written_at")
    return [Letter.model_validate_json(row["letter"]) for row in rows]


@pytest.fixture
def links() -> Links:
    return Links(
        dashboard_url="https://nhipso.example.vn",
        notifier_url="https://nhipso.example.vn/thong-bao",
        key=b"an invented key of thirty-two by",
    )


def fresh(bench: Bench) -> datetime:
    return bench.clock.now() + 30 * DAY


async def test_letters_tell_the_trend_similar_units_and_what_has_changed(
    bench: Bench, links: Links
) -> None:
    later = NOW + 30 * DAY
    await rise(bench, (60, 100), (30, 130))
    await bench.take(
        told(160, version=3, fresh_at=later),
        *(
            told(300 + 100 * number, area=area, fresh_at=later)
            for number, area in enumerate(OTHERS[:3])
        ),
    )
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    telling = bench.telling(mailboxes(UNIT), links=links)
    await bench.tell(telling)
    (first,) = await written(bench)
    (alert,) = first.alerts
    assert alert.trend is not None
    assert [point.value for point in (alert.trend.points[0], alert.trend.points[-1])] == [10, 16]
    assert alert.trend.outlook == "on-the-way"
    assert alert.similar is not None
    assert (alert.similar.count, alert.similar.best) == (3, OTHERS[2])
    assert alert.similar.median == Decimal(40)
    assert (alert.missing, alert.before) == (840, None)
    assert first.page_url == f"https://nhipso.example.vn/areas/{COMMUNE}"
    assert first.acknowledge_url is not None
    await bench.take(told(180, version=4, at=bench.clock.now(), fresh_at=fresh(bench)))
    await bench.evaluate(DAY)
    await bench.tell(telling)
    _, second = await written(bench)
    (alert,) = second.alerts
    assert alert.before is not None
    assert [alert.before.value, alert.value] == [16, 18]
    assert alert.before.on == first.written_at


async def test_a_letter_names_what_has_recovered(bench: Bench) -> None:
    await bench.take(
        told(100, fresh_at=fresh(bench)), told(100, indicator="ds.fibre", fresh_at=fresh(bench))
    )
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    telling = bench.telling(mailboxes(UNIT))
    await bench.tell(telling)
    await bench.take(
        told(1000, indicator="ds.fibre", version=2, at=bench.clock.now(), fresh_at=fresh(bench))
    )
    await bench.evaluate(DAY)
    await bench.tell(telling)
    first, second = await written(bench)
    assert len(first.alerts) == 2
    assert [one.indicator for one in second.alerts] == ["ds.smartphone"]
    assert [one.indicator for one in second.recovered] == ["ds.fibre"]
