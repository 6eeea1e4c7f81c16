"""Invented events of the wire contract as ingest writes them, many and quickly.

First every citizen is registered once; then things happen to random citizens and bodies, so that no
cache of subjects is helped by order. The same seed, ground, sizes and day give the same records.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.simulator.territory import REFORM_DAY
from tests.bench.draws import Draws, Integers, Octets, scattered
from tests.bench.ground import Ground
from tests.bench.mix import AREA, BORN, HAPPENINGS, REGISTERED, REGISTRATION
from tests.bench.templates import MICROSECONDS, SECONDS, Template, murmur2, texts

_LEGACY: Final = 0.5  # of the registrations are dated, and coded, before the reform of units
_LEGACY_FROM: Final = date(2021, 1, 1)
_SPAN: Final = timedelta(days=500)
_BORN_FROM: Final = date(1940, 1, 1)
_BORN_TO: Final = date(2020, 1, 1)
_CITIZENS_TO_A_BODY: Final = 4  # for each of households, organisations and dossiers
_CHUNK: Final = 50_000
_LOCAL_HOURS: Final = 7
_DAY_SECONDS: Final = 86_400

_HEX: Final = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), "<u2")
_SEXAGESIMAL: Final = np.asarray([divmod(n, 10) for n in range(60)], np.uint8) + ord("0")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to invent. Events are at least as many as citizens."""

    citizens: int
    events: int

    def __post_init__(self) -> None:
        if not 0 < self.citizens <= self.events:
            raise ValueError(
                f"{self.events} events for {self.citizens} citizens: each is registered by one"
            )


@dataclass(frozen=True, slots=True)
class Records:
    """Some records in their order, with Kafka's hash of their keys."""

    keys: NDArray[np.object_]
    values: NDArray[np.object_]
    hashes: NDArray[np.uint32]


def invent(sizes: Sizes, *, ground: Ground, seed: int, today: date) -> Iterator[Records]:
    """Records dated before `today`, a local day; about 350 bytes each."""
    inventor = _Inventor(sizes, ground, seed, today)
    for start in range(0, sizes.citizens, _CHUNK):
        yield inventor.registrations(start, min(_CHUNK, sizes.citizens - start))
    rest = sizes.events - sizes.citizens
    for start in range(0, rest, _CHUNK):
        yield inventor.happenings(min(_CHUNK, rest - start))


