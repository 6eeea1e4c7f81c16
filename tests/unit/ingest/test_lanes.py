"""The queue in front of one partition."""

import asyncio

import pytest
from faststream.kafka import KafkaResponse

from services.ingest.lanes import Lane, Parcel


class Broker:
    """Acknowledges batches when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self._acknowledge = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, records: list[KafkaResponse]) -> None:
        self.batches.append([str(record.body) for record in records])
        await self._acknowledge.wait()
        if self.error is not None:
            raise self.error

    def acknowledge(self) -> None:
        self._acknowledge.set()


def parcel(*names: str, size: int = 10) -> Parcel:
    return Parcel([KafkaResponse(name, key=b"k") for name in names], size)


async def test_what_comes_while_a_batch_is_under_way_goes_together_in_the_next() -> None:
    broker = Broker()
    lane = Lane(broker, 100)
    first = lane.put(parcel("a", "b"))
    await asyncio.sleep(0)
    others = [lane.put(parcel("c")), lane.put(parcel("d", "e")), lane.put(parcel("f"))]
    await asyncio.sleep(0.01)
    assert broker.batches == [["a", "b"]]
    assert not first.done()
    broker.acknowledge()
    await asyncio.gather(first, *others)
    assert broker.batches == [["a", "b"], ["c", "d", "e", "f"]]


async def test_a_batch_holds_no_more_than_it_may() -> None:
    broker = Broker()
    broker.acknowledge()
    lane = Lane(broker, 25)
    await asyncio.gather(
        *(lane.put(parcel(name)) for name in "abcde"), lane.put(parcel("f", size=25))
    )
    assert broker.batches == [["a", "b"], ["c", "d"], ["e"], ["f"]]


async def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    broker = Broker()
    lane = Lane(broker, 100)
    first = lane.put(parcel("a"))
    await asyncio.sleep(0)
    given_up, kept = lane.put(parcel("b")), lane.put(parcel("c"))
    given_up.cancel()
    first.cancel()
    broker.acknowledge()
    await kept
    assert broker.batches == [["a"], ["c"]]


async def test_an_error_concerns_its_own_batch_alone() -> None:
    broker = Broker()
    broker.error = RuntimeError("gone")
    lane = Lane(broker, 100)
    first = lane.put(parcel("a"))
    broker.acknowledge()
    with pytest.raises(RuntimeError, match="gone"):
        await first
    broker.error = None
    await lane.put(parcel("b"))
    assert broker.batches == [["a"], ["b"]]


async def test_closing_gives_up_what_is_not_acknowledged() -> None:
    broker = Broker()
    lane = Lane(broker, 100)
    first = lane.put(parcel("a"))
    await asyncio.sleep(0)
    second = lane.put(parcel("b"))
    await lane.close()
    assert first.cancelled()
    assert second.cancelled()
    assert broker.batches == [["a"]]
