"""Texts of events, many at a time, as columns of numbers: times, subjects, ids.

Only the usual forms are read here, all of a batch in a few operations; each function also says for
which places it could not, and those are left to the contract's own parsers.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from contracts.times import local_ordinal

Column = NDArray[np.int64]
Words = NDArray[np.uint64]
Marks = NDArray[np.bool_]

_NO_DIGIT: Final = 255
_NIBBLES: Final = np.full(256, _NO_DIGIT, np.uint8)
for _value, _character in enumerate(b"0123456789abcdef"):
    _NIBBLES[_character] = _value
_DIGITS: Final = np.where(_NIBBLES < 10, _NIBBLES, _NO_DIGIT).astype(np.uint8)
_HEX: Final = 32
_UUID: Final = 36
_UUID_DASHES: Final = (8, 13, 18, 23)
_UUID_DIGITS: Final = [place for place in range(_UUID) if place not in _UUID_DASHES]

_SECOND: Final = 1_000_000
_SECONDS_END: Final = 19  # "2026-11-22T08:30:00"
_DATE_AND_TIME: Final = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_DAYS_BEFORE_MONTH: Final = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_DAYS_IN_MONTH: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAYS_TO_1970: Final = 719_162


def local_ordinals(times: Column) -> Column:
    """The local days of epoch microseconds, as ordinals."""
    # The same arithmetic, on columns.
    days: Column = local_ordinal(times)  # type: ignore[arg-type, assignment]
    return days


def _characters(texts: Sequence[str], length: int) -> NDArray[np.uint8]:
    # One byte a character; what is not ASCII becomes "?", which no form below allows.
    joined = "".join(texts).encode("ascii", "replace")
    return np.frombuffer(joined, np.uint8).reshape(-1, length)


def _by_length(texts: Sequence[str]) -> Iterator[tuple[int, Any, Sequence[str]]]:
    """Each length that occurs, the places of the texts that have it, and these texts."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    occurring = np.unique(lengths)
    if len(occurring) == 1:
        yield int(occurring[0]), slice(None), texts
        return
    for length in occurring.tolist():
        places = np.flatnonzero(lengths == length)
        yield length, places, [texts[place] for place in places.tolist()]


def read_times(texts: Sequence[str]) -> tuple[Column, Marks]:
    """Epoch microseconds of RFC 3339 times in upper case, and which of them were read."""
    times = np.zeros(len(texts), np.int64)
    read = np.zeros(len(texts), np.bool_)
    everywhere = np.arange(len(texts))
    for length, places, chosen in _by_length(texts):
        if length <= _SECONDS_END:
            continue
        rows = _characters(chosen, length)
        is_utc = rows[:, -1] == ord("Z")
        for zone, of_zone in ((1, is_utc), (6, ~is_utc)):
            fraction = length - _SECONDS_END - zone
            if not of_zone.any() or not (fraction == 0 or 2 <= fraction <= 7):
                continue  # a fraction is a dot and 1 to 6 digits
            at = everywhere[places][of_zone]
            form = rows if len(at) == len(rows) else rows[of_zone]
            times[at], read[at] = _times_of_form(form, fraction, is_utc=zone == 1)
    return times, read


