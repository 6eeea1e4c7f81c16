"""How fast a caller may send: one token bucket a caller.

A request is let in while the bucket is not empty and is charged with what it brought, so that a
bucket may go into debt: a batch larger than the burst passes, and the next one waits for it.
"""

from dataclasses import dataclass
from typing import Final

#: Callers remembered at once; a forgotten caller starts with a full bucket.
_MOST_CALLERS: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    events: float
    filled_at: float


class RateLimit:
    """Token buckets by caller. Times are seconds on any one monotonic clock."""

    def __init__(self, *, rate: float, burst: float) -> None:
        """Allow `rate` events a second on average, and `burst` events at once."""
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, caller: str, now: float) -> float:
        """Seconds until the caller may send again; 0 means now."""
        events = self._bucket(caller, now).events
        return 0.0 if events > 0 else (1.0 - events) / self._rate

    def charge(self, caller: str, events: int, now: float) -> None:
        """Take what a request brought out of the caller's bucket."""
        self._bucket(caller, now).events -= events

    def _bucket(self, caller: str, now: float) -> _Bucket:
        bucket = self._buckets.get(caller)
        if bucket is None:
            if len(self._buckets) >= _MOST_CALLERS:
                self._buckets.pop(next(iter(self._buckets)))
            bucket = self._buckets[caller] = _Bucket(self._burst, now)
        bucket.events = min(self._burst, bucket.events + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now
        return bucket
