"""Rejected events: what ``rejected-events.v1`` holds of an event that was refused.

Nothing in a record shows a citizen's or household's identifier, but the sealed original, which
ingest alone can open. Sealed is a compact JWE (RFC 7516), ECDH-ES with A256GCM over a P-256 key, so
that whoever refuses an event needs the public key only. Source: wire contract, "Topics".
"""

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, Field

from contracts.events import EventTime
from contracts.reasons import Reason

_ALGORITHM: Final = "ECDH-ES"
_ENCRYPTION: Final = "A256GCM"
_CURVE: Final = "P-256"

#: More of an original is not kept, so that a record fits Kafka's usual limit of 1 MiB.
MAX_SEALED_BYTES: Final = 512 * 1024


class _Registry(jwe.JWERegistry):
    """joserfc opens 64 KiB by default; an original may be larger."""

    max_ciphertext_length = MAX_SEALED_BYTES * 2


_REGISTRY: Final = _Registry(algorithms=[_ALGORITHM, _ENCRYPTION])


class SealError(ValueError):
    """A key that cannot be used, or a sealed original that this key does not open."""


class HttpOrigin(BaseModel):
    """The event came in a request to ``POST /v1/events``."""

    model_config = ConfigDict(frozen=True)

    via: Literal["http"] = "http"
    mode: Literal["binary", "structured", "batch"]
    index: Annotated[int, Field(ge=0, description="place in the batch, from 0")]


class TopicOrigin(BaseModel):
    """The event came as a record of a topic."""

    model_config = ConfigDict(frozen=True)

    via: Literal["topic"] = "topic"
    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]


class ConnectorOrigin(BaseModel):
    """A connector of ingest read it; the original is the source's record, before its mapping."""

    model_config = ConfigDict(frozen=True)

    via: Literal["connector"] = "connector"
    connector: str
    place: Annotated[
        str,
        Field(description="where it stands in the source, for example `partition 3, offset 17`"),
    ]


class FileOrigin(BaseModel):
    """It stood in a file that was sent to ``POST /v1/files``."""

    model_config = ConfigDict(frozen=True)

    via: Literal["file"] = "file"
    file: str
    line: Annotated[int, Field(ge=1, description="line or row, from 1, with the heading")]


Origin = HttpOrigin | TopicOrigin | ConnectorOrigin | FileOrigin


class RejectedEvent(BaseModel):
    """One refusal. Texts that the sender wrote are masked where they hold long numbers."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    reason: Reason
    detail: str
    rejected_at: EventTime
    stage: Literal["ingest", "scoring"]
    caller: Annotated[
        str | None,
        Field(description="`sub` of the token, or `connector:<name>`; null from a topic"),
    ]
    caller_sources: Annotated[
        list[str], Field(description="the sources that the caller might use")
    ] = []
    caller_domains: Annotated[
        list[str], Field(description="the domains that the caller might send")
    ] = []
    source: str | None
    event_id: str | None
    event_type: str | None
    origin: Annotated[Origin, Field(discriminator="via")]
    original_bytes: Annotated[
        int,
        Field(
            ge=0, description="length of the original; of a longer one than 512 KiB the rest is cut"
        ),
    ]
    sealed: Annotated[str, Field(description="the original as compact JWE, for ingest alone")]


def rejection_key(source: str | None) -> bytes:
    """The record's key: the source, or ``unknown`` when the event named none."""
    return (source or "unknown").encode()


def read_key(path: Path) -> ECKey:
    """Read a P-256 key, private or public, from a file that holds it as a JWK.

    Raises:
        SealError: when the file cannot be read or holds another kind of key.
    """
    try:
        members: Any = json.loads(path.read_text(encoding="utf-8"))
        key = ECKey.import_key(members)
    except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
        raise SealError(
            f"{path} is not a key for rejected events ({type(error).__name__}); "
            f"it must hold an EC {_CURVE} key as a JWK"
        ) from None
    if key.curve_name != _CURVE:
        raise SealError(f"{path} holds a key on {key.curve_name}; it must be on {_CURVE}")
    return key


def read_private_key(path: Path) -> ECKey:
    """Read a P-256 key that also opens what it seals.

    Raises:
        SealError: when the file cannot be read, or holds another kind of key or its public part.
    """
    key = read_key(path)
    if not key.is_private:
        raise SealError(f"{path} holds the public part of a key; it must hold the private key")
    return key


def public_part(key: ECKey) -> ECKey:
    """The public part of a key; with it one can seal and not unseal."""
    return ECKey.import_key(key.as_dict(private=False))


def seal(public_key: ECKey, original: bytes) -> str:
    """Encrypt an original; of one longer than `MAX_SEALED_BYTES` only the beginning."""
    protected = {"alg": _ALGORITHM, "enc": _ENCRYPTION}
    return jwe.encrypt_compact(
        protected, original[:MAX_SEALED_BYTES], public_key, registry=_REGISTRY
    )


def unseal(private_key: ECKey, sealed: str) -> bytes:
    """Decrypt what `seal` made.

    Raises:
        SealError: when it is not of that form, or was sealed for another key.
    """
    try:
        plaintext = jwe.decrypt_compact(sealed, private_key, registry=_REGISTRY).plaintext
    except (JoseError, ValueError) as error:
        raise SealError(
            f"cannot open the sealed original ({type(error).__name__}); was it sealed for this key?"
        ) from None
    if plaintext is None:
        raise SealError("the sealed original is empty")
    return plaintext
