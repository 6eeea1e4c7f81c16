"""What the bench of ingest sends, made before anything is measured.

Invented events of the simulator, in batches of one source each, and the same events as records:
inside form, a pseudonym as key. A batch can be sent again and again: its ids hold a mark in place
of which the sender writes another number each time.
"""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.subjects import PERSONAL_KINDS
from contracts.times import format_rfc3339, parse_rfc3339
from contracts.tokens import ClaimsError, Principal, principal
from services.cli.exits import USAGE, CommandError
from services.simulator.envelopes import Event, event_domain
from services.simulator.simulation import Simulation

#: Stands in each id; as long as what takes its place, sixteen hexadecimal digits.
MARK: Final = b"~~~~~~~~~~~~~~~~"

_SEED: Final = 5
_EVENTS_A_CITIZEN: Final = 7  # about; it only decides how many citizens are invented
_FEWEST_CITIZENS: Final = 1_000  # so that each source has a batch
_ID_BYTES: Final = 8


class Batch(msgspec.Struct, frozen=True):
    """A request's body with its token, and the same events as keys and values of records."""

    token: str
    events: int
    body: bytes
    records: list[tuple[bytes, bytes]]


def claims_of(token: str) -> Principal:
    """What a token says of its bearer; nobody has verified it here, ingest will.

    Raises:
        CommandError: it is no token of a source.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        bearer = principal(claims)
    except (IndexError, ValueError, ClaimsError):
        raise CommandError("the token is not a JWT with the claims of a source", USAGE) from None
    if not bearer.sources or not bearer.domains:
        raise CommandError("the token names no sources or no domains; use a source's", USAGE)
    return bearer


def write_batches(file: Path, tokens: list[str], *, size: int, events: int) -> tuple[float, float]:
    """Invent about so many events and write their batches.

    Returns the bytes of an event in a body, and those of its record.

    Raises:
        CommandError: they do not make a batch under any of these tokens.
    """
    senders = {
        domain: (token, source)
        for token in tokens
        for bearer in [claims_of(token)]
        for source in [min(bearer.sources)]
        for domain in bearer.domains
    }
    batches = list(islice(_batches(senders, size, events), max(events // size, 1)))
    if not batches:
        raise CommandError(
            f"{events} invented events make no batch of {size} for these tokens' domains; "
            "ask for more events, or smaller batches",
            USAGE,
        )
    file.write_bytes(msgspec.msgpack.encode(batches))
    count = sum(batch.events for batch in batches)
    bodies = sum(len(batch.body) for batch in batches)
    records = sum(len(key) + len(value) for batch in batches for key, value in batch.records)
    return bodies / count, records / count


def _batches(senders: Mapping[str, tuple[str, str]], size: int, events: int) -> Iterator[Batch]:
    started_at = datetime.now(UTC) - timedelta(days=1)
    simulation = Simulation(
        seed=_SEED,
        citizens=max(events // _EVENTS_A_CITIZEN, _FEWEST_CITIZENS),
        started_at=started_at,
    )
    waiting: dict[str, list[Event]] = {}
    for event in simulation.fill():
        sender = senders.get(event_domain(event))
        if sender is None:
            continue
        token, event["source"] = sender
        event["id"] = f"{MARK.decode()}{secrets.token_hex(_ID_BYTES)}"
        some = waiting.setdefault(token, [])
        some.append(event)
        if len(some) == size:
            yield _batch(token, waiting.pop(token))


def _batch(token: str, events: list[Event]) -> Batch:
    body = json.dumps(events, ensure_ascii=False, separators=(",", ":")).encode()
    return Batch(token, len(events), body, [_record(event) for event in events])


def _record(event: Event) -> tuple[bytes, bytes]:
    """The event as ingest would publish it, but for the pseudonym, which is drawn."""
    kind, _, identifier = str(event["subject"]).partition(":")
    if kind in PERSONAL_KINDS:
        identifier = secrets.token_hex(16)
    record: dict[str, Any] = event | {
        "subject": f"{kind}:{identifier}",
        "time": format_rfc3339(parse_rfc3339(event["time"])),
    }
    return record["subject"].encode(), msgspec.json.encode(record)


def read_batches(file: Path) -> list[Batch]:
    """What `write_batches` has written."""
    return msgspec.msgpack.decode(file.read_bytes(), type=list[Batch])
