"""The tokens of the embedded stack: one signing key, and a token for each local caller.

A real deployment gets its tokens from its identity provider; services see the public keys alone,
in both cases. Claims: wire contract, "HTTP, notifier" and "The embedded stack".
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from contracts.sources import SOURCE_OF_DOMAIN
from contracts.tokens import Role

ISSUER = "nhipso"
AUDIENCE = "nhipso"
VALIDITY = timedelta(days=365)


class SigningKey:
    """An ES256 key pair that signs tokens; its id is its thumbprint (RFC 7638)."""

    def __init__(self, private_key: ECKey) -> None:
        self._key = private_key
        self._header = {"alg": "ES256", "typ": "JWT", "kid": private_key.thumbprint()}

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key."""
        return cls(new_private_key())

    @classmethod
    def read(cls, path: Path) -> "SigningKey":
        """Read a private key that is written as a JWK.

        Raises:
            OSError, ValueError, JoseError: the file cannot be read, or holds something else.
        """
        return cls(ECKey.import_key(json.loads(path.read_text(encoding="utf-8"))))

    def private_jwk(self) -> dict[str, Any]:
        """The key with its secret part."""
        return self._key.as_dict(private=True)

    def jwks(self) -> dict[str, Any]:
        """The set of public keys that verifies this key's tokens (RFC 7517)."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._header["kid"], "use": "sig", "alg": "ES256"}]}

    def issue(
        self, claims: Mapping[str, Any], now: datetime, validity: timedelta = VALIDITY
    ) -> str:
        """Sign a token.

        Args:
            claims: at least `sub` and `role`; issuer, audience and times are added.
            now: the moment it is issued at.
            validity: how long it is good for.
        """
        issued_at = int(now.timestamp())
        times = {"iat": issued_at, "exp": issued_at + int(validity.total_seconds())}
        return jwt.encode(
            self._header, {"iss": ISSUER, "aud": AUDIENCE, **times, **claims}, self._key
        )


def new_private_key() -> ECKey:
    """Make an EC key pair on P-256."""
    return ECKey.generate_key("P-256", private=True)


def local_callers(unit_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the claims of everybody who gets a token, by the token's name in `endpoints.json`.

    Args:
        unit_ids: the area ids of the units; each reads as itself.
    """
    callers: dict[str, dict[str, Any]] = {}
    for domain, urn in SOURCE_OF_DOMAIN.items():
        callers[urn] = {"sub": urn, "role": Role.SOURCE, "sources": [urn], "domains": [domain]}
    for role in (Role.OPERATOR, Role.LEADER):
        callers[role.value] = {"sub": role.value, "role": role}
    for area_id in unit_ids:
        unit = f"unit:{area_id}"
        callers[unit] = {"sub": unit, "role": Role.UNIT, "areas": [area_id]}
    return callers


def issue_all(key: SigningKey, unit_ids: Iterable[str], now: datetime) -> dict[str, str]:
    """Issue the tokens of all local callers, by name."""
    return {name: key.issue(claims, now) for name, claims in local_callers(unit_ids).items()}
