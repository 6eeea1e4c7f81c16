"""Facts of a subject: last-writer-wins registers, one a slot, and the fold of an event into them.

A register holds the latest event of one kind, ordered by (event time, event id, canonical data).
The order is total and the fold takes the greater of two, so it is commutative, associative and
idempotent: the same events in any order, any number of times, give the same facts (a state-based
CRDT; Shapiro et al., "Conflict-free Replicated Data Types", 2011).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contracts.canonical import canonical_json
from contracts.catalogue import Fact, SubjectRules


class Register(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The latest event of one kind: time in epoch microseconds, id and listed data.

    A fact that keeps only the last time has an empty id and no data.
    """

    time: int
    id: str = ""
    data: dict[str, Any] = {}


#: A register (or None) for each slot of the subject's kind.
Facts = list[Register | None]


class Change(msgspec.Struct, frozen=True, gc=False):
    """What an event says of its subject, as far as facts go. `time` in epoch microseconds."""

    type: str
    time: int
    id: str
    data: Mapping[str, Any]


def later(one: Register, other: Register) -> bool:
    """Whether `one` comes strictly after `other` in the order of registers."""
    if one.time != other.time:
        return one.time > other.time
    if one.id != other.id:
        return one.id > other.id
    return canonical_json(one.data) > canonical_json(other.data)


def latest(registers: "list[Register | None]") -> Register | None:
    """The last one in the order of registers, or None where there is none."""
    found: Register | None = None
    for register in registers:
        if register is not None and (found is None or later(register, found)):
            found = register
    return found


@dataclass(frozen=True, slots=True)
class _Writer:
    """One slot that an event type writes, under the condition on its data."""

    slot: int
    keeps_data: bool
    where: tuple[tuple[str, Any], ...]

    def applies(self, data: Mapping[str, Any]) -> bool:
        return all(data.get(field) == value for field, value in self.where)


def _writer(fact: Fact) -> _Writer:
    return _Writer(fact.slot, fact.keeps == "latest", tuple(fact.where.items()))


class FactTable:
    """Which slots the events of one kind of subject write."""

    def __init__(self, rules: SubjectRules) -> None:
        self.width: Final = max(fact.slot for fact in rules.facts) + 1
        self._writers: dict[str, tuple[_Writer, ...]] = {}
        for fact in rules.facts:
            known = self._writers.get(fact.event_type, ())
            self._writers[fact.event_type] = (*known, _writer(fact))

    def empty(self) -> Facts:
        """Facts of a subject of which nothing is known."""
        return [None] * self.width

    def fold(self, facts: Facts, change: Change) -> bool:
        """Take an event into `facts`, in place. Returns whether anything changed."""
        changed = False
        for writer in self._writers.get(change.type, ()):
            if not writer.applies(change.data):
                continue
            new = (
                Register(change.time, change.id, dict(change.data))
                if writer.keeps_data
                else Register(change.time)
            )
            old = facts[writer.slot]
            if old is None or later(new, old):
                facts[writer.slot] = new
                changed = True
        return changed


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Facts)


def pack(facts: Facts) -> bytes:
    """Facts as stored: a MessagePack array with a register or nil a slot."""
    return _ENCODER.encode(facts)


def unpack(stored: bytes, width: int) -> Facts:
    """The inverse of `pack`, widened to `width` slots where the catalogue has grown since."""
    facts = _DECODER.decode(stored)
    facts.extend([None] * (width - len(facts)))
    return facts
