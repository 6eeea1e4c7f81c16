"""Send a letter to a chat: one interface, whatever the service."""

from typing import Protocol, TypeVar

from services.notifier.receivers.chat.message import ChatMessage, chat_message
from services.notifier.receivers.outcome import Outcome
from services.notifier.store.deliveries import Delivery

To = TypeVar("To", contravariant=True)


class Chat(Protocol[To]):
    """A service of chats."""

    async def post(self, receiver: To, message: ChatMessage) -> Outcome:
        """Post one message, within the service's bounds of length."""
        ...


class ChatSender:
    """Sends letters by one service."""

    def __init__(self, chat: Chat[To]) -> None:
        self._chat = chat

    async def send(self, receiver: To, delivery: Delivery) -> Outcome:
        """Send one letter."""
        return await self._chat.post(receiver, chat_message(delivery.letter))
