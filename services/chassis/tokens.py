"""Checks bearer tokens: JWTs signed by a key of the JWKS file."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import structlog
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, extract_compact

from services.chassis.problems import Problem
from services.chassis.settings import TokenSettings

ALGORITHMS: Final = ("ES256", "EdDSA", "Ed25519", "RS256")
"""Signatures by a private key only: "none" is nobody's, HS* would need a secret on our side."""

LEEWAY_SECONDS: Final = 5
"""How far the issuer's clock may be from ours."""

_CACHED_TOKENS: Final = 4096
_MAX_TOKEN_CHARACTERS: Final = 8192
_REREAD_SECONDS: Final = 1.0


class JwksError(Exception):
    """The JWKS file cannot be used; the message says why and what to do."""


class TokenVerifier:
    """Tells whose request it is.

    The JWKS file is read at the start, and again when it changes or a token names a key that is
    not in it, so keys rotate without a restart. A token that was verified is remembered until it
    expires or the keys change: a source sends thousands of requests with one token.
    """

    def __init__(
        self,
        jwks_file: Path,
        *,
        issuer: str,
        audience: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read the keys.

        Args:
            jwks_file: public keys, as a JWK Set.
            issuer: the `iss` a token must have.
            audience: what a token's `aud` must be or contain.
            now: seconds since the epoch.

        Raises:
            JwksError: the file cannot be used.
        """
        self._file = jwks_file
        self._now = now
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._lock = threading.Lock()
        self._verified: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()
        self._stamp = self._file_stamp()
        self._read_at = now()
        self._keys = _read_keys(jwks_file)

    @classmethod
    def from_settings(cls, settings: TokenSettings) -> Self:
        """Build a verifier.

        Raises:
            JwksError: the JWKS file cannot be used.
        """
        return cls(settings.jwks_file, issuer=settings.issuer, audience=settings.audience)

    def verify(self, authorization: str | None) -> Mapping[str, Any]:
        """Return the claims of the token in an `Authorization` header.

        Raises:
            Problem: 401 with `WWW-Authenticate`, saying what is wrong with the token.
        """
        token = _bearer(authorization)
        with self._lock:
            self._reread_if_changed()
            remembered = self._remembered(token)
            if remembered is not None:
                return remembered
            claims = self._check(token)
            self._remember(token, claims)
        return claims

    def _check(self, token: str) -> Mapping[str, Any]:
        key = self._key(_key_id(token))
        try:
            decoded = jwt.decode(token, key, algorithms=ALGORITHMS)
            self._claims.validate(decoded.claims)
        except BadSignatureError:
            raise _refused("The token's signature does not fit its key.") from None
        except ExpiredTokenError:
            raise _refused("The token has expired; get a new one.") from None
        except MissingClaimError as error:
            raise _refused(f"The token lacks the claim {error.claim}.") from None
        except InvalidClaimError as error:
            raise _refused(_WRONG_CLAIMS.get(error.claim, _WRONG_CLAIM)) from None
        except (JoseError, ValueError, TypeError):
            raise _refused(_MALFORMED) from None
        return MappingProxyType(decoded.claims)

    def _key(self, key_id: str | None) -> ECKey | OKPKey | RSAKey:
        for attempt in (1, 2):
            if key_id is None and len(self._keys) == 1:
                return next(iter(self._keys.values()))
            if key_id is not None and key_id in self._keys:
                return self._keys[key_id]
            # A bounded re-read: strangers may invent key ids as fast as they like.
            if attempt == 2 or self._now() - self._read_at < _REREAD_SECONDS:
                break
            self._reread()
        raise _refused("The token is signed by a key that is not known here.")

    def _remembered(self, token: str) -> Mapping[str, Any] | None:
        entry = self._verified.get(token)
        if entry is None:
            return None
        expires, claims = entry
        if self._now() >= expires + LEEWAY_SECONDS:
            del self._verified[token]
            return None
        self._verified.move_to_end(token)
        return claims

    def _remember(self, token: str, claims: Mapping[str, Any]) -> None:
        self._verified[token] = (float(claims["exp"]), claims)
        if len(self._verified) > _CACHED_TOKENS:
            self._verified.popitem(last=False)

    def _reread_if_changed(self) -> None:
        stamp = self._file_stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._reread()

    def _reread(self) -> None:
        """Read the keys again; keep the old ones if the file is not whole at this moment."""
        self._read_at = self._now()
        try:
            self._keys = _read_keys(self._file)
        except JwksError as error:
            structlog.get_logger(__name__).error("the former keys stay in use", reason=str(error))
            return
        # A key may have been withdrawn, and with it what it signed.
        self._verified.clear()

    def _file_stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


_MALFORMED: Final = "The token is malformed, or signed in a way that is not accepted."
_WRONG_CLAIM: Final = "A claim of the token is wrong."
_WRONG_CLAIMS: Final = {
    "iss": "The token comes from another issuer.",
    "aud": "The token is meant for another audience.",
    "nbf": "The token is not valid yet.",
    "iat": "The token was issued in the future; check the issuer's clock.",
    "exp": "The token's expiry is not a time.",
    "sub": "The token's subject is not a name.",
}


def _bearer(authorization: str | None) -> str:
    if not authorization:
        # RFC 6750: without a token the challenge names no error.
        raise Problem(
            401,
            detail="A token is missing; send `Authorization: Bearer <token>`.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_CHARACTERS:
        raise _refused("The header is malformed; send `Authorization: Bearer <token>`.")
    return token


def _refused(detail: str) -> Problem:
    # Every detail above is ASCII without quotes, as a header's quoted string wants.
    challenge = f'Bearer error="invalid_token", error_description="{detail}"'
    return Problem(401, detail=detail, headers={"WWW-Authenticate": challenge})


def _key_id(token: str) -> str | None:
    """Return the key id of a token nobody has verified yet, once its algorithm is allowed."""
    try:
        header = extract_compact(token.encode("ascii"), registry=_REGISTRY).headers()
    except (JoseError, ValueError, TypeError):
        raise _refused(_MALFORMED) from None
    key_id = header.get("kid")
    if header.get("alg") not in ALGORITHMS or not isinstance(key_id, str | None):
        raise _refused(_MALFORMED)
    return key_id


_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS))


def _read_keys(path: Path) -> dict[str, ECKey | OKPKey | RSAKey]:
    try:
        keys = KeySet.import_key_set(json.loads(path.read_bytes()))
    except OSError as error:
        raise JwksError(f"cannot read the JWKS file {path}: {error.strerror}") from None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise JwksError(
            f"{path} is not a JWK Set with keys ({type(error).__name__}); "
            'write {"keys": [public keys]}'
        ) from None
    accepted: dict[str, ECKey | OKPKey | RSAKey] = {}
    for key in keys:
        if not isinstance(key, ECKey | OKPKey | RSAKey):
            raise JwksError(f"{path} holds a {key.key_type} key; only EC, OKP and RSA are accepted")
        if key.is_private:
            raise JwksError(f"{path} holds a private key ({key.kid}); give its public half only")
        if key.kid is None or key.kid in accepted:
            raise JwksError(f"{path} holds two keys with the id {key.kid}; give each its own")
        accepted[key.kid] = key
    return accepted
