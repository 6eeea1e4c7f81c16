"""Shares and pace: value, target, pace and gap of an indicator, in exact decimals.

The pace is the line through the targets: from the baseline to the target at the end of 2025, and on
to the one at the end of 2030. Percentages have two decimals, rounded half up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from typing import Final

_CENT: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)
# Wide enough for every number that JSON and the contract's events let through.
_WIDE: Final = Context(prec=5_000)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A percentage on a day: a baseline or a target."""

    on: date
    percent: Decimal


def two_decimals(value: Decimal) -> Decimal:
    """Round half up to two decimals."""
    return value.quantize(_CENT, ROUND_HALF_UP, _WIDE)


def percentage(numerator: int, denominator: int) -> Decimal | None:
    """The share in percent with two decimals, or None where the denominator is 0."""
    if denominator == 0:
        return None
    return two_decimals(_HUNDRED * numerator / denominator)


def shown(numerator: int | None, denominator: int | None, value: Decimal | None) -> Decimal | None:
    """A figure as it is told everywhere: the share, or else the value that was reported.

    Two decimals; None where there is neither, or nobody to count.
    """
    if denominator is not None:
        return percentage(numerator or 0, denominator)
    return None if value is None else two_decimals(value)


def target_on(targets: Sequence[Milestone], today: date) -> Decimal | None:
    """The target that is being worked towards: the next one due, or else the last one."""
    ahead = [target for target in targets if target.on >= today]
    chosen = ahead[0] if ahead else targets[-1] if targets else None
    return chosen.percent if chosen is not None else None


def pace_on(
    targets: Sequence[Milestone], baseline: Milestone | None, today: date
) -> Decimal | None:
    """Where an indicator should stand today, in percent with two decimals.

    Args:
        targets: earliest first.
        baseline: where the line begins, or None when nothing is known of the start. One that is
            not before the first target changes nothing: what was due then stays due.
        today: the local day.

    Returns:
        None where there is no target, or no start before the first one. After the last target the
        pace stays there.
    """
    line = list(targets)
    if baseline is not None and line and baseline.on < line[0].on:
        line.insert(0, baseline)
    if not line or today < line[0].on:
        return None
    for start, end in pairwise(line):
        if start.on <= today <= end.on:
            done = Decimal((today - start.on).days) / Decimal((end.on - start.on).days)
            return two_decimals(start.percent + (end.percent - start.percent) * done)
    return two_decimals(line[-1].percent)


def gap_people(numerator: int, denominator: int, pace: Decimal | None) -> int | None:
    """How many subjects are missing in the numerator to stand on the pace; 0 when on or above it.

    None where there is no pace or nobody to count.
    """
    if pace is None or denominator == 0:
        return None
    wanted = (pace * denominator / _HUNDRED).to_integral_value(ROUND_CEILING)
    return max(0, int(wanted) - numerator)
