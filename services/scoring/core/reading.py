"""Batches of ``subject-events.v1``, read into columns.

Nearly all records are of the usual form and are read together; what is not is read by the
contract's models, one by one, or refused with a reason. Only ingest writes the topic, so a record
that cannot be read is a fault of ours or of a foreign writer: it is kept, and the shard goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.catalogue import Catalogue, Fact
from contracts.events import EVENT_MODELS, domain_of
from contracts.subjects import PERSONAL_KINDS, SubjectError, SubjectKind, parse_inside
from contracts.times import EARLIEST_DAY, LOCAL_OFFSET_MICROSECONDS
from services.scoring.core.coding import coding
from services.scoring.core.records import (
    LAST_YEAR,
    Report,
    UnreadableError,
    read_record,
    unknown_area,
)
from services.scoring.core.rules import Rules
from services.scoring.core.subjects import Writes
from services.scoring.core.territory import NOWHERE
from services.scoring.core.texts import (
    NO_ID,
    Column,
    Ids,
    Marks,
    Words,
    local_ordinals,
    read_pseudonyms,
    read_times,
)
from services.scoring.core.twin import TWINS, Envelope, read_envelope

_KINDS: Final = tuple(SubjectKind)
_KIND_OF: Final = {kind: place for place, kind in enumerate(_KINDS)}
_UNREAD: Final = -1
_NONE: Final = -1
#: What a text of data means is remembered; forgotten at so many, since registrations all differ.
_MOST_MEANINGS: Final = 65_536
_FIRST_MOMENT: Final = (
    int(np.datetime64(EARLIEST_DAY, "us").astype(np.int64)) - LOCAL_OFFSET_MICROSECONDS
)
_LAST_MOMENT: Final = int(np.datetime64(f"{LAST_YEAR + 1}-01-01", "us").astype(np.int64)) - 1


@dataclass(slots=True)
class Heard:
    """What was heard of one source and domain: the latest event time (epoch µs), how many events."""

    last_time: int
    events: int


@dataclass(slots=True)
class Batch:
    """What the records of a batch say.

    `errors` has the place in the batch and why the record cannot be read.
    """

    writes: dict[SubjectKind, Writes] = field(default_factory=dict)
    reports: dict[tuple[str, str, str], Report] = field(default_factory=dict)
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)
    errors: list[tuple[int, UnreadableError]] = field(default_factory=list)


@dataclass(slots=True)
class _Columns:
    """Records side by side; what cannot be read has the kind `_UNREAD`."""

    kinds: NDArray[np.int64]
    keys: Words
    times: Column
    meanings: NDArray[np.int64]
    sources: list[str]
    ids: list[str]


class Reader:
    """Reads batches of records; remembers what their data mean."""

    def __init__(self, rules: Rules) -> None:
        self._areas = rules.areas
        self._territory = rules.territory
        self._indicators = frozenset(rules.catalogue.by_id)
        self._meanings = _Meanings(rules.catalogue)

    def read(self, values: Sequence[bytes | None], ids: Ids) -> Batch:
        """Read the values of records; `ids` keeps the long ids of their shard."""
        batch = Batch()
        self._meanings.forget_many()
        columns, unread = self._read_together(values)
        for place in unread.tolist():
            try:
                self._read_alone(values[place], place, columns, batch)
            except UnreadableError as error:
                columns.kinds[place] = _UNREAD
                batch.errors.append((place, error))
        self._refuse_unknown_areas(columns, batch)
        batch.errors.sort(key=lambda error: error[0])
        read = np.flatnonzero(columns.kinds != _UNREAD)
        self._hear(columns, read, batch.heard)
        for kind in np.unique(columns.kinds[read]).tolist():
            of_kind = read[columns.kinds[read] == kind]
            writes = self._writes(columns, kind, of_kind, ids)
            if len(writes.slots):
                batch.writes[_KINDS[kind]] = writes
        return batch

    def _read_together(self, values: Sequence[bytes | None]) -> tuple[_Columns, NDArray[np.int64]]:
        """What is of the usual form, and the places of what is not."""
        envelopes = _envelopes(values)
        meanings = self._meanings.of(envelopes)
        times, timely = read_times([envelope.time for envelope in envelopes])
        kinds, keys = _subjects([envelope.subject for envelope in envelopes])
        ids = [envelope.id for envelope in envelopes]
        sources = [envelope.source for envelope in envelopes]
        good = timely & (meanings != _NONE) & (kinds != _UNREAD)
        good &= (times >= _FIRST_MOMENT) & (times <= _LAST_MOMENT)
        good &= self._may_be_about(meanings, kinds)
        if "\0" in "".join(ids) or any("\0" in source for source in set(sources)):
            good &= np.array(["\0" not in a + b for a, b in zip(ids, sources, strict=True)])
        kinds[~good] = _UNREAD
        return _Columns(kinds, keys, times, meanings, sources, ids), np.flatnonzero(~good)

    def _read_alone(self, value: bytes | None, place: int, columns: _Columns, batch: Batch) -> None:
        said = read_record(value, self._areas, self._indicators)
        columns.kinds[place] = _KIND_OF[said.kind]
        columns.keys[place] = _key(said.subject)
        columns.times[place] = said.time
        columns.sources[place] = said.source
        columns.ids[place] = said.id
        columns.meanings[place] = self._meanings.learn(said.type, said.data)
        if said.report is not None:
            known = batch.reports.get(said.report.key)
            if known is None or said.report.order > known.order:
                batch.reports[said.report.key] = said.report

    def _refuse_unknown_areas(self, columns: _Columns, batch: Batch) -> None:
        """A code is read as of the event's day; a unit that came or went later does not matter."""
        read = np.flatnonzero(columns.kinds != _UNREAD)
        codes = np.full(len(columns.kinds), _NONE, np.int64)
        codes[read] = self._meanings.columns().areas[columns.meanings[read]]
        said = np.flatnonzero(codes != _NONE)
        days = local_ordinals(columns.times[said])
        unknown = self._territory.communes(codes[said], days) == NOWHERE
        for place, day in zip(said[unknown].tolist(), days[unknown].tolist(), strict=True):
            error = unknown_area(int(codes[place]), date.fromordinal(day))
            batch.errors.append((place, error))
        columns.kinds[said[unknown]] = _UNREAD

    def _may_be_about(self, meanings: NDArray[np.int64], kinds: NDArray[np.int64]) -> Marks:
        """Whether events of these types may be about subjects of these kinds."""
        read = np.flatnonzero((meanings != _NONE) & (kinds != _UNREAD))
        allowed = np.array([template.kinds for template in self._meanings.templates()], np.int64)
        may = np.zeros(len(kinds), np.bool_)
        may[read] = allowed[self._meanings.columns().templates[meanings[read]]] >> kinds[read] & 1
        return may

    def _hear(
        self, columns: _Columns, read: NDArray[np.int64], heard: dict[tuple[str, str], Heard]
    ) -> None:
        """Note when each source and domain was heard of last, and how often."""
        number_of: dict[str, int] = {}
        numbers = [number_of.setdefault(one, len(number_of)) for one in columns.sources]
        sources, templates = list(number_of), self._meanings.templates()
        of_template = self._meanings.columns().templates[columns.meanings[read]]
        pairs = np.array(numbers, np.int64)[read] * len(templates) + of_template
        times = columns.times[read]
        for pair in np.unique(pairs).tolist():
            source, template = divmod(pair, len(templates))
            of_pair = times[pairs == pair]
            known = heard.setdefault(
                (sources[source], templates[template].domain), Heard(int(of_pair[0]), 0)
            )
            known.last_time = max(known.last_time, int(of_pair.max()))
            known.events += len(of_pair)

    def _writes(self, columns: _Columns, kind: int, places: NDArray[np.int64], ids: Ids) -> Writes:
        learnt = self._meanings.columns()
        slots, keeps = self._meanings.slots(learnt.templates[columns.meanings[places]], kind)
        events, which = np.nonzero(slots != _NONE)
        chosen = places[events]
        kept = keeps[events, which]
        forms = np.full(len(chosen), NO_ID, np.uint8)
        words = np.zeros((len(chosen), 2), np.uint64)
        texts = columns.ids
        forms[kept], words[kept] = ids.read([texts[place] for place in chosen[kept].tolist()])
        codes = np.where(kept, learnt.codes[columns.meanings[chosen]], 0)
        return Writes(
            columns.keys[chosen],
            slots[events, which],
            columns.times[chosen],
            forms,
            words,
            codes,
        )


