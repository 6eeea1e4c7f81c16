"""The secrets of one data directory: made on the first start, kept ever after.

Another pseudonym key would make strangers of all citizens, another password would lock everybody
out: a key or password that is there stays. Only what follows from them, such as public keys, is
written at each start.
"""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from joserfc.errors import JoseError

from contracts.rejected import public_part, read_key
from deploy.embedded.errors import StackError
from deploy.embedded.tokens import SigningKey, new_private_key


@dataclass(frozen=True)
class SecretFiles:
    """Where each secret of a data directory lies."""

    directory: Path

    @property
    def signing_key(self) -> Path:
        """The private key of tokens, a JWK."""
        return self.directory / "tokens_private.jwk"

    @property
    def jwks(self) -> Path:
        """The public keys of tokens, a JWK set."""
        return self.directory / "jwks.json"

    @property
    def pseudonym_key(self) -> Path:
        """The key of pseudonyms: 32 bytes, hexadecimal."""
        return self.directory / "pseudonym_key"

    @property
    def links_key(self) -> Path:
        """The key that signs links in letters: 32 bytes, hexadecimal."""
        return self.directory / "links_key"

    @property
    def rejections_private(self) -> Path:
        """The key that opens the originals of refused events, a JWK."""
        return self.directory / "rejections_private.jwk"

    @property
    def rejections_public(self) -> Path:
        """The key that seals the originals of refused events, a JWK."""
        return self.directory / "rejections_public.jwk"

    @property
    def postgres_password(self) -> Path:
        """The password of PostgreSQL's superuser."""
        return self.directory / "postgres_password"

    @property
    def postgres_dsn(self) -> Path:
        """The URL of the database; it changes with the port."""
        return self.directory / "postgres_dsn"

    @property
    def dashboard_token(self) -> Path:
        """The token with which the dashboard reads."""
        return self.directory / "dashboard_token"

    def make(self) -> SigningKey:
        """Make what is missing; return the signing key.

        Raises:
            StackError: the directory cannot be written, or a file in it cannot be read.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.directory.chmod(0o700)
            _once(self.pseudonym_key, lambda: secrets.token_hex(32))
            _once(self.links_key, lambda: secrets.token_hex(32))
            _once(self.postgres_password, lambda: secrets.token_hex(24))
            _once(self.rejections_private, lambda: json.dumps(_private_jwk()))
            _once(self.signing_key, lambda: json.dumps(_private_jwk()))
            rejections = public_part(read_key(self.rejections_private))
            write_private(self.rejections_public, json.dumps(rejections.as_dict()))
            signing = SigningKey.read(self.signing_key)
            write_private(self.jwks, json.dumps(signing.jwks()))
        except (OSError, ValueError, JoseError) as error:
            raise StackError(
                f"the secrets in {self.directory} cannot be read or written: {error}; put them "
                "back as they were, or choose another --data-dir"
            ) from error
        return signing


def write_private(path: Path, content: str) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{content}\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _once(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        write_private(path, make())


def _private_jwk() -> Mapping[str, object]:
    return new_private_key().as_dict(private=True)
