"""Operators are told once of a receiver that takes nothing, even where it is their own."""

from datetime import timedelta

import pytest

from services.notifier.core.letter import OPERATORS
from services.notifier.pipeline.delivering import Send
from services.notifier.pipeline.tending import Tending
from services.notifier.receivers.email.rendering import as_text
from services.notifier.receivers.reading import Receivers
from services.notifier.store import deliveries, receivers
from tests.integration.notifier.conftest import COMMUNE, Bench
from tests.integration.notifier.test_fairness import (
    Row,
    deliver,
    delivering,
    fire,
    letter,
    row,
    send,
)

__all__ = ["row", "send"]

LIMIT = timedelta(hours=6)
NAME = "receiver.webhook:r0"


def both(row: Row) -> Receivers:
    """A unit's receiver, and the operators'."""
    return Receivers([(f"unit:{COMMUNE}", row.receiver("r0")), (OPERATORS, row.receiver("ops"))])


async def tend(bench: Bench, entries: Receivers) -> None:
    await Tending(bench.pool, bench.domain, entries, limit=LIMIT).step(bench.clock.now())


async def about_receivers(bench: Bench) -> list[tuple[str, str, str]]:
    return [one for one in await bench.states() if one[0].startswith("receiver.")]


async def test_a_receiver_that_wants_no_more_is_told_once_until_it_works_again(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = both(row)
    row.answers["r0"] = 410
    await fire(bench)
    await letter(bench, entries)
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    await tend(bench, entries)
    await tend(bench, entries)
    assert await about_receivers(bench) == [(NAME, "firing", "receiver-disabled")]
    assert not any(NAME in event for event in await bench.events())

    telling = bench.telling(entries, repeat_interval=7 * 24 * 3600.0)
    for _ in range(3):
        await bench.tell(telling)
        await deliver(bench, one)
        await tend(bench, entries)
        bench.clock.advance(timedelta(minutes=1))
    assert [name for name, _ in row.taken] == ["ops"]

    row.answers["r0"] = 204
    async with bench.pool.acquire() as connection:
        await receivers.enable(connection, "webhook:r0", bench.clock.now(), "lan")
    await tend(bench, entries)
    assert await about_receivers(bench) == [(NAME, "firing", "receiver-disabled")]
    await letter(bench, entries)
    await deliver(bench, one)
    await tend(bench, entries)
    assert await about_receivers(bench) == [(NAME, "resolved", "recovered")]


async def test_a_receiver_that_takes_nothing_is_told_after_a_while(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = both(row)
    row.answers["r0"] = 500
    await fire(bench)
    await letter(bench, entries)
    one = delivering(bench, entries, send)
    await deliver(bench, one)
    bench.clock.advance(LIMIT - timedelta(minutes=1))
    await deliver(bench, one)
    await tend(bench, entries)
    assert await about_receivers(bench) == []
    bench.clock.advance(timedelta(minutes=1))
    await tend(bench, entries)
    assert await about_receivers(bench) == [(NAME, "firing", "receiver-failing")]
    row.answers["r0"] = 204
    bench.clock.advance(timedelta(hours=1))
    await deliver(bench, one)
    await tend(bench, entries)
    assert await about_receivers(bench) == [(NAME, "resolved", "recovered")]


async def test_what_a_receiver_refuses_for_good_is_no_sign_that_it_works(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = both(row)
    row.answers["r0"] = 422
    await fire(bench)
    await letter(bench, entries)
    await deliver(bench, delivering(bench, entries, send))
    bench.clock.advance(LIMIT)
    await tend(bench, entries)
    assert await about_receivers(bench) == [(NAME, "firing", "receiver-failing")]


async def test_one_that_is_taken_out_of_the_file_is_told_of_no_more(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = both(row)
    row.answers["r0"] = 410
    await fire(bench)
    await letter(bench, entries)
    await deliver(bench, delivering(bench, entries, send))
    await tend(bench, entries)
    await tend(bench, Receivers([(OPERATORS, row.receiver("ops"))]))
    assert await about_receivers(bench) == [(NAME, "resolved", "receiver-removed")]


async def test_it_does_not_loop_where_the_operators_own_receiver_is_the_dead_one(
    bench: Bench, row: Row, send: Send
) -> None:
    entries = both(row)
    row.answers = {"r0": 500, "ops": 500}
    await fire(bench)
    await letter(bench, entries)
    one = delivering(bench, entries, send)
    telling = bench.telling(entries, repeat_interval=7 * 24 * 3600.0)
    await deliver(bench, one)
    for _ in range(24):
        bench.clock.advance(timedelta(hours=2))
        await tend(bench, entries)
        await bench.tell(telling)
        await deliver(bench, one)
    # One of each receiver, and a letter as each was found; none about a letter about them.
    assert sorted(await about_receivers(bench)) == [
        ("receiver.webhook:ops", "firing", "receiver-failing"),
        (NAME, "firing", "receiver-failing"),
    ]
    told = [one for one in await bench.letters() if one[0] == OPERATORS]
    assert told == [(OPERATORS, 1), (OPERATORS, 2)]

    row.answers = {}
    for _ in range(4):
        bench.clock.advance(timedelta(hours=2))
        await deliver(bench, one)
    await tend(bench, entries)
    assert {state for _, state, _ in await about_receivers(bench)} == {"resolved"}


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_letter_names_the_receiver(
    bench: Bench, row: Row, send: Send, language: str
) -> None:
    entries = both(row)
    row.answers["r0"] = 410
    await fire(bench)
    await letter(bench, entries)
    await deliver(bench, delivering(bench, entries, send))
    await tend(bench, entries)
    await letter(bench, entries)
    async with bench.pool.acquire() as connection:
        (said,) = await deliveries.claim(
            connection,
            "webhook",
            busy=(),
            limit=10,
            leased_until=bench.clock.now() + LIMIT,
            now=bench.clock.now(),
            receiver="webhook:ops",
        )
    text = as_text(said.letter, "vi" if language == "vi" else "en")
    assert "webhook:r0" in text
    assert "nhipso receivers test" in text
    assert ("1 nơi nhận" if language == "vi" else "take no messages") in said.letter.subject_in(
        "vi" if language == "vi" else "en"
    )
