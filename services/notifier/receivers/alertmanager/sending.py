"""Post alerts to an Alertmanager. The same alert any number of times is one alert there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from services.chassis.clock import Clock
from services.notifier.receivers.answering import outcome_of, unanswered
from services.notifier.receivers.outcome import Outcome, Refused

KIND: Final = "alertmanager"


@dataclass(frozen=True, slots=True)
class AlertmanagerReceiver:
    """An Alertmanager, and of which units it hears; None: of what operators are told."""

    name: str
    url: str
    area: str | None
    with_units_below: bool = False
    fingerprint: str = ""
    kind: str = KIND


class AlertmanagerSender:
    """Posts to ``/api/v2/alerts``; one session for all receivers."""

    def __init__(self, session: aiohttp.ClientSession, *, timeout: float, clock: Clock) -> None:
        """`timeout` is seconds for one request, from the connection to the answer."""
        self._session = session
        self._timeout = timeout
        self._clock = clock

    async def post(self, receiver: AlertmanagerReceiver, alerts: Sequence[Any]) -> Outcome:
        """Post ``postableAlerts``; 400 says that they are not of its form."""
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(
                    f"{receiver.url.rstrip('/')}/api/v2/alerts", json=alerts, allow_redirects=False
                ) as answer,
            ):
                if answer.status == HTTPStatus.BAD_REQUEST:
                    return Refused(f"HTTP 400: {(await answer.text())[:200]}")
                retry_after = answer.headers.get("retry-after")
                return outcome_of(answer.status, retry_after, self._clock.now())
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return unanswered(error)
