"""Reads a number as people and programs write it, and guesses nothing.

Vietnamese writes 1.234,5 where English writes 1,234.5. A text is taken only where it can mean one
thing: both separators, several groups, or digits alone. ``1.234`` is 1234 where a whole number is
asked, since in Vietnamese a dot separates thousands; elsewhere it is asked back.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from services.ingest.core.identifiers import redact
from services.ingest.reports.core.faults import Code

#: Longer texts are not repeated in an answer.
_SHOWN: Final = 24
#: What a spreadsheet's arithmetic leaves behind the point is rounded away.
_PLACES: Final = 6
#: No unit counts more. A citizen's number is larger, also one that has lost its zeros.
LARGEST: Final = 999_999_999
_LONGEST: Final = 40

_SPACED: Final = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]+)?")
_VIETNAMESE: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_ENGLISH: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+")
_GROUPS: Final = re.compile(r"[1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,}|(?:,[0-9]{3}){2,})")
_ONE_GROUP: Final = re.compile(r"([1-9][0-9]{0,2})([.,])([0-9]{3})")
_DECIMAL: Final = re.compile(r"[0-9]+[.,][0-9]+")
_WHOLE: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Number:
    """What was read, and whether it was written as a percentage."""

    value: Decimal
    percent: bool = False


class NumberError(ValueError):
    """What is wrong with a written number."""

    def __init__(self, code: Code, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def is_empty(raw: Any) -> bool:
    """Whether nothing was written."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def read_number(raw: Any, *, whole: bool) -> Number:
    """Read what stands in a cell.

    Args:
        raw: a number, a text, or whatever else a spreadsheet or JSON holds; not empty.
        whole: whether a whole number is asked for.

    Raises:
        NumberError: it is no number, or can be read in two ways.
    """
    if isinstance(raw, date | datetime | time | timedelta):
        raise NumberError(Code.A_DATE)
    if isinstance(raw, bool):
        raise NumberError(Code.NOT_A_NUMBER, text=shown(raw))
    if isinstance(raw, int):
        return Number(_bounded(Decimal(raw)))
    if isinstance(raw, float | Decimal):
        if not math.isfinite(raw):
            raise NumberError(Code.NOT_A_NUMBER, text=shown(raw))
        return Number(tidy(Decimal(str(raw))))
    if isinstance(raw, str):
        return _text(raw, whole=whole)
    raise NumberError(Code.NOT_A_NUMBER, text="…")


def written(value: Decimal) -> str:
    """A number as Vietnamese writes it: ``1.234,5``."""
    text = f"{value:,f}" if value == value.to_integral_value() else f"{value.normalize():,f}"
    text = text.partition(".")[0] if value == value.to_integral_value() else text
    return text.translate(str.maketrans(",.", ".,"))


def shown(raw: Any) -> str:
    """What was written, short and without long numbers, for an answer."""
    text = redact(" ".join(str(raw).split()))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _text(raw: str, *, whole: bool) -> Number:
    text = " ".join(unicodedata.normalize("NFKC", raw).split()).replace("\u2212", "-")
    percent = text.endswith("%")
    text = text.removesuffix("%").rstrip()
    negative = text.startswith("-")
    digits = text.removeprefix("-").removeprefix("+").lstrip()
    plain = _plain(digits)
    if plain is None and (found := _ONE_GROUP.fullmatch(digits)):
        if not whole or found[2] == ",":
            both = {"one": found[1] + found[3], "other": f"{found[1]},{found[3].rstrip('0') or 0}"}
            raise NumberError(Code.AMBIGUOUS_NUMBER, text=shown(raw), **both)
        plain = found[1] + found[3]
    if plain is None:
        raise NumberError(Code.NOT_A_NUMBER, text=shown(raw))
    if len(plain) > _LONGEST:
        raise NumberError(Code.TOO_LARGE)
    value = tidy(Decimal(plain))
    return Number(-value if negative else value, percent)


def _plain(text: str) -> str | None:
    """Digits with a decimal point, where the text can mean one number alone."""
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "")
    if _VIETNAMESE.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _ENGLISH.fullmatch(text):
        return text.replace(",", "")
    if _GROUPS.fullmatch(text):
        return text.replace(".", "").replace(",", "")
    if _WHOLE.fullmatch(text) or (_DECIMAL.fullmatch(text) and not _ONE_GROUP.fullmatch(text)):
        return text.replace(",", ".")
    return None


def tidy(value: Decimal) -> Decimal:
    """Rounded, and without the zeros behind the point that say nothing."""
    rounded = round(_bounded(value), _PLACES)
    whole = rounded.to_integral_value()
    return whole if rounded == whole else rounded.normalize()


def _bounded(value: Decimal) -> Decimal:
    if abs(value) > LARGEST:
        raise NumberError(Code.TOO_LARGE)
    return value
