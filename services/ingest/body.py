"""Reads the body of a request within limits, decompressed if it came gzipped."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from http import HTTPStatus
from typing import Final, Self

from fastapi import Request

from services.chassis.problems import Problem

_GZIP: Final = 16 + zlib.MAX_WBITS
_ENCODINGS: Final = ("identity", "gzip", "x-gzip")


class BytesInFlight:
    """How many bytes of bodies all requests together hold, and the most they may."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0

    def take(self, size: int) -> None:
        """Count bytes in.

        Raises:
            Problem: 429 when it would be too much for the process.
        """
        if self._held + size > self._limit:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                detail="The service holds as much as it can; send again, with fewer requests at once.",
                headers={"Retry-After": "1"},
            )
        self._held += size

    def give_back(self, size: int) -> None:
        """Count bytes out."""
        self._held -= size


class BodyReader:
    """The body of one request; use it as a context, so that its bytes are given back."""

    def __init__(self, request: Request, in_flight: BytesInFlight, limit: int) -> None:
        self._request = request
        self._in_flight = in_flight
        self._limit = limit
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._in_flight.give_back(self._taken)

    async def read(self) -> bytes:
        """Return the body.

        Raises:
            Problem: 413 when it is too large, 415 for a content coding that is not taken, 400 for
                gzip that is damaged, 429 when the process holds too much already.
        """
        parts: list[bytes] = []
        async for chunk in bounded(self._request, self._limit):
            self._in_flight.take(len(chunk))
            self._taken += len(chunk)
            parts.append(chunk)
        return b"".join(parts)


async def bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body of a request as it comes, decompressed.

    Raises:
        Problem: 413 when it is larger than `limit`, 415 for a content coding that is not taken, 400
            for gzip that is damaged.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in _ENCODINGS:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            detail="Send the body as it is or with Content-Encoding: gzip.",
            headers={"Accept-Encoding": "gzip"},
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    stream = request.stream()
    taken = 0
    async for chunk in stream if coding == "identity" else _gunzip(stream, limit):
        taken += len(chunk)
        if taken > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"A body may have {limit} bytes; send it in smaller parts.",
    )


async def _gunzip(stream: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Decompress; what comes out of one chunk is cut just above the limit, so no bomb unfolds."""
    inflater = zlib.decompressobj(_GZIP)
    started = False
    async for chunk in stream:
        rest = chunk
        while rest:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP)  # gzip files may stand one after another
            try:
                yield inflater.decompress(rest, limit + 1)
            except zlib.error:
                raise _damaged() from None
            started = True
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if started and not inflater.eof:
        raise _damaged()


def _damaged() -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail="The body is not gzip, or its end is missing.")
