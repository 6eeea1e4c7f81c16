"""Incoming webhooks as Slack has them, and Mattermost, Rocket.Chat and others after it."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from services.chassis.clock import Clock
from services.notifier.core.wording import Language
from services.notifier.receivers.answering import outcome_of, unanswered
from services.notifier.receivers.chat.message import ChatMessage
from services.notifier.receivers.outcome import Outcome, Reason, Refused, Retry

KIND: Final = "slack"

LONGEST: Final = 16_000
"""Characters as they are sent, escaped: Slack cuts after 40,000, Mattermost takes 16,383."""

_GONE: Final = frozenset(
    {
        *("no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled"),
        *("channel_not_found", "channel_is_archived", "user_not_found"),
    }
)
"""Words of the body that say that this webhook, or what it posts to, is no more.

A 404 without one of them may be a proxy's, and is tried again.
"""

_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_WORD: Final = 60


@dataclass(frozen=True, slots=True)
class SlackReceiver:
    """A channel; who has its URL can post to it, so it stays out of what is shown."""

    name: str
    url: str
    fingerprint: str = ""
    kind: str = KIND
    language: Language = "vi"


class SlackChat:
    """Posts to incoming webhooks; one session for all."""

    def __init__(self, session: aiohttp.ClientSession, *, timeout: float, clock: Clock) -> None:
        """`timeout` is seconds for one attempt, from the connection to the answer."""
        self._session = session
        self._timeout = timeout
        self._clock = clock

    async def post(self, receiver: SlackReceiver, message: ChatMessage) -> Outcome:
        """Post one message."""
        # Escaped, as Slack asks: a name cannot become a link or call a whole channel.
        escaped = ChatMessage(
            message.title.translate(_ESCAPED),
            tuple(block.translate(_ESCAPED) for block in message.blocks),
        )
        text = escaped.within(LONGEST)
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(
                    receiver.url, json={"text": text}, allow_redirects=False
                ) as answer,
            ):
                word = (await answer.text(errors="replace")).strip()[:_WORD]
                retry_after = answer.headers.get("retry-after")
                return _read(answer.status, word, retry_after, self._clock)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return unanswered(error)


def _read(status: int, word: str, retry_after: str | None, clock: Clock) -> Outcome:
    outcome = outcome_of(status, retry_after, clock.now())
    error = f"HTTP {status}: {word}"
    if word in _GONE and status >= HTTPStatus.BAD_REQUEST:
        return Refused(error, Reason.GONE)
    if status == HTTPStatus.BAD_REQUEST:
        return Refused(error)
    if isinstance(outcome, Retry):
        return Retry(error, outcome.asked, outcome.reason)
    return outcome
