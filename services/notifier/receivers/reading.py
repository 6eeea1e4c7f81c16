"""Read who is told from the receivers file and refuse what does not hold together.

receivers:
  - {area: "2025:15", email: "ubnd@laocai.example.vn"}
  - {area: "2025:02647", webhook: {url: "https://example.vn/hook", secret_file: hook.key}}
  - {operators: true, email: "van-hanh@example.vn"}
  - {area: "2025:15", leaders: true, email: "lanh-dao@example.vn"}

`digest` (weekly, monthly, none) says how often an entry gets a digest; units get theirs by the
week, leaders by the month. Leaders get digests alone.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from standardwebhooks import Webhook

from contracts.areas import Areas
from services.notifier.core.digest import LEADERS_PREFIX
from services.notifier.core.letter import OPERATORS, UNIT_PREFIX
from services.notifier.receivers.digest.subscribing import (
    MONTHLY,
    WEEKLY,
    Choice,
    DigestReceiver,
    Subscription,
    subscribe,
)
from services.notifier.receivers.email.sending import EmailReceiver
from services.notifier.receivers.webhook.sending import WebhookReceiver

Receiver = EmailReceiver | WebhookReceiver


class ReceiversError(ValueError):
    """A receivers file that cannot be used, with the entry that is wrong and what to do."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _WebhookEntry(_Entry):
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
    secret_file: Path


class _ReceiverEntry(_Entry):
    area: str | None = None
    operators: Literal[True] | None = None
    leaders: Literal[True] | None = None
    digest: Choice | None = None
    email: Annotated[str | None, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")] = None
    webhook: _WebhookEntry | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.area is None) == (self.operators is None):
            raise ValueError("give exactly one of area and operators")
        if self.operators and (self.leaders or self.digest not in (None, "none")):
            raise ValueError("digests are of a unit; give an area")
        if self.leaders and self.digest == "none":
            raise ValueError("leaders get digests alone; write weekly or monthly, or no entry")
        if (self.email is None) == (self.webhook is None):
            raise ValueError("give exactly one of email and webhook")
        return self


class _File(_Entry):
    receivers: tuple[_ReceiverEntry, ...]


class Receivers:
    """Who is told: by audience, and by the name that the log of deliveries bears."""

    def __init__(
        self,
        entries: Iterable[tuple[str, Receiver]] = (),
        digests: Sequence[Subscription] = (),
    ) -> None:
        self._by_audience: dict[str, list[Receiver]] = {}
        self.by_name: dict[str, Receiver | DigestReceiver] = {}
        self.digests = tuple(digests)
        for audience, receiver in entries:
            self._by_audience.setdefault(audience, []).append(receiver)
            self.by_name[receiver.name] = receiver
        self.by_name.update({one.receiver.name: one.receiver for one in self.digests})

    @property
    def audiences(self) -> list[str]:
        """The audiences that somebody receives for."""
        return list(self._by_audience)

    def of(self, audience: str) -> Sequence[Receiver]:
        """Who receives for an audience."""
        return self._by_audience.get(audience, ())


def read(path: Path, areas: Areas) -> Receivers:
    """Read a receivers file. A `secret_file` may be relative to it.

    Raises:
        ReceiversError: naming the file and the entry that is wrong.
    """
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReceiversError(f"the receivers file {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ReceiversError(f"the receivers file {path}: {place}: {first['msg']}") from error
    found: list[tuple[str, Receiver]] = []
    digests: list[Subscription] = []
    for index, entry in enumerate(file.receivers):
        place = f"the receivers file {path}: receivers.{index}"
        if entry.area is not None and areas.get(entry.area) is None:
            raise ReceiversError(
                f"{place}: there is no unit {entry.area}; write an area id such as 2025:02647"
            )
        audience = OPERATORS if entry.area is None else f"{UNIT_PREFIX}{entry.area}"
        receiver = _receiver(entry, path.parent, place)
        digest = _subscription(entry, receiver, place)
        if entry.leaders and digest in digests:
            raise ReceiversError(f"{place}: {receiver.name} is there twice for these leaders")
        if digest is not None:
            digests.append(digest)
        if entry.leaders:
            continue
        if (audience, receiver) in found:
            raise ReceiversError(f"{place}: {receiver.name} is there twice for {audience}")
        found.append((audience, receiver))
    return Receivers(found, digests)


def _subscription(entry: _ReceiverEntry, receiver: Receiver, place: str) -> Subscription | None:
    if entry.area is None:
        return None
    prefix, default = (LEADERS_PREFIX, MONTHLY) if entry.leaders else (UNIT_PREFIX, WEEKLY)
    try:
        return subscribe(f"{prefix}{entry.area}", receiver, entry.digest, default)
    except ValueError as error:
        raise ReceiversError(f"{place}: {error}") from None


def _receiver(entry: _ReceiverEntry, folder: Path, place: str) -> Receiver:
    if entry.email is not None:
        return EmailReceiver(
            name=f"email:{entry.email}", address=entry.email, fingerprint=_digest(entry.email)
        )
    assert entry.webhook is not None  # noqa: S101 - the validator above holds it
    url = entry.webhook.url
    secret = _secret(folder / entry.webhook.secret_file, place)
    return WebhookReceiver(
        name=_hidden("webhook", url),
        url=url,
        signer=_signer(secret, folder / entry.webhook.secret_file, place),
        fingerprint=_digest(url, secret),
    )


def _hidden(kind: str, url: str) -> str:
    """A path may hold a token, so the name that logs and readers see shows only the host."""
    return f"{kind}:{urlsplit(url).hostname}#{_digest(url)[:8]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _secret(path: Path, place: str) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ReceiversError(f"{place}: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ReceiversError(f"{place}: {path} holds more than ASCII; write it anew") from error


def _signer(secret: str, path: Path, place: str) -> Webhook:
    try:
        return Webhook(secret)
    except Exception as error:
        raise ReceiversError(
            f"{place}: {path} holds no webhook secret; write whsec_ and 24 to 64 bytes in base64"
        ) from error
