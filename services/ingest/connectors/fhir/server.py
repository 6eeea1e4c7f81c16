"""Speaks HTTP to a FHIR server: JSON in, JSON out, and nothing from elsewhere.

Texts of errors name the path of the base URL alone: a query, and an id in a path, may name a person.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from services.chassis.clock import Clock
from services.chassis.retry_after import wish
from services.ingest.connectors.body import limited
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.fhir.authorization import token_request
from services.ingest.connectors.fhir.config import Authorization, FhirConfig
from services.ingest.connectors.oauth2 import AccessTokens

FHIR_JSON: Final = "application/fhir+json"
NDJSON: Final = "application/fhir+ndjson, application/ndjson;q=0.9"

_MAX_BODY_BYTES: Final = 64 * 1024 * 1024
_MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024


class FhirServer:
    """One server, by its base URL."""

    def __init__(self, config: FhirConfig, clock: Clock) -> None:
        self.base = config.base_url
        self._clock = clock
        self._origin = origin_of(config.base_url)
        self._other_origins = frozenset(config.bulk.file_origins if config.bulk else ())
        # No time for the whole of a file: one may be long. The time between two bytes is bound.
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=config.timeout_seconds, sock_read=config.timeout_seconds
            )
        )
        self._tokens = _tokens(config.authorization, self._http, clock)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    def link(self, url: str, relative_to: str | None = None) -> str:
        """A link that the server gave, made absolute.

        Raises:
            SourceError: it leads elsewhere: what is asked there would name patients to a stranger.
        """
        absolute = urljoin(relative_to or f"{self.base}/", url)
        if origin_of(absolute) != self._origin:
            raise SourceError(
                "a link of the server leads to another origin and is not followed; have the server "
                "name itself as base_url does"
            )
        return absolute

    async def search(self, url: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A bundle of resources.

        Raises:
            SourceError: the server does not answer with one.
        """
        async with self._ask("GET", self.link(url), params=params) as answer:
            return await self._bundle(answer)

    async def search_by_form(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The same with the parameters in the body, so that no log of URLs has them.

        Raises:
            SourceError: the server does not answer with a bundle.
        """
        url = f"{self.base}/{path}/_search"
        async with self._ask("POST", url, form=form) as answer:
            return await self._bundle(answer)

    @asynccontextmanager
    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask for anything of the server; the caller looks at the status."""
        async with self._ask(method, self.link(url), headers=headers) as answer:
            yield answer

    async def lines(self, url: str, *, with_token: bool) -> AsyncGenerator[bytes]:
        """The lines of an NDJSON file of the server, or of an origin that is allowed for files.

        Raises:
            SourceError: it is not to be had. A token is never sent to another origin.
        """
        absolute = urljoin(f"{self.base}/", url)
        is_own = origin_of(absolute) == self._origin
        if not is_own and origin_of(absolute) not in self._other_origins:
            raise SourceError(
                f"files of the export lie at {origin_of(absolute)}; "
                "add it to bulk.file_origins if that is right"
            )
        headers = {"Accept": NDJSON}
        async with self._ask(
            "GET", absolute, headers=headers, anonymous=not (is_own and with_token)
        ) as answer:
            self._expect(answer, HTTPStatus.OK)
            rest = b""
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line
                if len(rest) > _MAX_LINE_BYTES:
                    raise SourceError("a line of an NDJSON file has more than 16 MiB")
            yield rest

    @asynccontextmanager
    async def _ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        sent = {"Accept": FHIR_JSON} | dict(headers or {})
        if self._tokens is not None and not anonymous:
            sent["Authorization"] = await self._tokens.header()
        try:
            async with self._http.request(
                method, url, params=params, data=form, headers=sent, allow_redirects=False
            ) as answer:
                if answer.status == HTTPStatus.UNAUTHORIZED and self._tokens is not None:
                    self._tokens.forget()
                if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
                    raise SourceError(
                        f"the server answers {answer.status}: too busy",
                        retry_after_seconds=self.retry_after(answer),
                    )
                yield answer
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SourceError(
                f"the server at {self._origin} does not answer ({type(error).__name__}); "
                "check base_url and the way there"
            ) from None

    def retry_after(self, answer: aiohttp.ClientResponse) -> float | None:
        """How many seconds the server wants to be left alone; None where it does not say."""
        asked = wish(answer.headers.get("Retry-After"), self._clock.now())
        return None if asked is None else asked.total_seconds()

    async def _bundle(self, answer: aiohttp.ClientResponse) -> dict[str, Any]:
        self._expect(answer, HTTPStatus.OK)
        decoded = as_object(await limited(answer, _MAX_BODY_BYTES, "lower page_size"))
        if decoded.get("resourceType") != "Bundle":
            raise SourceError(
                "the server answers a search with something that is no Bundle; check base_url"
            )
        return decoded

    def _expect(self, answer: aiohttp.ClientResponse, status: HTTPStatus) -> None:
        if answer.status == status:
            return
        hint = {
            401: "check authorization",
            403: "ask for the scope to read these resources",
            404: "check base_url and that the server has these resources",
        }.get(answer.status, "look at the server's log")
        raise SourceError(f"the server answers {answer.status}; {hint}")


def _tokens(
    authorization: Authorization | None, http: aiohttp.ClientSession, clock: Clock
) -> AccessTokens | None:
    if authorization is None:
        return None
    request = partial(token_request, authorization, clock)
    return AccessTokens(authorization.token_url, request, http, clock)


def as_object(text: bytes) -> dict[str, Any]:
    """Decode a JSON object.

    Raises:
        SourceError: it is none.
    """
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError(
            "the server answers with something that is no JSON; check base_url"
        ) from None
    if not isinstance(decoded, dict):
        raise SourceError("the server answers with JSON that is no object; check base_url")
    return decoded


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, ports of the schemes written out."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"
