"""What stands in `Authorization`."""

from functools import partial

import aiohttp

from services.chassis.clock import Clock
from services.ingest.connectors.oauth2 import AccessTokens, TokenRequest, basic
from services.ingest.connectors.rest.config import Access, ClientCredentials, StaticBearer
from services.ingest.connectors.secret_file import secret_in


class Credential:
    """The credential of one connector; a token is asked for when one is needed."""

    def __init__(self, access: Access, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._access = access
        self._tokens = (
            AccessTokens(access.token_url, partial(_request, access), http, clock)
            if isinstance(access, ClientCredentials)
            else None
        )

    @property
    def is_renewable(self) -> bool:
        """Whether another token can be had when this one is refused."""
        return self._tokens is not None

    def forget(self) -> None:
        """Drop the token, which the API has refused."""
        if self._tokens is not None:
            self._tokens.forget()

    async def headers(self) -> dict[str, str]:
        """The header that shows who asks; none where nobody is asked.

        Raises:
            SourceError: no token is to be had.
        """
        if isinstance(self._access, StaticBearer):
            return {"Authorization": f"Bearer {secret_in(self._access.token_file)}"}
        if self._tokens is not None:
            return {"Authorization": await self._tokens.header()}
        return {}


def _request(access: ClientCredentials) -> TokenRequest:
    secret = secret_in(access.client_secret_file)
    said = {"scope": access.scope, "audience": access.audience}
    form = {name: value for name, value in said.items() if value is not None}
    if access.client_authentication == "basic":
        return TokenRequest(form, basic(access.client_id, secret))
    return TokenRequest(form | {"client_id": access.client_id, "client_secret": secret})
