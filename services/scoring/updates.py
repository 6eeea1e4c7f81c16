"""`indicator.updated` as bytes, without the models: the outbox writes thousands in a row.

`contracts.updates` says what the event is; a test holds these bytes against it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from contracts.pace import shown
from contracts.updates import INDICATOR_UPDATED, SCORING_SOURCE


class _Data(msgspec.Struct, frozen=True, gc=False):
    area: str
    indicator: str
    basis: str
    numerator: int | None
    denominator: int | None
    value: int | float | msgspec.Raw | None
    period: str | None
    version: int
    updated_at: datetime
    fresh_at: datetime | None


class _Event(msgspec.Struct, frozen=True, gc=False):
    specversion: Literal["1.0"]
    id: str
    source: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"]
    type: str
    data: _Data


_encode: Final[Callable[[_Event], bytes]] = msgspec.json.Encoder().encode

#: Integers beyond these bounds are none to msgspec.
_LARGEST: Final = 2**63 - 1


def encode(figure: Iterable[Any], fresh_at: datetime | None) -> bytes:
    """The event that tells of a figure, as JSON.

    Args:
        figure: unit, indicator, basis, numerator, denominator, the value that was reported, period,
            version and when it was updated, as they stand in the table.
        fresh_at: as `contracts.updates.IndicatorUpdatedData` has it.
    """
    area, indicator, basis, numerator, denominator, value, period, version, updated_at = figure
    data = _Data(
        area,
        indicator,
        basis,
        numerator,
        denominator,
        _percent(numerator or 0, denominator)
        if denominator is not None
        else _number(shown(None, None, value)),
        period,
        version,
        updated_at,
        fresh_at,
    )
    return _encode(
        _Event(
            "1.0",
            f"{area}/{indicator}/{basis}/{version}",
            SCORING_SOURCE,
            f"area:{area}",
            updated_at,
            "application/json",
            INDICATOR_UPDATED,
            data,
        )
    )


def _percent(numerator: int, denominator: int) -> float | None:
    """`contracts.pace.percentage` as a number of JSON, in whole hundredths and thus exact."""
    if denominator == 0:
        return None
    hundredths = (20_000 * numerator + denominator) // (2 * denominator)
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def _number(value: Decimal | None) -> int | float | msgspec.Raw | None:
    if value is None:
        return None
    if value != value.to_integral_value():
        return float(value)
    whole = int(value)
    return whole if -_LARGEST <= whole <= _LARGEST else msgspec.Raw(str(whole).encode())
