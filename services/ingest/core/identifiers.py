"""Finds and masks identifiers of citizens and households in texts.

An identifier may stand in `subject` alone. It is recognised when it is broken up by separators
(``0012 3456-7890``), percent-encoded, written in another case or in other digits than ASCII's.
Source: wire contract, "Edge and inside".
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from contracts.subjects import PERSONAL_KINDS

MASK: Final = "***"

#: Shorter identifiers are everyday words or numbers, so they count only as a whole token.
_SHORTEST_SUBSTRING: Final = 6

_SEPARATORS: Final = re.compile(r"[\W_]+")
#: Twelve digits or more, also broken up by one separator between two of them.
_LONG_NUMBER: Final = re.compile(r"\d(?:[\W_]?\d){11,}")


class Identifier:
    """A subject's personal identifier, to be kept out of every other text."""

    __slots__ = ("_compact", "_text")

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        self._compact = _compact(self._text)

    def appears_in(self, text: str) -> bool:
        """Whether the text repeats the identifier, in whatever disguise this module knows."""
        if len(text) < len(self._compact) and text.isascii():
            return False
        return any(self._stands_in(reading) for reading in _readings(text))

    def _stands_in(self, plain: str) -> bool:
        if len(self._compact) >= _SHORTEST_SUBSTRING:
            return self._compact in _compact(plain)
        return _has_token(plain, self._text)

    def mask(self, text: str) -> str:
        """The text with the identifier replaced; the whole text if it stands there in disguise."""
        if not self.appears_in(text):
            return text
        masked = re.sub(re.escape(self._text), MASK, text, flags=re.IGNORECASE)
        return MASK if self.appears_in(masked) else masked

    def redact(self, text: str) -> str:
        """`mask`, and every long number as well."""
        return redact(self.mask(text))


def claimed_identifier(subject: Any) -> Identifier | None:
    """The personal identifier that a subject holds or, malformed, seems to hold."""
    if not isinstance(subject, str):
        return None
    kind, _, identifier = subject.partition(":")
    if kind.strip().casefold() in PERSONAL_KINDS and identifier:
        return Identifier(identifier)
    return None


def redact(text: str) -> str:
    """The text with every number of twelve digits or more masked: it may be a citizen's."""
    if any(plain is not text and _LONG_NUMBER.search(plain) for plain in _readings(text)):
        return MASK
    return _LONG_NUMBER.sub(MASK, text)


def _readings(text: str) -> Iterator[str]:
    """The text as it stands, and with percent-encoding undone.

    Both count: undone, a `%` that happens to stand before a number swallows its first digits.
    """
    yield _plain(text)
    if "%" in text:
        yield _plain(unquote(text))


def _plain(text: str) -> str:
    """Compatibility forms and foreign digits made ASCII.

    A text that needs none of it comes back as the same object.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(
            str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text
        )
    return text


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text).casefold()


def _has_token(text: str, token: str) -> bool:
    text = text.casefold()
    start = text.find(token)
    while start >= 0:
        end = start + len(token)
        if not text[max(start - 1, 0) : start].isalnum() and not text[end : end + 1].isalnum():
            return True
        start = text.find(token, start + 1)
    return False
