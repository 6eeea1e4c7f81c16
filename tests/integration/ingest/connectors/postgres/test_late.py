"""No row is missed of a transaction that commits late, whatever it has written and however."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import structlog

from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.postgres.accounts import INSERT, Reading, Source
from tests.integration.ingest.connectors.postgres.conftest import Open


async def other(source: Source) -> asyncpg.Connection:
    return await asyncpg.connect(source.url)


@pytest.mark.parametrize("late", [None, 3_600])
async def test_a_slow_transaction_is_found_when_it_commits(
    source: Source, reading: Open, late: int | None
) -> None:
    slow = await other(source)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, citizen(1), None)  # its time is that of its begin
    await source.connection.execute(INSERT, citizen(2), None)
    at = await reading(source.accounts(late=late))
    assert await at.subjects() == [citizen(2)]
    await source.connection.execute(INSERT, citizen(3), None)
    # What was read already is not sent again while the slow one stays open.
    assert await at.subjects() == [citizen(3)]
    await transaction.commit()
    assert await at.subjects() == [citizen(1)]
    assert await at.subjects() == []
    await slow.close()


async def test_another_process_finds_it_too(source: Source, reading: Open) -> None:
    slow = await other(source)
    async with slow.transaction():
        await slow.execute(INSERT, citizen(1), None)
        await source.connection.execute(INSERT, citizen(2), None)
        first = await reading(source.accounts())
        assert await first.subjects() == [citizen(2)]
    second = await reading(source.accounts())
    second.cursor = first.cursor
    # What was written while the slow one was open comes again: a repeat, not a loss.
    assert await second.subjects() == sorted([citizen(1), citizen(2)])
    assert await second.subjects() == []
    await slow.close()


async def test_an_outbox_number_drawn_early_and_committed_late_is_found(
    source: Source, reading: Open
) -> None:
    at = await reading(source.outbox())
    slow = await other(source)
    async with slow.transaction():
        # The number is drawn before the transaction has an id of its own.
        number = await slow.fetchval("SELECT nextval('outbox_id_seq')")
        await source.connection.execute("INSERT INTO outbox (event) VALUES ('{\"n\": 2}')")
        assert [json.loads(one) for one in await at.all()] == [{"n": 2}]
        await slow.execute("INSERT INTO outbox VALUES ($1, '{\"n\": 1}')", number)
    assert [json.loads(one) for one in await at.all()] == [{"n": 1}]
    await slow.close()


async def test_what_a_subtransaction_has_written_is_found(source: Source, reading: Open) -> None:
    at = await reading(source.accounts())
    slow = await other(source)
    async with slow.transaction():
        await slow.execute(INSERT, citizen(1), None)
        # Others draw ids between those of the transaction and of its subtransactions.
        await source.connection.execute(INSERT, citizen(2), None)
        async with slow.transaction():
            await slow.execute(INSERT, citizen(3), None)
        await source.connection.execute(INSERT, citizen(4), None)
        assert await at.subjects() == [citizen(2), citizen(4)]
    assert await at.subjects() == [citizen(1), citizen(3)]
    await slow.close()


async def test_what_is_rolled_back_is_never_read(source: Source, reading: Open) -> None:
    at = await reading(source.accounts())
    slow = await other(source)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, citizen(1), None)
    assert await at.subjects() == []
    await transaction.rollback()
    assert await at.subjects() == []
    await slow.close()


async def test_a_transaction_that_stays_open_is_told_of_once(source: Source, reading: Open) -> None:
    at = await reading(source.accounts())
    slow = await other(source)
    async with slow.transaction():
        await slow.execute(INSERT, citizen(1), None)
        await at.subjects()
        # As if the horizon had stood still for long.
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        at.cursor = {**(at.cursor or {}), "held_since": hour_ago.isoformat()}
        with structlog.testing.capture_logs() as logs:
            for number in (2, 3):
                await source.connection.execute(INSERT, citizen(number), None)
                assert await at.subjects() == [citizen(number)]
    [told] = [one for one in logs if "stays open" in one["event"]]
    assert told["log_level"] == "warning"
    await slow.close()


async def test_a_changed_row_is_read_again_and_an_old_one_is_not(
    source: Source, reading: Open
) -> None:
    for number in range(5):
        await source.connection.execute(INSERT, citizen(number), None)
    at = await reading(source.accounts())
    assert len(await at.subjects()) == 5
    await source.connection.execute(
        "UPDATE eid.accounts SET status = 'LOCKED', updated_at = now() WHERE cccd = $1", citizen(3)
    )
    [original] = await at.all()
    [event] = at.connector.map(original)
    assert event["data"] == {"level": 2, "activated": False}


async def test_without_a_bound_even_an_old_watermark_is_found(
    source: Source, reading: Open
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=300)
    whole, bounded = [await reading(source.accounts(late=late)) for late in (None, 3_600)]
    for at in (whole, bounded):
        await at.all()
    await source.connection.execute(INSERT, citizen(1), long_ago)
    assert await whole.subjects() == [citizen(1)]
    assert await bounded.subjects() == []  # what `late` promises, and no more


async def test_numbers_are_bounded_by_steps(source: Source, reading: Open) -> None:
    at = await reading(source.outbox(late=10))
    for number in (1, 50):
        await source.connection.execute("INSERT INTO outbox VALUES ($1, '{}')", number)
    assert len(await at.all()) == 2
    for number in (2, 45):
        await source.connection.execute("INSERT INTO outbox VALUES ($1, '{}')", number)
    assert len(await at.all()) == 1


async def test_equal_watermarks_fill_many_pages(source: Source, reading: Open) -> None:
    now = datetime.now(UTC)
    await source.connection.executemany(INSERT, [(citizen(number), now) for number in range(95)])
    at = await reading(source.accounts(page_rows=10))
    pages = [await at.page() for _ in range(10)]
    assert [len(page.records) for page in pages] == [10] * 9 + [5]
    assert [page.behind for page in pages] == [85, 75, 65, 55, 45, 35, 25, 15, 5, 0]
    assert len(set(at.originals)) == 95
    assert await at.all() == []


async def test_rows_that_come_or_change_between_pages_are_found(
    source: Source, reading: Open
) -> None:
    await source.connection.executemany(INSERT, [(citizen(n), None) for n in range(30)])
    at = await reading(source.accounts(page_rows=10))
    await at.page()
    old = datetime(2001, 1, 1, tzinfo=UTC)
    await source.connection.execute(INSERT, citizen(100), old)  # behind the place of reading
    await source.connection.execute(
        "UPDATE eid.accounts SET level = 1, updated_at = $1 WHERE cccd = $2", old, citizen(20)
    )
    await at.all()
    await at.all()
    rows = [json.loads(one) for one in at.originals]
    assert {row["cccd"] for row in rows} == {citizen(n) for n in (*range(30), 100)}
    assert [row["level"] for row in rows if row["cccd"] == citizen(20)][-1] == 1


async def test_a_table_written_anew_between_pages_is_read_again(
    source: Source, reading: Open
) -> None:
    now = datetime.now(UTC)
    await source.connection.executemany(INSERT, [(citizen(n), now) for n in range(30)])
    await source.connection.execute("DELETE FROM eid.accounts WHERE cccd = $1", citizen(0))
    at = await reading(source.accounts(page_rows=10))
    await at.page()
    await source.connection.execute("CREATE INDEX backwards ON eid.accounts (cccd DESC)")
    await source.connection.execute("CLUSTER eid.accounts USING backwards")
    await at.all()
    assert {json.loads(one)["cccd"] for one in at.originals} == {citizen(n) for n in range(1, 30)}


async def test_the_same_cursor_brings_the_same_rows(source: Source, reading: Open) -> None:
    await source.connection.executemany(INSERT, [(citizen(n), None) for n in range(25)])
    at = await reading(source.accounts(page_rows=10))
    first = await at.page()
    second = await at.connector.read(first.cursor)
    again = await at.connector.read(first.cursor)
    assert [one.original for one in again.records] == [one.original for one in second.records]
    assert [one.place for one in again.records] == [one.place for one in second.records]


async def test_another_cluster_or_timeline_is_read_from_the_beginning(
    source: Source, reading: Open
) -> None:
    await source.connection.execute(INSERT, citizen(1), None)
    at = await reading(source.accounts())
    await at.all()
    kept = at.cursor or {}
    assert kept["identity"].count("/") == 3
    at.cursor = {**kept, "identity": "7000000000000000000/1/5/16384", "horizon": 2**40}
    assert await at.subjects() == [citizen(1)]


async def test_nothing_is_asked_of_the_table_while_nothing_was_written(
    source: Source, reading: Open
) -> None:
    await source.connection.execute(INSERT, citizen(1), None)
    at = await reading(source.accounts())
    await at.all()
    # Other databases of the server may write meanwhile, so it is asked until they do not.
    async with asyncio.timeout(30):
        while (page := await at.page()).cursor != (await at.page()).cursor:
            pass
    assert (page.records, page.is_last, page.behind) == ([], True, 0)


async def test_a_cursor_of_another_kind_is_refused(source: Source, reading: Open) -> None:
    at: Reading = await reading(source.accounts())
    at.cursor = {"offset": 5}
    with pytest.raises(Exception, match="not one of a postgres connector"):
        await at.page()
