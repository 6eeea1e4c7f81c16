"""Repeatable chance: a generator of its own for each thing, derived from the seed by hashing."""

import hashlib
import math
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Final

#: Viet Nam's offset as a fixed zone: it has had no daylight saving within the contract's times.
LOCAL: Final = timezone(timedelta(hours=7))

_SQRT_2: Final = math.sqrt(2.0)


def chance(seed: int, *path: object) -> Random:
    """A generator that depends on the seed and the path alone, whatever else was drawn before."""
    text = "|".join(str(part) for part in (seed, *path))
    return Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest()))


def fraction(*path: object) -> float:
    """A fixed number from 0 up to 1 for a path, without a seed: a property of the territory."""
    digest = hashlib.blake2b("|".join(str(part) for part in path).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56


def rank(affinity: float, noise: float, pull: float) -> float:
    """Turn two standard normal draws into a rank from 0 (first to adopt) to 1 (last).

    `pull` (0 to 1) is the share of the variance that the common affinity explains, so one person's
    ranks go together while each alone stays evenly spread.
    """
    mixed = math.sqrt(pull) * affinity + math.sqrt(1.0 - pull) * noise
    return 0.5 * math.erfc(mixed / _SQRT_2)


def moment_on(day: date, draw: float, latest: datetime) -> datetime:
    """A moment of that local day between 07:00 and 21:00, but never after `latest`."""
    seconds = 7 * 3600 + int(draw * 14 * 3600)
    midnight = datetime(day.year, day.month, day.day, tzinfo=LOCAL)
    return min(midnight + timedelta(seconds=seconds), latest)


def day_between(first: date, last: date, draw: float) -> date:
    """A day from `first` to `last`, both included; `first` when they are the wrong way round."""
    span = (last - first).days
    return first + timedelta(days=int(draw * (span + 1))) if span > 0 else first
