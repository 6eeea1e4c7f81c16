"""The bench of ingest: events a second over HTTP, beside what a bare producer sends.

Both send the same events in short rounds that take turns, so that whatever else the machine does
meets both: the producer ready-made records of inside form to a topic of its own, which is deleted
afterwards; HTTP the events of edge form in batches. The events of HTTP go to where all events go,
and everything that runs takes them in meanwhile.
"""

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from contracts.topics import SUBJECT_EVENTS
from services.cli.ingest_bench_load import write_batches
from services.cli.ingest_bench_sender import Job, Sent

_SENDER: Final = (sys.executable, "-m", "services.cli.ingest_bench_sender")
#: So many events are invented; then they come again, under other ids.
_INVENTED: Final = 50_000
#: Batches of either way before anything counts.
_WARM_UP: Final = 20
_LONGEST_LINE: Final = 1 << 20


class BenchError(Exception):
    """The bench cannot be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure: `events` each way, in `rounds`, `connections` batches at a time.

    `pid` is ingest's, where it runs on this machine: CPU time and memory are read from the system.
    """

    url: str
    tokens: list[str]
    bootstrap: str
    events: int
    batch: int
    connections: int
    rounds: int
    pid: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured.

    Args:
        http_events_per_second: accepted over HTTP, by the seconds of all rounds.
        producer_events_per_second: acknowledged to the bare producer, in the same way.
        ratio: the first by the second.
        http_rounds: events a second, a round each.
        producer_rounds: the same of the producer.
        events: accepted over HTTP while the clock ran.
        answers: HTTP status → how many requests had it.
        slowest_answer_seconds: the longest that a request waited.
        ingest_cpu_us_per_event: CPU time of ingest by event; None where it cannot be read.
        http_sender_cpu_us_per_event: CPU time of the load generator by event.
        producer_cpu_us_per_event: CPU time of the producer's process by record.
        ingest_memory_bytes: resident, before the first round and after each; empty where it cannot
            be read.
        producer: what the bare producer does.
        connections: batches under way at once.
        batch: events of a request.
        body_bytes_per_event: of edge form, as sent.
        record_bytes_per_event: key and value of inside form.
        load_average: of the machine over the last minute, at the end.
    """

    http_events_per_second: int
    producer_events_per_second: int
    ratio: float
    http_rounds: list[int]
    producer_rounds: list[int]
    events: int
    answers: dict[int, int]
    slowest_answer_seconds: float
    ingest_cpu_us_per_event: float | None
    http_sender_cpu_us_per_event: float
    producer_cpu_us_per_event: float
    ingest_memory_bytes: list[int]
    producer: str
    connections: int
    batch: int
    body_bytes_per_event: int
    record_bytes_per_event: int
    load_average: float


PRODUCER: Final = (
    "aiokafka send of ready-made records of the same events (key, value, one header), "
    "acks=all, idempotent, lz4, 16 KiB batches, no linger, all of a batch awaited"
)


class Watch:
    """Is told how a run goes; does nothing by itself."""

    def sent(self, events: int) -> None:
        """So many events are through, both ways together."""


async def measure(asked: Asked, watch: Watch) -> Measured:
    """Run the bench.

    Raises:
        BenchError: a sender ended, or ingest did not accept everything.
        aiokafka.errors.KafkaError: the broker does not answer.
    """
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="nhipso-bench-")))
        file = folder / "batches"
        sizes = await asyncio.to_thread(
            write_batches, file, asked.tokens, size=asked.batch, events=min(asked.events, _INVENTED)
        )
        topic = await opened.enter_async_context(_topic(asked.bootstrap))
        job = Job(str(file), asked.connections, asked.url, asked.bootstrap, topic)
        producer = await opened.enter_async_context(_sender("kafka", job))
        http = await opened.enter_async_context(_sender("http", job))
        await producer.send(_WARM_UP)
        _check(await http.send(_WARM_UP))
        batches = max(1, asked.events // (asked.batch * asked.rounds))
        by_producer: list[Sent] = []
        by_http: list[Sent] = []
        cpu = 0.0
        memory = [_memory_bytes(asked.pid)]
        for _ in range(asked.rounds):
            by_producer.append(await producer.send(batches))
            watch.sent(by_producer[-1].events)
            before = _cpu_seconds(asked.pid)
            by_http.append(_check(await http.send(batches)))
            cpu += _cpu_seconds(asked.pid) - before
            memory.append(_memory_bytes(asked.pid))
            watch.sent(by_http[-1].events)
    return _measured(
        asked, sizes=sizes, by_producer=by_producer, by_http=by_http, cpu=cpu, memory=memory
    )


def _check(sent: Sent) -> Sent:
    """What is not accepted in full is no figure."""
    if set(sent.answers) != {HTTPStatus.ACCEPTED}:
        told = ", ".join(f"{count} times {status}" for status, count in sent.answers.items())
        raise BenchError(f"ingest did not accept everything: it answered {told}")
    return sent


def _measured(
    asked: Asked,
    *,
    sizes: tuple[float, float],
    by_producer: list[Sent],
    by_http: list[Sent],
    cpu: float,
    memory: list[int],
) -> Measured:
    answers: dict[int, int] = {}
    for one in by_http:
        for status, count in one.answers.items():
            answers[status] = answers.get(status, 0) + count
    accepted, sent = sum(one.events for one in by_http), sum(one.events for one in by_producer)
    http = accepted / sum(one.seconds for one in by_http)
    producer = sent / sum(one.seconds for one in by_producer)
    return Measured(
        http_events_per_second=round(http),
        producer_events_per_second=round(producer),
        ratio=round(http / producer, 3),
        http_rounds=[round(one.events / one.seconds) for one in by_http],
        producer_rounds=[round(one.events / one.seconds) for one in by_producer],
        events=accepted,
        answers=answers,
        slowest_answer_seconds=round(max(one.slowest_seconds for one in by_http), 3),
        ingest_cpu_us_per_event=round(cpu / accepted * 1e6, 2) if asked.pid else None,
        http_sender_cpu_us_per_event=_by_event(by_http),
        producer_cpu_us_per_event=_by_event(by_producer),
        ingest_memory_bytes=memory if asked.pid else [],
        producer=PRODUCER,
        connections=asked.connections,
        batch=asked.batch,
        body_bytes_per_event=round(sizes[0]),
        record_bytes_per_event=round(sizes[1]),
        load_average=round(os.getloadavg()[0], 2),
    )


def _by_event(rounds: list[Sent]) -> float:
    events = sum(one.events for one in rounds)
    return round(sum(one.cpu_seconds for one in rounds) / events * 1e6, 2)


class _Sender:
    """A sending process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self, batches: int) -> Sent:
        """Let it send so many batches.

        Raises:
            BenchError: it has ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the sender has no pipes")
        stdin.write(f"{batches}\n".encode())
        line = await stdout.readline()
        if not line:
            code = await self._process.wait()
            raise BenchError(f"a sender ended with code {code}; what it said stands above")
        return msgspec.json.decode(line, type=Sent)


@asynccontextmanager
async def _sender(way: str, job: Job) -> AsyncIterator[_Sender]:
    process = await asyncio.create_subprocess_exec(
        *_SENDER,
        way,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        if process.stdin is not None:
            process.stdin.write(msgspec.json.encode(job) + b"\n")
        yield _Sender(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _topic(bootstrap: str) -> AsyncIterator[str]:
    """A topic for the producer, with as many partitions as events have, deleted afterwards."""
    name = f"nhipso-bench-ingest-{secrets.token_hex(4)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        (described,) = await admin.describe_topics([SUBJECT_EVENTS])
        partitions = len(described["partitions"])
        if not partitions:
            raise BenchError(f"the broker has no topic {SUBJECT_EVENTS}; is it this stack's?")
        answer = await admin.create_topics([NewTopic(name, partitions, 1)])
        for _, code, *_ in answer.topic_errors:
            if code:
                raise for_code(code)(name)
        try:
            yield name
        finally:
            await admin.delete_topics([name])
    finally:
        await admin.close()


def _cpu_seconds(pid: int | None) -> float:
    """CPU time of a process since its start; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return 0.0
    # After the name, which may hold blanks and brackets: state is the first, utime the twelfth.
    fields = told.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_bytes(pid: int | None) -> int:
    """What is resident of a process; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/statm").read_text("utf-8")
    except OSError:
        return 0
    return int(told.split()[1]) * os.sysconf("SC_PAGE_SIZE")
