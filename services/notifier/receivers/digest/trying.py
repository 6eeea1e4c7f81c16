"""Tests in the queues of digests: such a receiver is tried the way its digests go."""

from functools import partial
from typing import Final

from pydantic import TypeAdapter

from services.notifier.core.digest import Digest
from services.notifier.core.letter import Letter
from services.notifier.pipeline.delivering import Send
from services.notifier.receivers.digest.subscribing import DigestReceiver
from services.notifier.receivers.outcome import Outcome
from services.notifier.store import deliveries
from services.notifier.store.deliveries import Delivery

_SAID: Final = TypeAdapter[Digest | Letter](Digest | Letter)

claim: Final = partial(deliveries.claim, read=_SAID.validate_json)
"""Take digests that are due, and tests among them."""


def either(digests: Send, letters: Send) -> Send:
    """Send digests by the one, and tests, which are letters, by the sender beneath it."""

    async def send(receiver: DigestReceiver, delivery: Delivery[Digest | Letter]) -> Outcome:
        if isinstance(delivery.letter, Letter):
            return await letters(receiver.to, delivery)
        return await digests(receiver, delivery)

    return send
