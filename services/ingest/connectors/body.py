"""Reads bodies of answers, within bounds."""

import json
from typing import Any

import aiohttp

from services.ingest.connectors.connector import SourceError


class GarbageError(Exception):
    """A body that is not JSON: a proxy's page, or half an answer. It may be better next time."""


async def limited(answer: aiohttp.ClientResponse, most_bytes: int, advice: str) -> bytes:
    """The whole body, after decompression.

    Raises:
        SourceError: it is longer than it may be; `advice` says what to do then.
        aiohttp.ClientError: it breaks off.
    """
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            raise SourceError(f"an answer is longer than {most_bytes} bytes; {advice}")
    return bytes(body)


def decoded_json(body: bytes) -> Any:
    """The JSON value of a body.

    Raises:
        GarbageError: it is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise GarbageError from None
