"""A process of the bench that sends: ``python -m services.cli.ingest_bench_sender http|kafka``.

Its job comes as one line of JSON on standard input, then a number of batches a line; each is sent
and answered with a line that says how it went. It is kept cheap, since it shares the cores with
what is measured: bodies are read before, and its own CPU time is told.
"""

import asyncio
import json
import secrets
import ssl
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiokafka import AIOKafkaProducer

from contracts.topics import CLOUDEVENTS_BATCH_JSON, CLOUDEVENTS_JSON, CONTENT_TYPE_HEADER
from services.cli.ingest_bench_load import MARK, Batch, read_batches

_HEADERS: Final = [(CONTENT_TYPE_HEADER, CLOUDEVENTS_JSON.encode())]


class Job(msgspec.Struct, frozen=True):
    """What to send, and where to."""

    batches: str
    """The file that `write_batches` made."""
    connections: int
    url: str
    bootstrap: str
    topic: str


class Sent(msgspec.Struct, frozen=True):
    """How a round went."""

    events: int
    """As many as were acknowledged."""
    seconds: float
    cpu_seconds: float
    """Of this process alone."""
    slowest_seconds: float = 0.0
    """The longest that one batch waited for its answer."""
    answers: dict[int, int] = {}
    """HTTP status → how often."""


class HttpSender:
    """Posts batches, over as many connections as the job says."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._batches = cycle(read_batches(Path(job.batches)))
        where = urlsplit(job.url)
        self._host, self._secure = where.hostname or "", where.scheme == "https"
        self._port = where.port or (443 if self._secure else 80)
        self._path = f"{where.path.rstrip('/')}/v1/events"

    async def open(self) -> None:
        """Do nothing: a server closes connections that rest between two rounds."""

    async def close(self) -> None:
        """Do nothing, as `open`."""

    async def send(self, count: int) -> Sent:
        """Send so many batches."""
        context = ssl.create_default_context() if self._secure else None
        streams = [
            await asyncio.open_connection(self._host, self._port, ssl=context)
            for _ in range(self._job.connections)
        ]
        begun, cpu = time.perf_counter(), time.process_time()
        answers: Counter[int] = Counter()
        accepted = 0
        slowest = 0.0
        ahead = islice(self._batches, count)

        async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal accepted, slowest
            for batch in ahead:
                asked = time.perf_counter()
                writer.writelines(self._request(batch))
                status, body = await _answer(reader)
                slowest = max(slowest, time.perf_counter() - asked)
                answers[status] += 1
                accepted += batch.events if status == HTTPStatus.ACCEPTED else _accepted(body)

        await asyncio.gather(*(work(*stream) for stream in streams))
        ended, cpu_ended = time.perf_counter(), time.process_time()
        for _, writer in streams:
            writer.close()
        return Sent(accepted, ended - begun, cpu_ended - cpu, slowest, dict(answers))

    def _request(self, batch: Batch) -> tuple[bytes, bytes]:
        body = batch.body.replace(MARK, secrets.token_hex(len(MARK) // 2).encode())
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Authorization: Bearer {batch.token}\r\nContent-Type: {CLOUDEVENTS_BATCH_JSON}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode(), body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].split(b"\r", 1)[0]
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(length))


def _accepted(body: bytes) -> int:
    try:
        return int(json.loads(body).get("accepted", 0))
    except ValueError:
        return 0


class KafkaSender:
    """A bare producer: `send` of ready-made records, and all of a batch acknowledged.

    ``acks=all``, idempotent, lz4, and aiokafka's defaults otherwise (batches of 16 KiB, no linger).
    As many batches are under way at once as HTTP has connections.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._batches = cycle(read_batches(Path(job.batches)))
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Connect."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._job.bootstrap,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
        )
        await self._producer.start()

    async def close(self) -> None:
        """Disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, count: int) -> Sent:
        """Send so many batches."""
        begun, cpu = time.perf_counter(), time.process_time()
        ahead = islice(self._batches, count)
        sent = await asyncio.gather(*(self._work(ahead) for _ in range(self._job.connections)))
        return Sent(sum(sent), time.perf_counter() - begun, time.process_time() - cpu)

    async def _work(self, ahead: Iterator[Batch]) -> int:
        if self._producer is None:
            raise RuntimeError("the producer has not been opened")
        send, topic = self._producer.send, self._job.topic
        sent = 0
        for batch in ahead:
            waiting = [
                await send(topic, value, key=key, headers=_HEADERS) for key, value in batch.records
            ]
            for acknowledged in waiting:
                await acknowledged
            sent += len(waiting)
        return sent


async def main() -> None:
    """Take the job, then a number of batches a line, until there is no more."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    job = msgspec.json.decode(await lines.readline(), type=Job)
    sender = HttpSender(job) if sys.argv[1] == "http" else KafkaSender(job)
    await sender.open()
    try:
        while line := await lines.readline():
            sent = await sender.send(int(line))
            sys.stdout.write(msgspec.json.encode(sent).decode() + "\n")
            sys.stdout.flush()
    finally:
        await sender.close()


if __name__ == "__main__":
    asyncio.run(main())
