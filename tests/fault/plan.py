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
SCORING_POINTS: Final = (
    "shard.before-transaction",
    "shard.before-commit",
    "shard.after-commit",
    "consumer.before-kafka-commit",
    "rollup.before-commit",
    "rollup.after-commit",
    "outbox.before-send",
    "outbox.after-acknowledgement",
)
INGEST_POINTS: Final = ("ingest.before-acknowledgement", "ingest.after-acknowledgement")

#: Either side of the moment at which PostgreSQL writes that a transaction is committed.
COMMIT_SIDES: Final = ("commit.before-record", "commit.after-record")

#: Every fault there is, by kind. In a short run each kind comes once before one comes twice.
KINDS: Final[dict[str, tuple[Fault, ...]]] = {
    "SIGKILL at a point of the shard": tuple(Fault("kill", point) for point in SCORING_POINTS[1:3]),
    "SIGKILL before the Kafka commit": (Fault("kill", "consumer.before-kafka-commit"),),
    "SIGKILL in the roll-up": tuple(Fault("kill", point) for point in SCORING_POINTS[4:6]),
    "SIGKILL in the outbox": tuple(Fault("kill", point) for point in SCORING_POINTS[6:8]),
    "SIGKILL of a worker anywhere": (Fault("kill", "worker"),),
    "SIGSTOP past the session, SIGCONT": tuple(
        Fault("stop", point) for point in (*SCORING_POINTS[:4], "outbox.before-send")
    ),
    "connections ended during COMMIT": tuple(Fault("terminate", side) for side in COMMIT_SIDES),
    "PostgreSQL stopped at once during COMMIT": tuple(
        Fault("crash-postgres", side) for side in COMMIT_SIDES
    ),
    "SIGKILL of the broker": (Fault("kill", "broker"),),
    "SIGKILL of ingest": (
        *(Fault("kill", point) for point in INGEST_POINTS),
        Fault("kill", "ingest"),
    ),
    "a worker joins": (Fault("join", "worker"),),
    "a worker leaves": (Fault("leave", "worker"),),
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
    alone = sum(_is_alone(one) for one in (*volley, fault))
    return fault not in volley and alone <= 1


def _is_alone(fault: Fault) -> bool:
    return fault.action in _ALONE or fault.place == "broker"
