"""The links in a letter: to the unit's page, and to where it says that it has taken a matter up.

The second needs no login, so it bears a token of its own: signed with a key that only the notifier
has, for this purpose alone, about one unit, until it expires. Opening the link changes nothing:
mail servers open links too. What it allows is small: to acknowledge what fired before the letter.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from urllib.parse import quote

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, ValidationError

from services.chassis.settings import SecretFileError, read_secret
from services.notifier.settings import LinkSettings

ACKNOWLEDGE_PATH: Final = "/acknowledge"

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "nhipso-notifier"
_AUDIENCE: Final = "acknowledge"
_LEAST_KEY_BYTES: Final = 32


class LinkError(Exception):
    """A link that is not ours, was changed, or is too old."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("the link has expired" if expired else "the link is not valid")
        self.expired = expired


class _Claims(BaseModel):
    model_config = ConfigDict(frozen=True)

    sub: str
    area: str
    iat: int


@dataclass(frozen=True, slots=True)
class Permit:
    """What a link allows: `audience` may acknowledge what fired in `area` until `told_at`."""

    audience: str
    area: str
    told_at: datetime


class Links:
    """Writes links and reads them back."""

    def __init__(
        self,
        *,
        dashboard_url: str | None = None,
        notifier_url: str | None = None,
        key: bytes | None = None,
        valid: timedelta = timedelta(days=30),
    ) -> None:
        """Without an address there are no links to it; without a key none to acknowledge."""
        self._dashboard = _base(dashboard_url)
        self._notifier = _base(notifier_url)
        self._key = OctKey.import_key(key) if key is not None else None
        self._valid = valid

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """Build them.

        Raises:
            SecretFileError: the key cannot be read or is too short.
        """
        key = None
        if settings.key_file is not None:
            key = read_secret(settings.key_file)
            if len(key) < _LEAST_KEY_BYTES:
                raise SecretFileError(
                    f"the key in {settings.key_file} is shorter than {_LEAST_KEY_BYTES} bytes; "
                    "write one with `openssl rand -hex 32`"
                )
        return cls(
            dashboard_url=settings.dashboard_url,
            notifier_url=settings.notifier_url,
            key=key,
            valid=timedelta(seconds=settings.valid_seconds),
        )

    def page(self, area: str) -> str | None:
        """The address of a unit's page."""
        return f"{self._dashboard}/areas/{quote(area, safe=':')}" if self._dashboard else None

    def acknowledge(self, audience: str, area: str, now: datetime) -> str | None:
        """The address where an audience acknowledges what fires in a unit."""
        if self._notifier is None or self._key is None:
            return None
        issued = int(now.timestamp())
        token = jwt.encode(
            {"alg": _ALGORITHM},
            {
                "iss": _ISSUER,
                "aud": _AUDIENCE,
                "sub": audience,
                "area": area,
                "iat": issued,
                "exp": issued + int(self._valid.total_seconds()),
            },
            self._key,
        )
        return f"{self._notifier}{ACKNOWLEDGE_PATH}?token={token}"

    def permit(self, token: str, now: datetime) -> Permit:
        """What the token of a link allows.

        Raises:
            LinkError: it allows nothing (any more).
        """
        if self._key is None:
            raise LinkError(expired=False)
        claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now.timestamp()),
            iss={"essential": True, "value": _ISSUER},
            aud={"essential": True, "value": _AUDIENCE},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
            claims.validate(decoded.claims)
            read = _Claims.model_validate(decoded.claims)
        except ExpiredTokenError:
            raise LinkError(expired=True) from None
        except (JoseError, ValidationError, ValueError, TypeError):
            raise LinkError(expired=False) from None
        return Permit(read.sub, read.area, datetime.fromtimestamp(read.iat, UTC))


def _base(url: str | None) -> str | None:
    return url.rstrip("/") if url is not None else None


NO_LINKS: Final = Links()
