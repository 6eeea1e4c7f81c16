import asyncio
import time

import pytest

from services.chassis.readiness import Readiness


async def fine() -> None:
    return None


async def test_without_checks_a_process_is_ready() -> None:
    assert await Readiness().run() == {}


async def test_a_check_answers_ok_or_its_reason() -> None:
    async def behind() -> str:
        return "three partitions are not assigned"

    readiness = Readiness()
    readiness.add("store", fine)
    readiness.add("broker", behind)
    assert await readiness.run() == {"store": "ok", "broker": "three partitions are not assigned"}


async def test_a_check_that_raises_is_a_reason_without_the_message() -> None:
    async def broken() -> None:
        raise ConnectionError("postgresql://user:secret@db")

    readiness = Readiness()
    readiness.add("store", broken)
    assert await readiness.run() == {"store": "failed: ConnectionError"}


async def test_checks_run_together_and_each_has_a_limit() -> None:
    async def stuck() -> None:
        await asyncio.sleep(60)

    readiness = Readiness(timeout=0.1)
    for name in ("a", "b", "c", "d"):
        readiness.add(name, stuck)
    readiness.add("e", fine)
    started = time.perf_counter()
    results = await readiness.run()
    assert time.perf_counter() - started < 0.35
    assert results == dict.fromkeys("abcd", "no answer within 0.1 s") | {"e": "ok"}


def test_two_checks_cannot_share_a_name() -> None:
    readiness = Readiness()
    readiness.add("store", fine)
    with pytest.raises(ValueError, match="choose another name"):
        readiness.add("store", fine)
