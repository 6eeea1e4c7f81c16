"""The tokens of a Zalo Official Account.

An access token lives a day. A refresh token gives one new pair, once: so whoever refreshes holds the
row of the account in the store until the new pair stands in it, and all processes use that pair. In
the store both are sealed (AES-256-GCM) under a key that stands in a file.
"""

import asyncio
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import asyncpg
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.clock import Clock
from services.notifier.receivers.answering import unanswered
from services.notifier.receivers.outcome import Reason
from services.notifier.store import tokens
from services.notifier.store.tokens import Pair

OAUTH: Final = "https://oauth.zaloapp.com"
KEY_BYTES: Final = 32

_NONCE_BYTES: Final = 12
_REFRESH_SECONDS: Final = 30.0
"""For one refresh: a token whose answer is not waited for is spent, and the chain is broken."""

_WORDS: Final = ("error_description", "error_reason", "error_name", "message", "error")
_LONGEST_WORDS: Final = 200
_SPARE: Final = timedelta(minutes=10)
"""So long before its end an access token is not used any more."""


class TokenError(Exception):
    """No access token can be had; the message says why and what to do."""

    def __init__(self, message: str, reason: Reason = Reason.CREDENTIALS) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ZaloSecrets:
    """What an operator gives.

    `first_refresh` begins the chain of tokens; another one in its place begins it anew. `key` has
    32 bytes.
    """

    app_id: str
    app_secret: str = field(repr=False)
    first_refresh: str = field(repr=False)
    key: bytes = field(repr=False)


class Seal:
    """Seals the tokens of one account."""

    def __init__(self, key: bytes, account: str) -> None:
        """`key` has 32 bytes."""
        self._cipher = AESGCM(key)
        self._account = account.encode()

    def seal(self, text: str) -> bytes:
        """The text, readable under the key alone."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._account)

    def open(self, sealed: bytes) -> str | None:
        """The text again; None if it was sealed under another key or for another account."""
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._account
            ).decode()
        except (InvalidTag, ValueError):
            return None


class ZaloTokens:
    """Access tokens of one OA, for any number of processes."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        pool: asyncpg.Pool,
        secrets: ZaloSecrets,
        *,
        clock: Clock,
        oauth: str = OAUTH,
        timeout: float = _REFRESH_SECONDS,
    ) -> None:
        """`timeout` is seconds for one request."""
        self._session = session
        self._pool = pool
        self._secrets = secrets
        self._fingerprint = hashlib.sha256(secrets.first_refresh.encode()).hexdigest()
        self._account = f"zalo:{secrets.app_id}"
        self._seal = Seal(secrets.key, self._account)
        self._timeout = timeout
        self._clock = clock
        self._url = f"{oauth.rstrip('/')}/v4/oa/access_token"
        # One of this process at a time, or those that wait would take up all connections.
        self._turn = asyncio.Lock()
        self._asking: set[asyncio.Task[str]] = set()
        self._log = structlog.get_logger(__name__)

    async def access(self, *, refused: str | None = None) -> str:
        """An access token; another one than `refused`.

        Raises:
            TokenError: Zalo gives none.
        """
        # Not cancelled with whoever asks: an answer of Zalo's that nobody keeps breaks the chain.
        asking = asyncio.create_task(self._access(refused))
        self._asking.add(asking)
        asking.add_done_callback(self._done)
        return await asyncio.shield(asking)

    async def step(self, _: datetime) -> None:
        """Have a token that is good: a chain that nobody goes on with ends after three months."""
        try:
            await self.access()
        except TokenError as error:
            self._log.warning("the tokens of Zalo could not be kept", error=str(error))

    def _done(self, asking: asyncio.Task[str]) -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()

    async def _access(self, refused: str | None) -> str:
        async with self._turn, self._pool.acquire() as connection:
            usable = self._usable(await tokens.pair(connection, self._account), refused)
            if usable is not None:
                return usable
            async with connection.transaction():
                await tokens.begin(connection, self._account)
                held = await tokens.hold(connection, self._account)
                # Another process may have refreshed while we waited for the row.
                usable = self._usable(held, refused)
                if usable is not None:
                    return usable
                return await self._refresh(connection, held)

    def _usable(self, pair: Pair | None, refused: str | None) -> str | None:
        if pair is None or pair.access is None or pair.expires_at is None:
            return None
        if pair.fingerprint != self._fingerprint:
            return None
        if pair.expires_at - self._clock.now() <= _SPARE:
            return None
        access = self._seal.open(pair.access)
        return access if access != refused else None

    async def _refresh(self, connection: asyncpg.Connection, held: Pair) -> str:
        refresh = self._secrets.first_refresh
        if held.refresh is not None and held.fingerprint == self._fingerprint:
            opened = self._seal.open(held.refresh)
            if opened is None:
                raise TokenError(
                    "the tokens in the store were sealed under another key; put the old key back, "
                    "or write a new refresh token into its file"
                )
            refresh = opened
        said = await self._ask(refresh)
        try:
            access, following = str(said["access_token"]), str(said["refresh_token"])
            lives = timedelta(seconds=int(said["expires_in"]))
        except (KeyError, TypeError, ValueError):
            # The address of tokens has words of its own for what is wrong, with or without a number.
            words = [said.get(name) for name in _WORDS]
            why = next((str(one) for one in words if one), "no word why")
            raise TokenError(
                f"Zalo gives no tokens ({why[:_LONGEST_WORDS]}); authorise the app again and write "
                "the new refresh token into its file"
            ) from None
        await tokens.keep(
            connection,
            self._account,
            Pair(
                access=self._seal.seal(access),
                refresh=self._seal.seal(following),
                expires_at=self._clock.now() + lives,
                fingerprint=self._fingerprint,
            ),
        )
        return access

    async def _ask(self, refresh: str) -> dict[str, Any]:
        form = {
            "refresh_token": refresh,
            "app_id": self._secrets.app_id,
            "grant_type": "refresh_token",
        }
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(
                    self._url,
                    data=form,
                    headers={"secret_key": self._secrets.app_secret},
                    allow_redirects=False,
                ) as answer,
            ):
                text = await answer.text(errors="replace")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            retry = unanswered(error)
            raise TokenError(f"Zalo's tokens: {retry.error}", retry.reason) from None
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TokenError(f"Zalo's tokens: HTTP {answer.status}", Reason.SERVER_ERROR)
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise TokenError(
                f"Zalo's tokens: HTTP {answer.status}, no JSON object", Reason.SERVER_ERROR
            )
        return said
