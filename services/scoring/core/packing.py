"""A shard's state as bytes: what a batch has changed, or a part of the whole.

A pack holds subjects of one kind: their keys and standings, and registers as writes that make them.
Taking packs into an empty state in any order gives the registers back, since the fold does not mind
order; standings are those of the latest pack. Columns stand as they are in memory, little-endian.
A pack says in which layout data are coded (by its fingerprint, see `Layouts`) and which units the
places mean, so that it is read right after the contract or the units have changed.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.catalogue import Catalogue, SubjectRules
from contracts.subjects import SubjectKind
from services.scoring.core.coding import CodingError, coding, recode
from services.scoring.core.subjects import Rows, Standings, Subjects, Writes
from services.scoring.core.territory import NOWHERE, Territory
from services.scoring.core.texts import LONG, Ids, Words

_FORM: Final = 1


class PackError(ValueError):
    """Stored state that this version cannot read."""


#: (name, shift, bits, values) of each field of the data in a slot.
_Fields = list[tuple[str, int, int, str]]
#: Kind of subject → slot → fields.
_Layout = dict[str, dict[int, _Fields]]

_LAYOUT: Final = msgspec.msgpack.Decoder(_Layout)


class Layouts:
    """How data are coded in numbers today, and how they were in stored packs."""

    def __init__(self, catalogue: Catalogue) -> None:
        layout = {rules.kind.value: _layout(rules) for rules in catalogue.subjects}
        #: Today's layout as it is stored, and its fingerprint.
        self.stored: Final = msgspec.msgpack.encode(layout)
        self.fingerprint: Final = sha256(self.stored).hexdigest()[:16]
        self._known: dict[str, _Layout] = {self.fingerprint: layout}

    def know(self, fingerprint: str, stored: bytes) -> None:
        """Learn the layout of earlier packs."""
        self._known[fingerprint] = _LAYOUT.decode(stored)

    def of(self, fingerprint: str, kind: str) -> Mapping[int, _Fields]:
        """How the data of a kind of subject were coded.

        Raises:
            PackError: when nobody has told of that layout.
        """
        if fingerprint not in self._known:
            raise PackError(f"stored state has the layout {fingerprint}, which is not in the store")
        return self._known[fingerprint].get(kind, {})


class Pack(msgspec.Struct, array_like=True):
    """Some subjects of one kind.

    `of` has for each register the place of its subject in this pack. `units` names the units to
    which `areas` points, `long` the long ids.
    """

    form: int
    kind: str
    layout: str
    units: list[str]
    long: list[str]
    keys: bytes
    areas: bytes
    populations: bytes
    numerators: bytes
    due: bytes
    of: bytes
    slots: bytes
    times: bytes
    forms: bytes
    ids: bytes
    codes: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Pack])


def encode(packs: Sequence[Pack]) -> bytes:
    """Packs as they are stored."""
    return _ENCODER.encode(packs)


def decode(stored: bytes) -> list[Pack]:
    """The inverse of `encode`.

    Raises:
        PackError: when these are no packs of a form that is known here.
    """
    try:
        packs = _DECODER.decode(stored)
    except msgspec.DecodeError as error:
        raise PackError(f"stored state cannot be read: {error}") from error
    for pack in packs:
        if pack.form != _FORM:
            raise PackError(f"stored state has the form {pack.form}, this version reads {_FORM}")
    return packs


def pack(
    subjects: Subjects,
    rows: Rows,
    writes: Writes,
    whose: Rows,
    *,
    ids: Ids,
    territory: Territory,
    layouts: Layouts,
) -> Pack:
    """Pack subjects with the registers that `writes` would make.

    Args:
        subjects: of which these are some.
        rows: of the subjects, in order.
        writes: registers of these subjects and of no others.
        whose: the row of each write's subject.
        ids: the long ids of the shard.
        territory: the units.
        layouts: how data are coded.
    """
    standings = subjects.standings.chosen(rows)
    areas, units = _named(standings.areas, territory)
    words, long = _with_long_ids(writes, ids)
    return Pack(
        form=_FORM,
        kind=subjects.kind.value,
        layout=layouts.fingerprint,
        units=units,
        long=long,
        keys=_stored(subjects.keys[rows], "<u8"),
        areas=_stored(areas, "<i4"),
        populations=_stored(standings.populations, "<u8"),
        numerators=_stored(standings.numerators, "<u8"),
        due=_stored(standings.due, "<i4"),
        of=_stored(np.searchsorted(rows, whose), "<u4"),
        slots=_stored(writes.slots, "<u1"),
        times=_stored(writes.times, "<i8"),
        forms=_stored(writes.forms, "<u1"),
        ids=_stored(words, "<u8"),
        codes=_stored(writes.codes, "<i8"),
    )


class Unpacked(NamedTuple):
    """Keys and standings of subjects, and the writes that make their registers."""

    keys: Words
    standings: Standings
    writes: Writes

    @classmethod
    def joined(cls, parts: Sequence["Unpacked"]) -> "Unpacked":
        """All of several, in order."""
        return cls(
            np.concatenate([part.keys for part in parts]),
            Standings(*map(np.concatenate, zip(*(part.standings for part in parts), strict=True))),
            Writes.joined([part.writes for part in parts]),
        )


def unpack(
    packed: Pack, rules: SubjectRules, ids: Ids, territory: Territory, layouts: Layouts
) -> Unpacked:
    """What a pack holds. Units that are not there any more are nowhere.

    Raises:
        PackError: when its layout is not known, or its data are not of the contract any more.
    """
    keys = _read(packed.keys, "<u8").reshape(-1, 2)
    places = [territory.place_of.get(unit, NOWHERE) for unit in packed.units]
    unit_of = np.array([*places, NOWHERE], np.int32)
    standings = Standings(
        unit_of[_read(packed.areas, "<i4")],
        _read(packed.populations, "<u8"),
        _read(packed.numerators, "<u8"),
        _read(packed.due, "<i4"),
    )
    words = _read(packed.ids, "<u8").reshape(-1, 2)
    forms = _read(packed.forms, "<u1")
    if packed.long:
        kept = np.array([ids.keep(text) for text in packed.long], np.uint64)
        words = words.copy()
        words[forms == LONG, 1] = kept[words[forms == LONG, 1]]
    writes = Writes(
        keys[_read(packed.of, "<u4")],
        _read(packed.slots, "<u1").astype(np.int64),
        _read(packed.times, "<i8"),
        forms,
        words,
        _read(packed.codes, "<i8"),
    )
    # Registers of facts that the catalogue has given up are left out.
    known = np.isin(writes.slots, [fact.slot for fact in rules.facts])
    if not known.all():
        writes = writes.chosen(known)
    if packed.layout != layouts.fingerprint:
        writes = _in_layout_of_today(writes, rules, layouts.of(packed.layout, packed.kind))
    return Unpacked(keys, standings, writes)


def kind_of(packed: Pack) -> SubjectKind:
    """The kind of subject that a pack holds."""
    return SubjectKind(packed.kind)


def _named(areas: NDArray[np.int32], territory: Territory) -> tuple[NDArray[np.int64], list[str]]:
    """Places in a list of the units that occur (-1 for nowhere, the last of any list)."""
    unique, inverse = np.unique(areas, return_inverse=True)
    there = unique[unique != NOWHERE]
    first = len(unique) - len(there)
    return inverse - first, [territory.area_ids[place] for place in there.tolist()]


def _with_long_ids(writes: Writes, ids: Ids) -> tuple[NDArray[np.uint64], list[str]]:
    is_long = writes.forms == LONG
    if not is_long.any():
        return writes.ids, []
    words = writes.ids.copy()
    used, inverse = np.unique(words[is_long, 1], return_inverse=True)
    words[is_long, 1] = inverse
    return words, [ids.long[place] for place in used.tolist()]


def _layout(rules: SubjectRules) -> dict[int, _Fields]:
    latest = [fact for fact in rules.facts if fact.keeps == "latest"]
    return {fact.slot: coding(fact.event_type).layout for fact in latest}


def _in_layout_of_today(
    writes: Writes, rules: SubjectRules, stored: Mapping[int, _Fields]
) -> Writes:
    """Data that were not kept once say nothing."""
    codes = writes.codes.copy()
    for fact in rules.facts:
        at = np.flatnonzero(writes.slots == fact.slot)
        fields = stored.get(fact.slot)
        if fields is None or fact.keeps != "latest":
            codes[at] = 0
        else:
            code = coding(fact.event_type)
            try:
                said, which = np.unique(codes[at], return_inverse=True)
                today = np.array([recode(one, fields, code) for one in said.tolist()], np.int64)
                codes[at] = today[which]
            except CodingError as error:
                raise PackError(f"stored state cannot be read: {error}") from error
    return writes._replace(codes=codes)


def _stored(column: NDArray[Any], form: str) -> bytes:
    return np.ascontiguousarray(column, dtype=form).tobytes()


def _read(stored: bytes, form: str) -> NDArray[Any]:
    return np.frombuffer(stored, form)
