"""Hands batches of events to ingest: in parallel, patiently, and says what was refused.

Too fast (429), broker away (503) or other trouble (5xx), no connection: wait as told or a little longer each time, and
try again while patience lasts. Sending twice is harmless, because an event is the same event by
its source and id. A batch that is too large (413) is halved.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import stamina

from services.cli.exits import UNREACHABLE, USAGE, CommandError

#: Requests on the way at the same time.
IN_FLIGHT: Final = 6
#: Seconds to wait for one answer; ingest answers within its own delivery timeout.
ANSWER_TIMEOUT: Final = 60.0
LONGEST_WAIT: Final = 5.0

_BATCH_TYPE: Final = "application/cloudevents-batch+json"
_FAULT: Final = HTTPStatus.INTERNAL_SERVER_ERROR  # and all above: ingest's own trouble, may pass
_ANSWERED: Final = {HTTPStatus.ACCEPTED, HTTPStatus.MULTI_STATUS, HTTPStatus.UNPROCESSABLE_ENTITY}


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one credential, as JSON texts, in the order in which they are sent."""

    token: str
    events: Sequence[bytes]

    def body(self) -> bytes:
        """The events as one JSON array."""
        return b"[" + b",".join(self.events) + b"]"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused event: its place in the batch, and what ingest said."""

    index: int
    id: str | None
    reason: str
    detail: str


@dataclass(slots=True)
class Answer:
    """What became of a batch."""

    accepted: int = 0
    refusals: list[Refusal] = field(default_factory=list)


class LaterError(Exception):
    """Ingest, or the way to it, wants the request again later."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooLargeError(Exception):
    """The body is larger than ingest takes."""


class Delivery:
    """A session with ingest.

    Args:
        url: ingest's base URL.
        patience: seconds to go on trying one batch; None means for ever.
        on_trouble: told why whenever a batch must be sent again.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float | None = 60.0,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._url = f"{url}/v1/events"
        self._patience = patience
        self._on_trouble = on_trouble
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT, connect=5.0)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def deliver(self, batch: Batch) -> Answer:
        """Send one batch and wait until it is accepted or refused.

        Raises:
            CommandError: when patience ran out, or ingest wants neither the batch nor a retry.
        """
        async with self._free:
            return await self._deliver(batch)

    async def deliver_all(self, batches: Iterable[Batch]) -> list[Answer]:
        """Send batches in parallel; the answers come in the order of the batches.

        Raises:
            CommandError: as `deliver`; the other batches are given up.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.deliver(batch)) for batch in batches]
        except BaseExceptionGroup as errors:
            # Not `except*`: early releases of Python 3.11 wrap what is raised in it once more.
            refused, others = errors.split(CommandError)
            if refused is None or others is not None:
                raise
            raise refused.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _deliver(self, batch: Batch) -> Answer:
        try:
            async for attempt in stamina.retry_context(
                on=_wait_for,
                attempts=None,
                timeout=self._patience,
                wait_initial=0.2,
                wait_max=LONGEST_WAIT,
                wait_jitter=0.3,
            ):
                with attempt:
                    return await self._try(batch)
        except LaterError as error:
            raise CommandError(
                f"{error}; gave up after {self._patience:g} s", UNREACHABLE
            ) from None
        except TooLargeError:
            return await self._halve(batch)
        raise AssertionError("a retry context ends with a result or an error")

    async def _halve(self, batch: Batch) -> Answer:
        if len(batch.events) == 1:
            detail = "the event alone is larger than ingest takes in one request"
            return Answer(refusals=[Refusal(0, None, "too-large", detail)])
        middle = len(batch.events) // 2
        first = await self._deliver(Batch(batch.token, batch.events[:middle]))
        second = await self._deliver(Batch(batch.token, batch.events[middle:]))
        moved = [Refusal(r.index + middle, r.id, r.reason, r.detail) for r in second.refusals]
        return Answer(first.accepted + second.accepted, [*first.refusals, *moved])

    async def _try(self, batch: Batch) -> Answer:
        try:
            return await self._post(batch)
        except LaterError as error:
            if self._on_trouble is not None:
                self._on_trouble(str(error))
            raise

    async def _post(self, batch: Batch) -> Answer:
        if self._session is None:
            raise RuntimeError("open the delivery with `async with` first")
        headers = {"Authorization": f"Bearer {batch.token}", "Content-Type": _BATCH_TYPE}
        try:
            async with self._session.post(
                self._url, data=batch.body(), headers=headers
            ) as response:
                if response.status in _ANSWERED:
                    return _answer(await response.json(content_type=None))
                if response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                    raise TooLargeError
                said = f"ingest answered {response.status}: {_said(await response.text())}"
                if response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= _FAULT:
                    raise LaterError(said, _seconds(response.headers.get("Retry-After")))
                refused = response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
                raise CommandError(said, USAGE if refused else UNREACHABLE)
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise LaterError(f"ingest at {self._url} cannot be reached: {why}") from None


def _wait_for(error: Exception) -> bool | float:
    """For stamina: whether to try again, or after how many seconds."""
    if not isinstance(error, LaterError):
        return False
    return True if error.retry_after is None else min(error.retry_after, 60.0)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds; a date or nonsense counts as absent."""
    try:
        return max(float(retry_after), 0.0) if retry_after is not None else None
    except ValueError:
        return None


def _said(text: str) -> str:
    return " ".join(text.split())[:300] or "nothing more"


def _answer(content: Any) -> Answer:
    try:
        refusals = [
            Refusal(int(item["index"]), item["id"], str(item["reason"]), str(item["detail"]))
            for item in content["rejected"]
        ]
        return Answer(int(content["accepted"]), refusals)
    except (TypeError, KeyError, ValueError) as error:
        raise CommandError(
            f"ingest's answer is not of the wire contract ({error!r}): {_said(str(content))}",
            UNREACHABLE,
        ) from None
