"""Which faults are inflicted, and in which order: a plan that a seed decides.

A fault is an action and where it happens, written as two words: `kill shard.before-commit`. A
volley is what is inflicted at the same time; it is over when each of its faults has struck.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is done, and where or to whom."""

    action: str
    place: str

    def __str__(self) -> str:
        return f"{self.action} {self.place}"


Volley = tuple[Fault, ...]

#: The points that scoring and ingest pass, by the names in their sources.
_SHARD: Final = ("shard.before-commit", "shard.after-commit")
_SNAPSHOT: Final = ("snapshot.before-commit", "snapshot.after-commit")
_KAFKA: Final = ("consumer.before-kafka-commit",)
_ROLL_UP: Final = ("rollup.before-commit", "rollup.after-commit")
_OUTBOX: Final = ("outbox.before-send", "outbox.after-acknowledgement")
_INGEST: Final = ("ingest.before-acknowledgement", "ingest.after-acknowledgement")
#: What has been folded in memory here and not yet been held against PostgreSQL.
_FOLDED: Final = ("shard.before-transaction",)

POINTS: Final = (*_FOLDED, *_SHARD, *_SNAPSHOT, *_KAFKA, *_ROLL_UP, *_OUTBOX, *_INGEST)

#: Either side of the moment at which PostgreSQL writes that a transaction is committed.
COMMIT_SIDES: Final = ("commit.before-record", "commit.after-record")


def _at(action: str, *places: str) -> tuple[Fault, ...]:
    return tuple(Fault(action, place) for place in places)


#: Every fault there is, by kind. In a short run each kind comes once before one comes twice.
KINDS: Final[dict[str, tuple[Fault, ...]]] = {
    "SIGKILL around the database commit": _at("kill", *_SHARD),
    "SIGKILL around a snapshot's commit": _at("kill", *_SNAPSHOT),
    "SIGKILL before the Kafka commit": _at("kill", *_KAFKA),
    "SIGKILL in the roll-up": _at("kill", *_ROLL_UP),
    "SIGKILL in the outbox": _at("kill", *_OUTBOX),
    "SIGKILL of a worker anywhere": _at("kill", "worker"),
    "SIGSTOP past the session, SIGCONT": _at(
        "stop", *_FOLDED, *_SHARD, *_KAFKA, "outbox.before-send"
    ),
    "leader's connection ended": _at("terminate", "leader"),
    "connections ended during COMMIT": _at("terminate", *COMMIT_SIDES),
    "PostgreSQL stopped at once during COMMIT": _at("crash-postgres", *COMMIT_SIDES),
    "SIGKILL of the broker": _at("kill", "broker"),
    "SIGKILL of ingest": _at("kill", "ingest", *_INGEST),
    "a worker joins": _at("join", "worker"),
    "a worker leaves": _at("leave", "worker"),
}

KIND_OF: Final = {fault: kind for kind, faults in KINDS.items() for fault in faults}

#: These disturb the servers, or want their victim for themselves: one a volley.
_ALONE: Final = frozenset(("stop", "terminate", "crash-postgres"))
_MOST_AT_ONCE: Final = 3


def plan(seed: int, faults: int) -> list[Volley]:
    """So many faults in volleys: every kind once, then every fault once, then any kind.

    The order is the seed's.
    """
    rng = Random(seed)
    by_kind = [rng.sample(kind, len(kind)) for kind in KINDS.values()]
    first, *others = (
        [fault for fault in row if fault is not None] for row in zip_longest(*by_kind)
    )
    rest = list(chain.from_iterable(others))
    for row in (first, rest):
        rng.shuffle(row)
    wanted = [*first, *rest][:faults]
    kinds = rng.choices(list(KINDS.values()), k=faults - len(wanted))
    wanted += [rng.choice(kind) for kind in kinds]
    return _volleys(rng, wanted)


def read(text: str) -> list[Volley]:
    """A plan that somebody has written: faults by commas, volleys by semicolons.

    Raises:
        ValueError: naming the fault that does not exist.
    """
    known = {str(fault): fault for fault in KIND_OF}
    volleys = []
    for part in text.split(";"):
        names = [" ".join(name.split()) for name in part.split(",")]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"no fault {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        volleys.append(tuple(known[name] for name in names))
    return volleys


def _volleys(rng: Random, faults: Sequence[Fault]) -> list[Volley]:
    waiting = list(faults)
    volleys = []
    while waiting:
        volley = [waiting.pop(0)]
        size = rng.randint(1, _MOST_AT_ONCE)
        for fault in list(waiting):
            if len(volley) < size and _go_together(volley, fault):
                waiting.remove(fault)
                volley.append(fault)
        volleys.append(tuple(volley))
    return volleys


def _go_together(volley: Sequence[Fault], fault: Fault) -> bool:
    # A point has room for one fault.
    is_free = fault not in volley and not (
        fault.place in POINTS and any(one.place == fault.place for one in volley)
    )
    return is_free and sum(map(_is_alone, (*volley, fault))) <= 1


def _is_alone(fault: Fault) -> bool:
    return fault.place == "broker" or (fault.action in _ALONE and fault.place != "leader")
