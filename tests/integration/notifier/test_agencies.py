"""The agency that answers for an indicator is told of the province and of what holds it back."""

import json
from datetime import timedelta

from tests.integration.notifier.conftest import COMMUNE, NOW, PROVINCE, Bench, mailboxes, told

DAY = timedelta(days=1)
AGENCY = "agency:so-khoa-hoc-va-cong-nghe"
UNIT = f"unit:{PROVINCE}"


async def test_an_agency_and_the_province_are_told_each_once(bench: Bench) -> None:
    heard = NOW + 3 * DAY
    await bench.take(
        told(60_000, 100_000, area=PROVINCE, fresh_at=heard),
        told(60_000, 100_000, area=PROVINCE, indicator="ds.health-record", fresh_at=heard),
        told(600, area=COMMUNE, fresh_at=heard),
    )
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    telling = bench.telling(mailboxes(AGENCY, "agency:so-cong-thuong", UNIT))
    await bench.tell(telling)
    await bench.tell(telling)
    # The unit is told of both; this agency of its own, and another one of nothing.
    assert await bench.letters() == [(AGENCY, 1), (UNIT, 2)]
    async with bench.pool.acquire() as connection:
        written = await connection.fetchval(
            "SELECT letter FROM messages WHERE audience = $1", AGENCY
        )
    letter = json.loads(written)
    assert letter["addressee"] == "Sở Khoa học và Công nghệ"
    assert letter["area"] == PROVINCE
    [alert] = letter["alerts"]
    assert [area["area"] for area in alert["held_back_by"]["areas"]] == [COMMUNE]


async def test_an_agency_is_told_although_nobody_receives_for_the_province(bench: Bench) -> None:
    await bench.take(told(60_000, 100_000, area=PROVINCE, fresh_at=NOW + 3 * DAY))
    await bench.evaluate()
    await bench.evaluate(3 * DAY)
    await bench.tell(bench.telling(mailboxes(AGENCY)))
    assert await bench.letters() == [(AGENCY, 1)]