@dataclass(frozen=True, slots=True)
class _Template:
    """What all data of an event type have in common that satisfy the same facts' conditions."""

    domain: str
    kinds: int
    slots: tuple[tuple[int, int, bool], ...]
    """(kind of subject, slot, whether id and data are kept) of each fact that is written."""


class _Meanings:
    """What data mean: a code, a commune, and for each kind of subject the slots they write.

    Few texts of data are ever different, so each is checked and coded once and has a number.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._facts: dict[str, list[tuple[int, Fact]]] = {event_type: [] for event_type in TWINS}
        for rules in catalogue.subjects:
            for fact in rules.facts:
                known = self._facts.setdefault(fact.event_type, [])
                known.append((_KIND_OF[rules.kind], fact))
        self._most = max(1, *map(len, self._facts.values()))
        #: Types of which hardly two data are the same, so that none is remembered.
        self._various = {one for one in TWINS if any(p.kind == "date" for p in coding(one).places)}
        self._numbers_of: dict[str, dict[bytes, int]] = {}
        self._codes: list[int] = []
        self._areas: list[int] = []
        self._templates: list[int] = []
        self._columns = _Learnt.of([], [], [])
        self._template_of: dict[tuple[str, tuple[bool, ...]], int] = {}
        #: The templates of types whose facts ask for nothing.
        self._plain: dict[str, int] = {}
        self._known: list[_Template] = []

    def forget_many(self) -> None:
        """Forget all when there is too much; numbers given before count no more."""
        if len(self._codes) > _MOST_MEANINGS:
            self._numbers_of.clear()
            for learnt in (self._codes, self._areas, self._templates):
                learnt.clear()
            self._columns = _Learnt.of([], [], [])

    def of(self, envelopes: Iterable[Envelope]) -> NDArray[np.int64]:
        """The numbers of what envelopes hold, `_NONE` where only the models can tell."""
        known_of = self._numbers_of
        numbers: list[int] = []
        for envelope in envelopes:
            known = known_of.get(envelope.type)
            number = None if known is None else known.get(bytes(envelope.data))
            if number is None:
                number = self._read(envelope)
            numbers.append(number)
        return np.array(numbers, np.int64)

    def learn(self, event_type: str, data: Mapping[str, Any]) -> int:
        """Give a number to what valid data mean."""
        facts = self._facts.get(event_type, ())
        if event_type in self._plain:
            template = self._plain[event_type]
        else:
            conditions = tuple(
                all(data.get(name) == value for name, value in fact.where.items())
                for _, fact in facts
            )
            template = self._template_of.get((event_type, conditions), _NONE)
            if template == _NONE:
                template = self._learn_template(event_type, conditions)
        self._codes.append(coding(event_type).encode(data) if facts else 0)
        self._areas.append(int(data["area"]) if "area" in data else _NONE)
        self._templates.append(template)
        return len(self._codes) - 1

    def _read(self, envelope: Envelope) -> int:
        twin = TWINS.get(envelope.type)
        data = None if twin is None else twin.read(envelope.data)
        if data is None:
            return _NONE
        number = self.learn(envelope.type, data)
        if envelope.type not in self._various:
            self._numbers_of.setdefault(envelope.type, {})[bytes(envelope.data)] = number
        return number

    def columns(self) -> "_Learnt":
        """All that has been learnt, by number."""
        learnt = len(self._columns.codes)
        if learnt < len(self._codes):
            new = _Learnt.of(self._codes[learnt:], self._areas[learnt:], self._templates[learnt:])
            self._columns = _Learnt(*map(np.concatenate, zip(self._columns, new, strict=True)))
        return self._columns

    def templates(self) -> list[_Template]:
        """What data may have in common, by the numbers in `columns`."""
        return self._known

    def slots(self, templates: NDArray[np.int64], kind: int) -> tuple[NDArray[np.int64], Marks]:
        """(n, facts) slots that are written of a subject of a kind, and whether data are kept."""
        slots = np.full((len(self._known), self._most), _NONE, np.int64)
        keeps = np.zeros((len(self._known), self._most), np.bool_)
        for number, template in enumerate(self._known):
            of_kind = [(slot, kept) for at, slot, kept in template.slots if at == kind]
            for place, (slot, kept) in enumerate(of_kind):
                slots[number, place] = slot
                keeps[number, place] = kept
        return slots[templates], keeps[templates]

    def _learn_template(self, event_type: str, conditions: tuple[bool, ...]) -> int:
        facts = self._facts.get(event_type, ())
        kinds = EVENT_MODELS[event_type].subject_kinds
        template = _Template(
            domain_of(event_type),
            sum(1 << _KIND_OF[kind] for kind in kinds),
            tuple(
                (kind, fact.slot, fact.keeps == "latest")
                for (kind, fact), holds in zip(facts, conditions, strict=True)
                if holds
            ),
        )
        number = self._template_of[event_type, conditions] = len(self._known)
        self._known.append(template)
        if not any(fact.where for _, fact in facts):
            self._plain[event_type] = number
        return number


class _Learnt(NamedTuple):
    """Of each number: the code of the data, the commune code, the template."""

    codes: Column
    areas: Column
    templates: NDArray[np.int64]

    @classmethod
    def of(cls, codes: list[int], areas: list[int], templates: list[int]) -> "_Learnt":
        return cls(*(np.array(one, np.int64) for one in (codes, areas, templates)))


#: What is nested without end ends in a RecursionError.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeError, RecursionError)

#: Stands for a record that is not even an envelope; its empty texts are of no form.
_NOTHING: Final = Envelope("1.0", "", "", "", "", "", msgspec.Raw())


def _envelopes(values: Sequence[bytes | None]) -> list[Envelope]:
    try:
        # The decoder does not look at fields that are not listed. Records begin and end in ASCII, so
        # that all are UTF-8 when they are so together.
        _check_utf8(b"".join(values))  # type: ignore[arg-type]
        return [read_envelope(value) for value in values]  # type: ignore[arg-type]
    except (*_UNREADABLE, TypeError):
        return [_envelope(value) for value in values]


def _envelope(value: bytes | None) -> Envelope:
    if value is None:
        return _NOTHING
    try:
        _check_utf8(value)
        return read_envelope(value)
    except _UNREADABLE:
        return _NOTHING


def _check_utf8(octets: bytes) -> None:
    if not octets.isascii():
        octets.decode()


def _key(subject: str) -> tuple[int, int]:
    """The two words that name a subject: its pseudonym, or a digest of what names it."""
    name, _, identifier = subject.partition(":")
    personal = SubjectKind(name) in PERSONAL_KINDS
    octets = (
        bytes.fromhex(identifier)
        if personal
        else blake2b(subject.encode(), digest_size=16).digest()
    )
    return int.from_bytes(octets[:8]), int.from_bytes(octets[8:])


def _subjects(texts: Sequence[str]) -> tuple[NDArray[np.int64], Words]:
    """Kinds and keys of subjects; the kind is `_UNREAD` where it is not of the contract's form."""
    kinds = np.full(len(texts), _UNREAD, np.int64)
    keys = np.zeros((len(texts), 2), np.uint64)
    lengths = np.array([len(text) for text in texts])
    for kind in PERSONAL_KINDS:
        prefix = f"{kind}:"
        fitting = np.flatnonzero(lengths == len(prefix) + 32)
        if len(fitting):
            words, good = read_pseudonyms([texts[place] for place in fitting.tolist()], prefix)
            kinds[fitting[good]] = _KIND_OF[kind]
            keys[fitting[good]] = words[good]
    for place in np.flatnonzero(kinds == _UNREAD).tolist():
        try:
            kind, _ = parse_inside(texts[place])
        except SubjectError:
            continue
        kinds[place] = _KIND_OF[kind]
        keys[place] = _key(texts[place])
    return kinds, keys
