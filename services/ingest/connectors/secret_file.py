"""Secrets of sources, from the files that a connector's config names."""

from pathlib import Path

from services.chassis.settings import SecretFileError, read_secret_text
from services.ingest.connectors.connector import SourceError


def secret_in(path: Path) -> str:
    """The text of a file with a secret, without surrounding blanks.

    Raises:
        SourceError: it cannot be read or is empty.
    """
    try:
        return read_secret_text(path)
    except SecretFileError as error:
        raise SourceError(str(error)) from None
