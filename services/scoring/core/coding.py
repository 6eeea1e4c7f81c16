"""Data of events as whole numbers.

What an event type may say is a handful of small fields: states, levels, a date, a commune code.
Each field has its place in one 63-bit number, so that the data of a million registers are one
column. A field's place holds 0 where the event did not say it. Free text has no place: no rule may
ask for it (a test holds that), and it is not kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final, cast

from contracts.events import EVENT_MODELS, Data

_AREA_PATTERN: Final = "^[0-9]{5}$"
_AREAS: Final = 100_000
_DATES: Final = date.max.toordinal()
_MOST_BITS: Final = 63
_ABSENT: Final = object()
_MOST_SEEN: Final = 65_536
#: Levels and grades are listed one by one; numbers of things have no place.
_MOST_LISTED: Final = 1_000


class CodingError(ValueError):
    """The data of an event type have no place in a number, or a field is not among them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands in the number: so many bits from `shift` on, holding 1 + its rank."""

    name: str
    shift: int
    bits: int
    kind: str
    rank: Callable[[Any], int]
    value: Callable[[int], Any]

    @property
    def mask(self) -> int:
        """The field's bits, moved down to the lowest."""
        return (1 << self.bits) - 1

    def of(self, said: Any) -> int:
        """What stands in this place for a value that was said."""
        return self.rank(said) + 1


class DataCode:
    """The code of one event type's data; `coding` gives the one of a type."""

    def __init__(self, event_type: str) -> None:
        data = EVENT_MODELS[event_type].model_fields["data"].annotation
        if not (isinstance(data, type) and issubclass(data, Data)):
            raise CodingError(f"the data of {event_type} have no model of their own")
        self.event_type: Final = event_type
        self.places: Final = tuple(_places(event_type, data))
        self._by_name = {place.name: place for place in self.places}
        # What each value that was seen adds to the number; a place has few values in use.
        self._seen: list[tuple[str, Place, dict[Any, int]]] = [
            (place.name, place, {}) for place in self.places
        ]

    def place(self, name: str) -> Place:
        """The place of a field.

        Raises:
            CodingError: when the field has none.
        """
        if name not in self._by_name:
            raise CodingError(f"{self.event_type} has no field {name} that is kept")
        return self._by_name[name]

    def encode(self, data: Mapping[str, Any]) -> int:
        """The number of data that the contract's model has taken; what has no place is left out."""
        code = 0
        for name, place, seen in self._seen:
            value = data.get(name, _ABSENT)
            if value is not _ABSENT:
                part = seen.get(value)
                if part is None:
                    if len(seen) >= _MOST_SEEN:
                        seen.clear()
                    part = seen[value] = place.of(value) << place.shift
                code |= part
        return code

    def decode(self, code: int) -> dict[str, Any]:
        """The inverse of `encode`."""
        said = {}
        for place in self.places:
            rank = code >> place.shift & place.mask
            if rank:
                said[place.name] = place.value(rank - 1)
        return said

    @property
    def layout(self) -> list[tuple[str, int, int, str]]:
        """What a reader of stored numbers must know: name, shift, bits and values of each field."""
        return [(place.name, place.shift, place.bits, place.kind) for place in self.places]


@cache
def coding(event_type: str) -> DataCode:
    """The code of an event type.

    Raises:
        CodingError: when its data have no place in a number.
    """
    return DataCode(event_type)


def _places(event_type: str, data: type[Data]) -> list[Place]:
    found: list[Place] = []
    shift = 0
    for name, rule in data.model_json_schema()["properties"].items():
        known = _kind_of(rule)
        if known is None:
            continue
        kind, ranks, rank, value = known
        bits = ranks.bit_length()
        found.append(Place(name, shift, bits, kind, rank, value))
        shift += bits
    if shift > _MOST_BITS:
        raise CodingError(f"the data of {event_type} take {shift} bits, {_MOST_BITS} are there")
    return found


_Kind = tuple[str, int, Callable[[Any], int], Callable[[int], Any]]


def _kind_of(rule: Mapping[str, Any]) -> _Kind | None:  # noqa: PLR0911 - a form a line
    """Name, number of values, rank of a value and value of a rank; None for free text."""
    match rule:
        case {"const": value}:
            return _listed((value,))
        case {"enum": values}:
            return _listed(tuple(values))
        case {"type": "boolean"}:
            return _listed((False, True))
        case {"anyOf": [{"type": "boolean"}, {"type": "null"}]}:
            return _listed((False, True, None))
        case {"type": "integer", "minimum": int(lowest), "maximum": int(highest)} if (
            highest - lowest < _MOST_LISTED
        ):
            return _listed(tuple(range(lowest, highest + 1)))
        case {"type": "string", "format": "date"}:
            return "date", _DATES, _ordinal, _iso_date
        case {"type": "string", "pattern": pattern} if pattern == _AREA_PATTERN:
            return "area", _AREAS, int, "{:05d}".format
    return None


def _listed(values: tuple[Any, ...]) -> _Kind:
    # False is 0 and True is 1 for Python; a list holds only values of one kind, or null.
    ranks = {value: rank for rank, value in enumerate(values)}
    return repr(values), len(values), ranks.__getitem__, values.__getitem__


def _ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal() - 1


def _iso_date(rank: int) -> str:
    return date.fromordinal(rank + 1).isoformat()


def recode(code: int, stored: list[tuple[str, int, int, str]], now: DataCode) -> int:
    """A stored number of an earlier layout in the layout of today.

    Raises:
        CodingError: when a stored value has no place any more.
    """
    said = {}
    for name, shift, bits, kind in stored:
        rank = code >> shift & (1 << bits) - 1
        if rank:
            said[name] = _stored_value(name, kind, rank - 1, now)
    return now.encode(said)


def _stored_value(name: str, kind: str, rank: int, now: DataCode) -> Any:
    place = now.place(name)
    if kind in ("date", "area"):
        return place.value(rank)
    value = cast("tuple[Any, ...]", _literal(kind))[rank]
    try:
        place.of(value)
    except KeyError:
        raise CodingError(f"{now.event_type} no longer says {value!r} in {name}") from None
    return value


@cache
def _literal(text: str) -> object:
    # Written by `layout` above: a tuple of JSON's scalars.
    from ast import literal_eval  # noqa: PLC0415 - only when a layout has changed

    return literal_eval(text)
