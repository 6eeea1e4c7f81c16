"""Runs a simulation against ingest: paced, in chunks, by source, each chunk answered in full.

A chunk is at most half a second of the rate. Its events are grouped by source, because a token
speaks for one source; the groups travel in parallel and the next chunk waits for all of them, so a
checkpoint after a chunk covers everything before it.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from services.cli.delivery import Answer, Batch, Delivery
from services.cli.pacer import Pacer
from services.simulator.envelopes import Event

LARGEST_BATCH: Final = 500
_LARGEST_CHUNK: Final = 4_000
_CHUNK_SECONDS: Final = 0.5


@dataclass(slots=True)
class Tally:
    """What became of the events so far."""

    sent: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, sent: int, answers: Iterable[Answer]) -> None:
        """Count the answers to `sent` more events."""
        self.sent += sent
        for answer in answers:
            self.accepted += answer.accepted
            self.refused.update(refusal.reason for refusal in answer.refusals)


def to_json(event: Event) -> bytes:
    """An event as compact JSON."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def batches(
    events: Iterable[Event], tokens: Mapping[str, str], size: int = LARGEST_BATCH
) -> list[Batch]:
    """Group events by their source's token, in batches of at most `size`, order kept in each."""
    grouped: dict[str, list[bytes]] = {}
    for event in events:
        grouped.setdefault(tokens[str(event["source"])], []).append(to_json(event))
    return [
        Batch(token, texts[at : at + size])
        for token, texts in grouped.items()
        for at in range(0, len(texts), size)
    ]


def chunk_size(rate: float) -> int:
    """How many events go out between two looks at the clock."""
    return max(1, min(int(rate * _CHUNK_SECONDS), _LARGEST_CHUNK)) if rate else _LARGEST_CHUNK


async def run(
    events: Iterator[Event],
    delivery: Delivery,
    tokens: Mapping[str, str],
    *,
    rate: float,
    tally: Tally,
    after: Callable[[int, Tally], None],
) -> None:
    """Send a stream until it ends, at most `rate` events a second (0: no limit).

    Answers are counted in `tally`; `after` is called with the size of each chunk once all of it
    has been answered.
    """
    pacer = Pacer(rate, time.monotonic())
    size = chunk_size(rate)
    while True:
        # Leave is taken before the events are made: a living event is dated when it is sent.
        await asyncio.sleep(pacer.grant(size, time.monotonic()))
        chunk = list(islice(events, size))
        if not chunk:
            return
        tally.add(len(chunk), await delivery.deliver_all(batches(chunk, tokens)))
        after(len(chunk), tally)
