"""Entries of the receivers file: their form, and the receiver that each makes."""

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator
from standardwebhooks import Webhook

from services.notifier.core.title import Title
from services.notifier.core.wording import Language
from services.notifier.receivers.alertmanager.sending import AlertmanagerReceiver
from services.notifier.receivers.chat.slack import SlackReceiver
from services.notifier.receivers.chat.zalo import ZaloReceiver
from services.notifier.receivers.digest.subscribing import Choice
from services.notifier.receivers.email.sending import EmailReceiver
from services.notifier.receivers.webhook.sending import WebhookReceiver

Receiver = EmailReceiver | WebhookReceiver | SlackReceiver | ZaloReceiver

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]

_WAYS: Final = ("email", "webhook", "slack", "zalo", "alertmanager")


class ReceiversError(ValueError):
    """A receivers file that cannot be used, with the entry that is wrong and what to do."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WebhookEntry(_Entry):
    """A webhook and the file with its secret."""

    url: HttpUrl
    secret_file: Path


class SlackEntry(_Entry):
    """The file with the URL of an incoming webhook: who has the URL can post."""

    url_file: Path


class AlertmanagerEntry(_Entry):
    """An Alertmanager, and whether it hears of all units below."""

    url: HttpUrl
    units_below: bool = False


class ReceiverEntry(_Entry):
    """Whom it is for, and the one way to tell them."""

    area: str | None = None
    operators: Literal[True] | None = None
    group: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] = None
    agency: str | None = None
    leaders: Literal[True] | None = None
    title: Title | None = None
    digest: Choice | None = None
    language: Language = "vi"
    email: Annotated[str | None, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$")] = None
    webhook: WebhookEntry | None = None
    slack: SlackEntry | None = None
    zalo: Annotated[str | None, Field(pattern=r"^[0-9]{5,25}$")] = None
    alertmanager: AlertmanagerEntry | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if [self.area, self.operators, self.group, self.agency].count(None) != 3:
            raise ValueError("give exactly one of area and operators, or a group or an agency")
        if self.area is None and self.leaders:
            raise ValueError("leaders are those of a unit; give an area")
        has_digests = self.area is not None or self.agency is not None
        if not has_digests and self.digest not in (None, "none"):
            raise ValueError("digests are for a unit or an agency; give an area or an agency")
        if self.leaders and self.digest == "none":
            raise ValueError("leaders get digests alone; write weekly or monthly, or no entry")
        if sum(getattr(self, way) is not None for way in _WAYS) != 1:
            raise ValueError(f"give exactly one of {', '.join(_WAYS)}")
        if self.language != "vi" and self.alertmanager is not None:
            raise ValueError("an Alertmanager gets no texts; leave out the language")
        if self.title is not None and self.alertmanager is not None:
            raise ValueError("an Alertmanager gets no letters; leave out the title")
        if self.alertmanager is not None and (self.group or self.agency):
            raise ValueError("an Alertmanager hears of an area or of what operators are told")
        by_these = self.email is not None or self.webhook is not None
        if not by_these and (self.leaders or self.digest not in (None, "none")):
            raise ValueError("digests go by email or webhook alone")
        return self


def receiver_of(entry: ReceiverEntry, folder: Path, place: str) -> Receiver:
    """The receiver that an entry makes; files may be relative to `folder`.

    Raises:
        ReceiversError: a file of it cannot be used.
    """
    if entry.email is not None:
        return EmailReceiver(
            name=f"email:{entry.email}",
            address=entry.email,
            fingerprint=_digest(entry.email),
            language=entry.language,
        )
    if entry.slack is not None:
        url = _secret(folder / entry.slack.url_file, place)
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ReceiversError(
                f"{place}: {folder / entry.slack.url_file} holds no URL; write that of the "
                "incoming webhook"
            )
        return SlackReceiver(
            name=_hidden("slack", url),
            url=url,
            fingerprint=_digest(url),
            language=entry.language,
        )
    if entry.zalo is not None:
        return ZaloReceiver(
            name=f"zalo:{entry.zalo}",
            user_id=entry.zalo,
            fingerprint=_digest(entry.zalo),
            language=entry.language,
        )
    assert entry.webhook is not None  # noqa: S101 - the validator above holds it
    url = entry.webhook.url
    secret = _secret(folder / entry.webhook.secret_file, place)
    return WebhookReceiver(
        name=_hidden("webhook", url),
        url=url,
        signer=_signer(secret, folder / entry.webhook.secret_file, place),
        fingerprint=_digest(url, secret),
        language=entry.language,
    )


def mirror_of(entry: ReceiverEntry) -> AlertmanagerReceiver | None:
    """The Alertmanager that an entry makes, if it names one."""
    if entry.alertmanager is None:
        return None
    url, whom = entry.alertmanager.url, entry.area or "operators"
    return AlertmanagerReceiver(
        name=f"{_hidden('alertmanager', url)}:{whom}",
        url=url,
        area=entry.area,
        with_units_below=entry.alertmanager.units_below,
        fingerprint=_digest(url, whom),
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
