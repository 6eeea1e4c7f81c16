"""Whether a process can do its work now: named checks, run together, each with a limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

OK: Final = "ok"

Check = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else the reason in words fit for an open page."""


class Readiness:
    """The checks that `/readyz` runs. Without a check a process is ready."""

    def __init__(self, *, timeout: float = 2.0) -> None:
        """Start without checks; `timeout` is seconds for each check."""
        self._timeout = timeout
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Add a check.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._checks:
            raise ValueError(f"readiness check {name!r} exists already; choose another name")
        self._checks[name] = check

    async def run(self) -> dict[str, str]:
        """Run all checks at once; return name → "ok" or the reason, in the order of adding.

        A check that raises or takes too long is a reason, never an error: the page that tells of
        trouble must not fall to it. What was raised goes to the log alone, because its message
        may name hosts or data.
        """
        reasons = await asyncio.gather(*(self._one(*item) for item in self._checks.items()))
        return dict(zip(self._checks, reasons, strict=True))

    async def _one(self, name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                return await check() or OK
        except TimeoutError:
            return f"no answer within {self._timeout:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
            structlog.get_logger(__name__).warning(
                "readiness check failed", check=name, exc_info=True
            )
            return f"failed: {type(error).__name__}"
