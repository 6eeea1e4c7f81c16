"""Send a letter to a chat: one interface, whatever the service."""

from typing import Generic, Protocol, TypeVar

from services.notifier.core.wording import Language
from services.notifier.receivers.chat.message import ChatMessage, chat_message
from services.notifier.receivers.outcome import Outcome
from services.notifier.store.deliveries import Delivery


class ChatReceiver(Protocol):
    """Somebody who reads a chat."""

    @property
    def language(self) -> Language:
        """The language they are told in."""
        ...


To = TypeVar("To", bound=ChatReceiver)
To_contra = TypeVar("To_contra", bound=ChatReceiver, contravariant=True)


class Chat(Protocol[To_contra]):
    """A service of chats."""

    async def post(self, receiver: To_contra, message: ChatMessage) -> Outcome:
        """Post one message, within the service's bounds of length."""
        ...


class ChatSender(Generic[To]):
    """Sends letters by one service."""

    def __init__(self, chat: Chat[To]) -> None:
        self._chat = chat

    async def send(self, receiver: To, delivery: Delivery) -> Outcome:
        """Send one letter."""
        return await self._chat.post(receiver, chat_message(delivery.letter, receiver.language))
