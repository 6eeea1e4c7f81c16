"""Send digests: by e-mail, those of leaders with a PDF and a workbook, or as JSON to a webhook."""

import asyncio
import json
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from typing import Final

from contracts.times import format_rfc3339
from services.notifier.core.digest import Digest
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.wording import Language
from services.notifier.receivers.digest import page, workbook
from services.notifier.receivers.digest.rendering import as_html, as_text
from services.notifier.receivers.digest.subscribing import DigestReceiver
from services.notifier.receivers.email.sending import (
    EmailReceiver,
    EmailSender,
    address_headers,
    text_part,
)
from services.notifier.receivers.outcome import Outcome, Refused
from services.notifier.receivers.webhook.sending import WebhookReceiver, WebhookSender
from services.notifier.settings import SmtpSettings
from services.notifier.store.deliveries import Delivery

EVENT_TYPE: Final = "vn.nhipso.digest.v1"


class DigestMailer:
    """Hands digests to the mail server."""

    def __init__(self, sender: EmailSender, settings: SmtpSettings) -> None:
        self._sender = sender
        self._settings = settings

    async def send(self, receiver: DigestReceiver, delivery: Delivery[Digest]) -> Outcome:
        """Send one digest."""
        if not isinstance(receiver.to, EmailReceiver):
            return Refused(f"{receiver.name} is no mailbox")
        # Setting pages takes a while in which nothing else should wait.
        message = await asyncio.to_thread(compose, receiver.to, delivery, self._settings)
        return await self._sender.post(receiver.to.address, message)


class DigestPoster:
    """Posts digests to webhooks."""

    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender

    async def send(self, receiver: DigestReceiver, delivery: Delivery[Digest]) -> Outcome:
        """Post one digest."""
        if not isinstance(receiver.to, WebhookReceiver):
            return Refused(f"{receiver.name} is no webhook")
        return await self._sender.post(
            receiver.to, str(delivery.id), body(delivery.letter, receiver.to.language)
        )


def compose(
    receiver: EmailReceiver, delivery: Delivery[Digest], settings: SmtpSettings
) -> MIMEMultipart:
    """The message: text with an HTML alternative, for leaders with a PDF and the workbook."""
    digest, language = delivery.letter, receiver.language
    said = MIMEMultipart("alternative")
    said.attach(text_part(as_text(digest, language), "plain"))
    said.attach(text_part(as_html(digest, language), "html"))
    message = said
    if digest.form == "leaders":
        message = MIMEMultipart("mixed")
        message.attach(said)
        for media_type, name, content in (
            (page.MEDIA_TYPE, page.file_name(digest), page.as_pdf(digest, language)),
            (
                workbook.MEDIA_TYPE,
                workbook.file_name(digest),
                workbook.as_workbook(digest, language),
            ),
        ):
            file = MIMEApplication(content, media_type.removeprefix("application/"))
            file.add_header("Content-Disposition", "attachment", filename=name)
            message.attach(file)
    address_headers(
        message,
        to=receiver.address,
        subject=DigestSpeech(language).subject(digest),
        delivery=delivery.id,
        at=digest.written_at,
        settings=settings,
    )
    message.replace_header("Content-Language", language)
    return message


def body(digest: Digest, language: Language = "vi") -> str:
    """What is posted: type, timestamp and data, as Standard Webhooks recommends."""
    data = digest.model_dump(mode="json")
    data |= {"subject": DigestSpeech(language).subject(digest), "text": as_text(digest, language)}
    return json.dumps(
        {"type": EVENT_TYPE, "timestamp": format_rfc3339(digest.written_at), "data": data},
        ensure_ascii=False,
    )