def _times_of_form(rows: NDArray[np.uint8], fraction: int, *, is_utc: bool) -> tuple[Column, Marks]:
    wanted = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
    if fraction:
        wanted.append((_SECONDS_END, "."))
    good = np.ones(len(rows), np.bool_)
    for place, mark in wanted:
        good &= rows[:, place] == ord(mark)
    digits = _DIGITS[rows[:, _DATE_AND_TIME]].astype(np.int64)
    year = digits[:, 0] * 1000 + digits[:, 1] * 100 + digits[:, 2] * 10 + digits[:, 3]
    month, day, hour, minute, second = (
        digits[:, place] * 10 + digits[:, place + 1] for place in (4, 6, 8, 10, 12)
    )
    good &= (digits <= 9).all(axis=1)
    good &= (month >= 1) & (month <= 12) & (year >= 1)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    month = np.where(good, month, 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    good &= (day >= 1) & (day <= _DAYS_IN_MONTH[month] + (leap & (month == 2)))
    past = year - 1
    days = past * 365 + past // 4 - past // 100 + past // 400
    days += _DAYS_BEFORE_MONTH[month] + (leap & (month > 2)) + day - 1 - _DAYS_TO_1970
    moments = ((days * 24 + hour) * 60 + minute) * 60 + second
    moments *= _SECOND
    for place in range(1, fraction):
        digit = _DIGITS[rows[:, _SECONDS_END + place]].astype(np.int64)
        good &= digit <= 9
        moments += digit * 10 ** (6 - place)
    if not is_utc:
        ahead, known = _offsets(rows[:, -6:])
        moments -= ahead
        good &= known
    return moments, good


def _offsets(rows: NDArray[np.uint8]) -> tuple[Column, Marks]:
    digits = _DIGITS[rows[:, [1, 2, 4, 5]]].astype(np.int64)
    hour = digits[:, 0] * 10 + digits[:, 1]
    minute = digits[:, 2] * 10 + digits[:, 3]
    behind = rows[:, 0] == ord("-")
    good = (digits <= 9).all(axis=1) & (hour < 24) & (minute < 60)
    good &= (behind | (rows[:, 0] == ord("+"))) & (rows[:, 3] == ord(":"))
    ahead = (hour * 60 + minute) * 60 * _SECOND
    return np.where(behind, -ahead, ahead), good


def read_pseudonyms(texts: Sequence[str], prefix: str) -> tuple[Words, Marks]:
    """Subjects that are `prefix` and 32 hexadecimal digits, as (n, 2) words; and which are."""
    length = len(prefix) + _HEX
    rows = _characters(texts, length)
    good = (rows[:, : len(prefix)] == np.frombuffer(prefix.encode(), np.uint8)).all(axis=1)
    words, hexadecimal = _words(rows[:, len(prefix) :])
    return words, good & hexadecimal


def _words(rows: NDArray[np.uint8]) -> tuple[Words, Marks]:
    nibbles = _NIBBLES[rows]
    good = (nibbles != _NO_DIGIT).all(axis=1)
    octets = nibbles[:, ::2] << 4 | nibbles[:, 1::2]
    return np.ascontiguousarray(octets).view(">u8").astype(np.uint64), good


#: Forms of ids in columns. `NO_ID` sorts before all others and is a register without an id.
NO_ID, SHORT, UUID, HEX, LONG = range(5)
_SHORT_BYTES: Final = 16


class Ids:
    """Ids of events as a form and two words each, exactly.

    UUIDs and other 32 hexadecimal digits become 16 bytes, texts of up to 16 bytes stand as they
    are, and longer ones are kept once each in a list, where the second word is their place.
    """

    def __init__(self) -> None:
        self.long: list[str] = []
        self._place_of: dict[str, int] = {}

    def keep(self, text: str) -> int:
        """The place of a long id in the list."""
        place = self._place_of.get(text)
        if place is None:
            place = self._place_of[text] = len(self.long)
            self.long.append(text)
        return place

    def keep_only(self, places: Sequence[int]) -> None:
        """Drop all long ids but those at these places, which become 0, 1, 2 and so on."""
        self.long[:] = [self.long[place] for place in places]
        self._place_of = {text: place for place, text in enumerate(self.long)}

    def read(self, texts: Sequence[str]) -> tuple[NDArray[np.uint8], Words]:
        """Forms and (n, 2) words of ids that hold no NUL."""
        forms = np.empty(len(texts), np.uint8)
        words = np.zeros((len(texts), 2), np.uint64)
        rest: list[int] = []
        everywhere = np.arange(len(texts))
        for length, places, chosen in _by_length(texts):
            at = everywhere[places]
            if length not in (_HEX, _UUID):
                rest += at.tolist()
                continue
            rows = _characters(chosen, length)
            good = np.ones(len(at), np.bool_)
            if length == _UUID:
                for place in _UUID_DASHES:
                    good &= rows[:, place] == ord("-")
                rows = rows[:, _UUID_DIGITS]
            read, hexadecimal = _words(rows)
            good &= hexadecimal
            words[at] = read
            forms[at] = UUID if length == _UUID else HEX
            if not good.all():
                rest += at[~good].tolist()
        self._read_others(texts, rest, forms, words)
        return forms, words

    def _read_others(
        self, texts: Sequence[str], places: list[int], forms: NDArray[np.uint8], words: Words
    ) -> None:
        short: list[int] = []
        written: list[bytes] = []
        for place in places:
            octets = texts[place].encode("utf-8", "surrogatepass")
            if len(octets) <= _SHORT_BYTES:
                short.append(place)
                written.append(octets)
            else:
                forms[place] = LONG
                words[place] = (0, self.keep(texts[place]))
        if short:
            forms[short] = SHORT
            columns = np.array(written, f"S{_SHORT_BYTES}").view(">u8").reshape(-1, 2)
            words[short] = columns

    def text(self, form: int, high: int, low: int) -> str:
        """The id that stands in a column."""
        if form == NO_ID:
            return ""
        if form == LONG:
            return self.long[low]
        octets = high.to_bytes(8) + low.to_bytes(8)
        if form == SHORT:
            return octets.rstrip(b"\0").decode("utf-8", "surrogatepass")
        text = octets.hex()
        if form == HEX:
            return text
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
