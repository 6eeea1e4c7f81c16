"""What stands in `Authorization`."""

from base64 import b64encode
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp

from services.chassis.clock import Clock
from services.chassis.settings import SecretFileError, read_secret_text
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.rest.body import decoded_json, limited
from services.ingest.connectors.rest.config import Access, ClientCredentials, StaticBearer

#: A token is renewed so long before it ends, or after half its life if that is shorter.
_EARLY_SECONDS: Final = 30.0
_DEFAULT_SECONDS: Final = 300.0
_MOST_BYTES: Final = 64 * 1024


class Credential:
    """The credential of one connector; a token is asked for when one is needed."""

    def __init__(self, access: Access, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._access = access
        self._http = http
        self._clock = clock
        self._token: str | None = None
        self._ends = 0.0

    @property
    def is_renewable(self) -> bool:
        """Whether another token can be had when this one is refused."""
        return isinstance(self._access, ClientCredentials)

    def forget(self) -> None:
        """Drop the token, which the API has refused."""
        self._token = None

    async def headers(self) -> dict[str, str]:
        """The header that shows who asks; none where nobody is asked.

        Raises:
            SourceError: no token is to be had.
        """
        if isinstance(self._access, StaticBearer):
            return {"Authorization": f"Bearer {_secret(self._access.token_file)}"}
        if not isinstance(self._access, ClientCredentials):
            return {}
        now = self._clock.now().timestamp()
        if self._token is None or now >= self._ends:
            answer = await self._ask(self._access)
            lasts = _seconds(answer.get("expires_in"))
            self._token = str(answer["access_token"])
            self._ends = now + max(lasts - _EARLY_SECONDS, lasts / 2)
        return {"Authorization": f"Bearer {self._token}"}

    async def _ask(self, access: ClientCredentials) -> dict[str, Any]:
        secret = _secret(access.client_secret_file)
        form = {"grant_type": "client_credentials"}
        if access.scope is not None:
            form["scope"] = access.scope
        if access.audience is not None:
            form["audience"] = access.audience
        headers = {"Accept": "application/json"}
        if access.client_authentication == "basic":
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            pair = f"{quote_plus(access.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": access.client_id, "client_secret": secret}
        try:
            async with self._http.post(
                access.token_url, data=form, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    raise SourceError(
                        f"the token endpoint answers {answer.status}; "
                        "look at client_id, client_secret_file and scope"
                    )
                decoded = decoded_json(await limited(answer, _MOST_BYTES))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            name = type(error).__name__
            raise SourceError(f"the token endpoint does not answer ({name})") from None
        if not isinstance(decoded, dict) or not isinstance(decoded.get("access_token"), str):
            raise SourceError("the token endpoint gives no access_token; look at token_url")
        return decoded


def _seconds(value: Any) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return _DEFAULT_SECONDS


def _secret(path: Path) -> str:
    try:
        return read_secret_text(path)
    except SecretFileError as error:
        raise SourceError(str(error)) from None
