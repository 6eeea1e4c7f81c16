"""Send a letter to a webhook, with its text in the language of the receiver.

The ``webhook-id`` is the delivery's, the same with every attempt.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

import aiohttp
from standardwebhooks import Webhook

from contracts.times import format_rfc3339
from services.chassis.clock import Clock
from services.notifier.core.letter import Letter
from services.notifier.core.wording import Language
from services.notifier.receivers.answering import outcome_of, unanswered
from services.notifier.receivers.email.rendering import as_text
from services.notifier.receivers.outcome import Outcome
from services.notifier.store.deliveries import Delivery

KIND: Final = "webhook"
EVENT_TYPE: Final = "vn.nhipso.message.v1"
TEST_TYPE: Final = "vn.nhipso.test.v1"
"""Of a type of its own, so that nobody takes it for a message."""


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """A unit's webhook; two with one name are one."""

    name: str
    url: str
    signer: Webhook
    kind: str = KIND
    fingerprint: str = ""
    language: Language = "vi"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WebhookReceiver) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class WebhookSender:
    """Posts messages; one session for all receivers."""

    def __init__(self, session: aiohttp.ClientSession, *, timeout: float, clock: Clock) -> None:
        """`timeout` is seconds for one attempt, from the connection to the answer."""
        self._session = session
        self._timeout = timeout
        self._clock = clock

    async def send(self, receiver: WebhookReceiver, delivery: Delivery) -> Outcome:
        """Post one letter; 410 Gone ends all, as Standard Webhooks says."""
        return await self.post(receiver, str(delivery.id), body(delivery.letter, receiver.language))

    async def post(self, receiver: WebhookReceiver, message_id: str, payload: str) -> Outcome:
        """Sign a payload and post it."""
        now = self._clock.now()
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": receiver.signer.sign(message_id, now, payload),
        }
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(
                    receiver.url, data=payload.encode(), headers=headers, allow_redirects=False
                ) as answer,
            ):
                return outcome_of(answer.status, answer.headers.get("retry-after"), now)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return unanswered(error)


def body(letter: Letter, language: Language = "vi") -> str:
    """What is posted: type, timestamp and data, as Standard Webhooks recommends."""
    data = letter.model_dump(mode="json")
    kind = TEST_TYPE if letter.is_test else EVENT_TYPE
    data |= {"subject": letter.subject_in(language), "text": as_text(letter, language)}
    return json.dumps(
        {"type": kind, "timestamp": format_rfc3339(letter.written_at), "data": data},
        ensure_ascii=False,
    )
