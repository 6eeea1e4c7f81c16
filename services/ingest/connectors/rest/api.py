"""Asks the API for a page: with a credential, within bounds, and again where that may help."""

import asyncio
import random
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from yarl import URL

from services.chassis.clock import Clock
from services.chassis.retry_after import wish
from services.ingest.connectors.body import GarbageError, decoded_json, limited
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.rest.access import Credential
from services.ingest.connectors.rest.config import RestConfig

_TRIES: Final = 3
_TOO_LONG: Final = "ask for smaller pages, or raise max_body_bytes"
_FIRST_DELAY_SECONDS: Final = 0.2
#: Longer waits are not sat out here: the connector rests meanwhile.
_LONGEST_WAIT_SECONDS: Final = 5.0
_LONGEST_RETRY_AFTER_SECONDS: Final = 3_600.0
_AGAIN: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_FORGOTTEN: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
)


class ForgottenError(Exception):
    """The API does not know a page any more that it has named itself."""


class _TransientError(Exception):
    def __init__(self, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it came."""

    body: Any
    link: str | None
    """Where its header `Link` says that the next page is."""


class Api:
    """One API."""

    def __init__(self, config: RestConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=_tls(config), limit=2),
            timeout=aiohttp.ClientTimeout(total=config.timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json", "User-Agent": "nhipso"} | config.headers,
        )
        self._credential = Credential(config.access, self._http, clock)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    async def page(self, url: URL, *, is_first: bool) -> Answer:
        """Ask for a page; some faults are tried again before they are told.

        Raises:
            ForgottenError: a page that is not the first is not known any more.
            SourceError: what to look at, and how long the API asks us to wait.
        """
        for tried in range(1, _TRIES + 1):
            try:
                return await self._asked(url, is_first=is_first)
            except _TransientError as error:
                delay = _FIRST_DELAY_SECONDS * 2**tried
                delay *= random.uniform(0.5, 1)  # noqa: S311 - spreads load, protects nothing
                wait = max(delay, error.retry_after or 0)
                if tried == _TRIES or wait > _LONGEST_WAIT_SECONDS:
                    raise SourceError(str(error), retry_after_seconds=error.retry_after) from None
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _asked(self, url: URL, *, is_first: bool) -> Answer:
        try:
            answer = await self._once(url, is_first=is_first)
            if answer is None and self._credential.is_renewable:
                self._credential.forget()
                answer = await self._once(url, is_first=is_first)
        except aiohttp.ClientConnectorCertificateError:
            raise SourceError(
                "the API's certificate is not trusted; name the one that signs it in ca_file"
            ) from None
        except TimeoutError:
            raise _TransientError("the API does not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _TransientError(f"the API cannot be read ({type(error).__name__})") from None
        except GarbageError:
            raise _TransientError("the API's answer is not JSON; look at url") from None
        if answer is None:
            raise SourceError("the API refuses the credential (401); look at access")
        return answer

    async def _once(self, url: URL, *, is_first: bool) -> Answer | None:
        """Ask once; None if the credential is refused."""
        headers = await self._credential.headers()
        async with self._http.get(url, headers=headers, allow_redirects=False) as got:
            status = got.status
            if status == HTTPStatus.OK:
                links: Mapping[str, Mapping[str, Any]] = got.links
                link = links.get("next", {}).get("url")
                body = await limited(got, self._config.max_body_bytes, _TOO_LONG)
                return Answer(decoded_json(body), str(link) if link is not None else None)
            if status == HTTPStatus.UNAUTHORIZED:
                return None
            if status in _AGAIN:
                raise _TransientError(f"the API answers {status}", self._retry_after(got.headers))
            if status in _FORGOTTEN and not is_first:
                raise ForgottenError
        if 300 <= status < 400:
            raise SourceError(
                f"the API answers {status} and leads elsewhere, which is not followed: the "
                "credential stays at home; write the URL to which it leads into url"
            )
        advice = (
            "look at access" if status == HTTPStatus.FORBIDDEN else "look at url and parameters"
        )
        raise SourceError(f"the API answers {status}; {advice}")

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        asked = wish(headers.get("Retry-After"), self._clock.now())
        return None if asked is None else min(asked.total_seconds(), _LONGEST_RETRY_AFTER_SECONDS)


def _tls(config: RestConfig) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=config.ca_file)
    except OSError:
        raise SourceError(
            f"{config.ca_file}: cannot be read as certificates in PEM form; look at ca_file"
        ) from None
