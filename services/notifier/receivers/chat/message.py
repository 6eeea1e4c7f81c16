"""A letter as a chat shows it: a title and blocks of plain text."""

from dataclasses import dataclass
from typing import Final

from services.notifier.core.letter import Letter
from services.notifier.core.wording import Language
from services.notifier.receivers.email.rendering import as_text

_MORE: Final = "…"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """What is said: `blocks` are paragraphs of plain text."""

    title: str
    blocks: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join((self.title, *self.blocks))

    def within(self, longest: int) -> str:
        """As much of it as so many characters hold: whole blocks, then lines, then an ellipsis.

        A letter says the worst first, so what is left out is what matters least.
        """
        if len(self.text) <= longest:
            return self.text
        room = longest - len(f"\n\n{_MORE}")
        text = self.title[:room]
        for block in self.blocks:
            gap = "\n\n"
            for line in block.splitlines():
                longer = f"{text}{gap}{line}"
                if len(longer) > room:
                    return f"{text}\n\n{_MORE}"
                text, gap = longer, "\n"
        return text


def chat_message(letter: Letter, language: Language) -> ChatMessage:
    """The letter's subject and the paragraphs of its text."""
    paragraphs = (part.strip() for part in as_text(letter, language).split("\n\n"))
    return ChatMessage(letter.subject_in(language), tuple(part for part in paragraphs if part))
