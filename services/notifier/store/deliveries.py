"""Messages and the log of their deliveries."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Literal
from uuid import UUID, uuid5

import asyncpg
from typing_extensions import TypeVar

from services.chassis.database import load_queries
from services.notifier.core.letter import Letter
from services.notifier.store import queries_of, receivers
from services.notifier.store.receivers import LONGEST_ERROR

_SQL: Final = load_queries(queries_of("deliveries"))
_NAMESPACE: Final = UUID("0d9b2c1e-6a57-5f2c-9d5f-1f2c7f0f6c02")

DeliveryState = Literal["waiting", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Addressee:
    """A receiver as the log names it."""

    kind: str
    name: str


Said = TypeVar("Said", default=Letter)
"""What is brought: a letter about alerts, or a digest."""


@dataclass(frozen=True, slots=True)
class Delivery(Generic[Said]):
    """One attempt to bring a letter to a receiver; the id stays the same with every attempt.

    `failures` are the receiver's in a row before this attempt; its sender has it to itself until
    `leased_until`. `news_at` is the time of the newest figure that the letter is news of.
    """

    id: UUID
    message: UUID
    receiver: str
    attempts: int
    created_at: datetime
    letter: Said
    failures: int = 0
    leased_until: datetime | None = None
    news_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of the log."""

    id: UUID
    message: UUID
    receiver: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    finished_at: datetime | None
    last_error: str | None
    reason: str | None
    audience: str
    area: str
    alerts: Sequence[UUID]


def delivery_id(message: UUID, receiver: str) -> UUID:
    """The id of a message's delivery to a receiver."""
    return uuid5(message, receiver)


async def log_test(connection: asyncpg.Connection, letter: Letter, to: Addressee) -> UUID:
    """Log the test of a receiver, or find the one that still waits; the id of its delivery."""
    waits: UUID | None = await connection.fetchval(_SQL["waiting"], to.name, letter.audience)
    if waits is not None:
        return waits
    return delivery_id(await log_letter(connection, letter, [to]), to.name)


async def log_letter(
    connection: asyncpg.Connection, letter: Letter, addressees: Iterable[Addressee]
) -> UUID:
    """Log a letter and a delivery for each addressee, before anything is sent."""
    # One audience may be told of several units in the same moment.
    about = "/".join(sorted(str(alert.id) for alert in letter.alerts))
    name = f"{letter.audience}/{letter.area}/{letter.written_at.isoformat()}/{about}"
    message = uuid5(_NAMESPACE, name)
    await connection.execute(
        _SQL["add_message"],
        message,
        letter.audience,
        letter.area,
        letter.written_at,
        letter.model_dump_json(),
    )
    await connection.execute(
        _SQL["add_message_alerts"], message, [alert.id for alert in letter.alerts]
    )
    await connection.execute(_SQL["mark_news"], message)
    rows = [
        (delivery_id(message, one.name), message, one.kind, one.name, letter.written_at)
        for one in addressees
    ]
    await connection.executemany(_SQL["add_delivery"], rows)
    return message


async def claim(
    connection: asyncpg.Connection,
    kind: str,
    *,
    busy: Iterable[str],
    limit: int,
    leased_until: datetime,
    now: datetime,
    receiver: str | None = None,
    read: Callable[[str], Any] = Letter.model_validate_json,
) -> list[Delivery[Any]]:
    """Take deliveries that are due, one a receiver and none of a busy one; or of one receiver.

    `read` makes of the log's text what that kind of receiver is sent; what it cannot read
    (ValueError) is given up.
    """
    rows = await connection.fetch(
        _SQL["claim"], kind, now, list(busy), limit, leased_until, receiver
    )
    found: list[Delivery[Any]] = []
    for row in rows:
        try:
            said = read(row["letter"])
        except ValueError as error:
            # Another version wrote it; it must not stop what can be read.
            text = f"the message cannot be read: {type(error).__name__}"
            await mark_failed(connection, row["id"], now, text, "fault", attempt=row["attempts"])
            await receivers.release(
                connection,
                row["receiver"],
                leased_until,
                failures=row["failures"],
                resting_until=None,
            )
            continue
        found.append(
            Delivery(
                id=row["id"],
                message=row["message"],
                receiver=row["receiver"],
                attempts=row["attempts"],
                created_at=row["created_at"],
                letter=said,
                failures=row["failures"],
                leased_until=leased_until,
                news_at=row["news_at"],
            )
        )
    return found


async def mark_delivered(
    connection: asyncpg.Connection, delivery: UUID, at: datetime, reason: str
) -> None:
    """The receiver has taken it."""
    await connection.execute(_SQL["delivered"], delivery, at, reason)


async def mark_retry(
    connection: asyncpg.Connection,
    delivery: UUID,
    next_attempt_at: datetime,
    error: str,
    reason: str,
    *,
    attempt: int,
) -> None:
    """It is tried again later, as its last attempt says; what an earlier one says is too late."""
    await connection.execute(
        _SQL["retry"], delivery, next_attempt_at, error[:LONGEST_ERROR], reason, attempt
    )


async def mark_failed(
    connection: asyncpg.Connection,
    delivery: UUID,
    at: datetime,
    error: str,
    reason: str,
    *,
    attempt: int,
) -> None:
    """It is given up, as its last attempt says; what an earlier one says is too late."""
    await connection.execute(_SQL["failed"], delivery, at, error[:LONGEST_ERROR], reason, attempt)


async def expire(
    connection: asyncpg.Connection, kind: str, *, now: datetime, since: datetime, reason: str
) -> int:
    """Give up what disabled receivers were to get before `since`; how many these were."""
    return len(await connection.fetch(_SQL["expire"], kind, now, since, reason))


async def search(
    connection: asyncpg.Connection,
    *,
    alert: UUID | None,
    audiences: Sequence[str] | None,
    limit: int,
    delivery: UUID | None = None,
) -> list[Logged]:
    """The log, newest first; None lets everything pass."""
    seen = None if audiences is None else list(audiences)
    rows = await connection.fetch(_SQL["search"], alert, seen, limit, delivery)
    return [Logged(**row) for row in rows]
