"""Seals what an API gives for its next page: that may have somebody's number in it."""

import base64
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.ingest.core.pseudonyms import Pseudonymiser

_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"key of the cursors of rest connectors"


class Seal:
    """Seals texts under a key that every ingest process derives alike from the pseudonyms' key."""

    def __init__(self, pseudonymiser: Pseudonymiser) -> None:
        self._cipher = AESGCM(bytes.fromhex(pseudonymiser.event_id(_PURPOSE)))

    def seal(self, text: str) -> str:
        """The text, readable to us alone."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), None)).decode()

    def open(self, sealed: str) -> str | None:
        """The text again; None if it was sealed under another key."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
        except (ValueError, InvalidTag):
            return None
