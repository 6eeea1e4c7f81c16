"""Access tokens by OAuth2 client credentials (RFC 6749, 4.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp

from services.chassis.clock import Clock
from services.ingest.connectors.body import GarbageError, decoded_json, limited
from services.ingest.connectors.connector import SourceError

#: A token is renewed so long before it ends, or after half its life if that is shorter.
_EARLY_SECONDS: Final = 30.0
_DEFAULT_SECONDS: Final = 300.0
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """How the client shows who it is: by what the form says, or by `Authorization`."""

    form: Mapping[str, str]
    """Beside `grant_type`."""
    authorization: str | None = None


def basic(client_id: str, secret: str) -> str:
    """An id and its secret for `Authorization`."""
    # RFC 6749, 2.3.1: both are form-encoded before they are joined.
    return aiohttp.encode_basic_auth(quote_plus(client_id), quote_plus(secret))


class AccessTokens:
    """Gets a token when one is needed, and a new one shortly before it ends."""

    def __init__(
        self,
        url: str,
        request: Callable[[], TokenRequest],
        http: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        """`request` is made anew each time the endpoint at `url` is asked; it may raise SourceError."""
        self._url = url
        self._request = request
        self._http = http
        self._clock = clock
        self._token: str | None = None
        self._ends = 0.0

    def forget(self) -> None:
        """Drop the token, which the source has refused."""
        self._token = None

    async def header(self) -> str:
        """What stands in `Authorization`.

        Raises:
            SourceError: no token is to be had.
        """
        now = self._clock.now().timestamp()
        if self._token is None or now >= self._ends:
            answer = await self._ask()
            lasts = _seconds(answer.get("expires_in"))
            self._token = str(answer["access_token"])
            self._ends = now + max(lasts - _EARLY_SECONDS, lasts / 2)
        return f"Bearer {self._token}"

    async def _ask(self) -> dict[str, Any]:
        request = self._request()
        form = {"grant_type": "client_credentials", **request.form}
        headers = {"Accept": "application/json"}
        if request.authorization is not None:
            headers["Authorization"] = request.authorization
        try:
            async with self._http.post(
                self._url, data=form, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    raise SourceError(
                        f"the token endpoint answers {answer.status}; "
                        "look at client_id, its secret or key, and scope"
                    )
                decoded = decoded_json(await limited(answer, _MOST_BYTES, "look at token_url"))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            name = type(error).__name__
            raise SourceError(
                f"the token endpoint does not answer ({name}); look at token_url"
            ) from None
        except GarbageError:
            raise SourceError("the token endpoint answers no JSON; look at token_url") from None
        if not isinstance(decoded, dict) or not isinstance(decoded.get("access_token"), str):
            raise SourceError("the token endpoint gives no access_token; look at token_url")
        return decoded


def _seconds(value: Any) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return _DEFAULT_SECONDS