class _Inventor:
    def __init__(self, sizes: Sizes, ground: Ground, seed: int, today: date) -> None:
        self._seed = seed
        self._citizens = sizes.citizens
        self._bodies = max(sizes.citizens // _CITIZENS_TO_A_BODY, 1)
        self._ground = ground
        self._draws = Draws(seed)
        first = max(REFORM_DAY, today - _SPAN) if ground.reformed else today - _SPAN
        self._recent = _Days(first, today)
        self._former = _Days(_LEGACY_FROM, REFORM_DAY)
        self._births = _Days(_BORN_FROM, _BORN_TO)
        self._registration = Template(REGISTERED, "citizen", REGISTRATION)
        self._templates = [Template(kind, about, data) for kind, about, data, _ in HAPPENINGS]
        self._ends = np.cumsum([share for *_, share in HAPPENINGS])

    def registrations(self, start: int, count: int) -> Records:
        """Registrations of the citizens from number `start` on."""
        draws = self._draws
        citizens = np.arange(start, start + count)
        places = self._ground.places(draws, count)
        times, codes = self._recent.times(draws, count), self._ground.codes(places)
        if self._ground.reformed:
            legacy = (draws.fractions(count) < _LEGACY)[:, None]
            times = np.where(legacy, self._former.times(draws, count), times)
            codes = np.where(legacy, self._ground.former_codes(places, draws), codes)
        subjects = _pseudonyms("citizen", self._seed, citizens)
        filled = {
            "id": _uuids(draws, count),
            "citizen": subjects,
            SECONDS: times,
            AREA: codes,
            BORN: self._births.days(draws, count),
        }
        return _records([(np.arange(count), subjects, self._registration.write(filled))], count)

    def happenings(self, count: int) -> Records:
        """What happens next."""
        drawn = np.searchsorted(self._ends, self._draws.fractions(count), side="right")
        drawn = drawn.clip(max=len(self._templates) - 1)
        order = np.argsort(drawn, kind="stable")
        bounds = np.searchsorted(drawn[order], np.arange(len(self._templates) + 1))
        written = []
        for number, template in enumerate(self._templates):
            rows = order[bounds[number] : bounds[number + 1]]
            if len(rows):
                subjects, values = self._happen(template, len(rows))
                written.append((rows, subjects, values))
        return _records(written, count)

    def _happen(self, template: Template, count: int) -> tuple[Octets, list[bytes]]:
        draws = self._draws
        is_citizen = template.about == "citizen"
        indexes = draws.below(self._citizens if is_citizen else self._bodies, count)
        subjects = _subjects(template.about, self._seed, indexes)
        filled = {"id": _uuids(draws, count), template.about: subjects}
        filled[template.time] = (
            self._recent.exact_times(draws, count)
            if template.time == MICROSECONDS
            else self._recent.times(draws, count)
        )
        if template.has(AREA):
            filled[AREA] = self._ground.codes(self._ground.places(draws, count))
        return subjects, template.write(filled)


def _records(written: Sequence[tuple[Integers, Octets, list[bytes]]], count: int) -> Records:
    keys, values = np.empty(count, object), np.empty(count, object)
    hashes = np.empty(count, np.uint32)
    for rows, subjects, texts_of_values in written:
        keys[rows] = texts(subjects)
        values[rows] = texts_of_values
        hashes[rows] = murmur2(subjects)
    return Records(keys, values, hashes)


class _Days:
    """Local days from the first up to the last, as text, with times of day in UTC."""

    def __init__(self, first: date, last: date) -> None:
        count = (last - first).days
        # A local day begins on the day before in UTC.
        days = [first + timedelta(days=number) for number in range(-1, count)]
        text = "".join(day.isoformat() for day in days).encode()
        self._texts = np.frombuffer(text, np.uint8).reshape(-1, 10)
        self._count = count

    def days(self, draws: Draws, count: int) -> Octets:
        """Days as 1990-05-17."""
        return self._texts[1 + draws.below(self._count, count)]

    def times(self, draws: Draws, count: int) -> Octets:
        """Moments as 2026-11-22T01:30:00Z."""
        # From the UTC midnight that precedes the first local one.
        before = (24 - _LOCAL_HOURS) * 3600
        seconds = before + draws.below(self._count * _DAY_SECONDS, count)
        day, second = np.divmod(seconds, _DAY_SECONDS)
        minute, second = np.divmod(second, 60)
        hour, minute = np.divmod(minute, 60)
        rows = np.empty((count, 20), np.uint8)
        rows[:] = np.frombuffer(b"0000-00-00T00:00:00Z", np.uint8)
        rows[:, 0:10] = self._texts[day]
        for place, part in ((11, hour), (14, minute), (17, second)):
            rows[:, place : place + 2] = _SEXAGESIMAL[part]
        return rows

    def exact_times(self, draws: Draws, count: int) -> Octets:
        """Moments as 2026-11-22T01:30:00.123000Z: milliseconds, as ingest writes them."""
        rows = np.empty((count, 27), np.uint8)
        rows[:, :19] = self.times(draws, count)[:, :19]
        rows[:, 19:] = np.frombuffer(b".000000Z", np.uint8)
        # Never a whole second, which would have no fraction and be shorter.
        rows[:, 20:23] = _digits(1 + draws.below(999, count), 3)
        return rows


def _uuids(draws: Draws, count: int) -> Octets:
    """Random UUIDs (RFC 9562, version 4) as text."""
    octets = draws.octets(count, 16)
    octets[:, 6] = octets[:, 6] & 0x0F | 0x40
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    digits = _hexadecimal(octets)
    rows = np.full((count, 36), ord("-"), np.uint8)
    for place, first, last in ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32)):
        rows[:, place : place + last - first] = digits[:, first:last]
    return rows


def _subjects(kind: str, seed: int, indexes: Integers) -> Octets:
    if kind in ("citizen", "household"):
        return _pseudonyms(kind, seed, indexes)
    if kind == "organisation":
        # Tax codes begin with the province's code; 00 is given to none, so these are invented.
        return _behind("organisation:00", _digits(indexes, 8))
    if kind == "dossier":
        return _behind("dossier:HS-", _digits(indexes, 9))
    raise ValueError(f"there are no invented subjects of kind {kind}")


def _pseudonyms(kind: str, seed: int, indexes: Integers) -> Octets:
    halves = (scattered(f"{kind} {half}", seed, indexes) for half in ("first", "second"))
    octets = np.column_stack([half.astype("<u8") for half in halves]).view(np.uint8)
    return _behind(f"{kind}:", _hexadecimal(octets))


def _behind(prefix: str, rows: Octets) -> Octets:
    start = np.frombuffer(prefix.encode(), np.uint8)
    return np.hstack([np.broadcast_to(start, (len(rows), len(start))), rows])


def _hexadecimal(octets: Octets) -> Octets:
    return _HEX[octets].view(np.uint8)


def _digits(numbers: Integers, width: int) -> Octets:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)
