"""Canonical JSON: one text for one value, so that order never depends on arrival.

This is the JSON Canonicalization Scheme (RFC 8785): members sorted by the UTF-16 code units of their
names, no white space, numbers as ECMAScript writes them. Whole numbers that Python holds as ``int``
keep every digit, also beyond what a double can hold.
"""

import json
import math
from decimal import Decimal
from typing import Any


def canonical_json(value: Any) -> str:
    """The canonical text of a JSON value.

    Raises:
        ValueError: for a number that JSON does not have (NaN, infinities).
        TypeError: for a value that JSON does not have.
    """
    if isinstance(value, dict):
        names = sorted(value, key=_utf16)
        members = (f"{canonical_json(name)}:{canonical_json(value[name])}" for name in names)
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """As ECMAScript's ``Number::toString`` does: the fewest digits that name this double."""
    if not math.isfinite(value):
        raise ValueError(f"JSON has no number {value}")
    if value == 0:
        return "0"
    sign, digit_tuple, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, digit_tuple))
    point = len(digits) + int(exponent)  # where the decimal point stands, from the first digit
    if len(digits) <= point <= 21:
        text = digits.ljust(point, "0")
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
        text = f"{mantissa}e{point - 1:+d}"
    return f"-{text}" if sign else text
