"""A token bucket that paces a stream: never faster than the rate, no drift over hours.

Pure: moments are passed in as seconds of any steady clock.
"""


class Pacer:
    """Lets `rate` events a second through, and up to `burst` seconds' worth at once.

    The schedule is kept as the moment at which the bucket will be empty again; rounding and late
    wake-ups do not add up, because each grant moves the schedule by exactly its own length.
    """

    def __init__(self, rate: float, now: float, *, burst: float = 0.5) -> None:
        if rate < 0:
            raise ValueError("rate must not be negative; 0 means no limit")
        self._rate = rate
        self._burst = burst
        self._due = now

    def grant(self, events: int, now: float) -> float:
        """Take leave to send so many events; returns the seconds to wait before sending them."""
        if self._rate == 0:
            return 0.0
        self._due = max(self._due, now - self._burst)  # what was not used is lost beyond the burst
        wait = max(self._due - now, 0.0)
        self._due += events / self._rate
        return wait
