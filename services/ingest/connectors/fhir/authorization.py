"""Access tokens by OAuth2 client credentials, with a secret or a signed assertion.

The assertion is that of SMART Backend Services (RFC 7523, `private_key_jwt`).
"""

import json
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from services.chassis.clock import Clock
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.fhir.config import Authorization

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS: Final = 300
_EARLY_SECONDS: Final = 30.0
_DEFAULT_SECONDS: Final = 300.0


class AccessTokens:
    """Gets a token when one is needed, and a new one shortly before it ends."""

    def __init__(self, config: Authorization, http: aiohttp.ClientSession, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._token: str | None = None
        self._ends = 0.0

    def forget(self) -> None:
        """Drop the token, which the server has refused."""
        self._token = None

    async def header(self) -> str:
        """What stands in `Authorization`.

        Raises:
            SourceError: the token endpoint does not give one.
        """
        now = self._clock.now().timestamp()
        if self._token is None or now >= self._ends:
            answer = await self._ask()
            self._token = answer["access_token"]
            lasts = answer.get("expires_in", _DEFAULT_SECONDS)
            lasts = float(lasts) if isinstance(lasts, int | float) else _DEFAULT_SECONDS
            self._ends = now + max(lasts - _EARLY_SECONDS, lasts / 2)
        return f"Bearer {self._token}"

    async def _ask(self) -> dict[str, Any]:
        form = {"grant_type": "client_credentials", "scope": self._config.scope}
        headers = {"Accept": "application/json"}
        if self._config.client_secret_file is not None:
            secret = read_secret_text(self._config.client_secret_file)
            # Both are form-encoded first (RFC 6749, 2.3.1).
            headers["Authorization"] = aiohttp.encode_basic_auth(
                quote_plus(self._config.client_id), quote_plus(secret)
            )
        else:
            form |= {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": self._assert()}
        try:
            async with self._http.post(
                self._config.token_url, data=form, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    raise SourceError(
                        f"the token endpoint answers {answer.status}; "
                        "check client_id, its secret or key, and scope"
                    )
                decoded = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SourceError(f"no token: {type(error).__name__}; check token_url") from None
        except ValueError:
            raise SourceError("the token endpoint answers no JSON; check token_url") from None
        if not isinstance(decoded, dict) or not isinstance(decoded.get("access_token"), str):
            raise SourceError("the token endpoint gives no access_token; check token_url")
        return decoded

    def _assert(self) -> str:
        path = self._config.private_key_file
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._config.client_id,
            "sub": self._config.client_id,
            "aud": self._config.token_url,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": uuid.uuid4().hex,
        }
        try:
            held = json.loads(read_secret_text(path)) if path else {}
            key = JWKRegistry.import_key(held)
            if not isinstance(key, ECKey | RSAKey):
                raise SourceError(f"{path}: want an EC or RSA private key as a JWK")
            algorithm = str(held.get("alg", "ES384" if isinstance(key, ECKey) else "RS384"))
            header = {"alg": algorithm, "typ": "JWT", "kid": str(held.get("kid", ""))}
            return jwt.encode(header, claims, key, algorithms=[algorithm])
        except (JoseError, ValueError, KeyError, TypeError) as error:
            kind = type(error).__name__
            raise SourceError(f"{path}: is no private key as a JWK ({kind})") from None


def read_secret_text(path: Path) -> str:
    """The text of a file with a secret.

    Raises:
        SourceError: it cannot be read, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read ({type(error).__name__})") from None
    if not text:
        raise SourceError(f"{path}: is empty; write the secret into it")
    return text
