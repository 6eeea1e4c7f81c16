"""Turns subjects from edge form into inside form."""

import hmac
from typing import Final

from contracts.subjects import PERSONAL_KINDS, SubjectKind

#: A shorter key could be guessed together with the 12 digits it protects.
SHORTEST_KEY_BYTES: Final = 32

_PSEUDONYM_BYTES: Final = 16


class Pseudonymiser:
    """Pseudonyms for citizens and households under one secret key.

    The first 128 bits of HMAC-SHA-256 over ``citizen:<digits>`` or ``household:<code>``, as hex.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < SHORTEST_KEY_BYTES:
            raise ValueError(
                f"the pseudonym key has {len(key)} bytes; it needs at least "
                f"{SHORTEST_KEY_BYTES}, as `openssl rand -hex {SHORTEST_KEY_BYTES}` writes them"
            )
        self._key = key

    def inside(self, kind: SubjectKind, identifier: str) -> str:
        """The subject in inside form; kinds that are not personal stay as they are."""
        subject = f"{kind.value}:{identifier}"
        if kind not in PERSONAL_KINDS:
            return subject
        digest = hmac.digest(self._key, subject.encode(), "sha256")
        return f"{kind.value}:{digest[:_PSEUDONYM_BYTES].hex()}"

    def event_id(self, said: bytes) -> str:
        """An id for an event whose source gives none: the same for the same content, 32 hex digits.

        It is keyed, since the content names a citizen: of a plain hash the number could be guessed.
        """
        return hmac.digest(self._key, b"event-id:" + said, "sha256")[:_PSEUDONYM_BYTES].hex()
