"""Send a letter by e-mail. Its Message-ID follows from the delivery, so a resend is recognised."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid5

import aiosmtplib

from services.notifier.core.letter import Letter
from services.notifier.core.wording import Language
from services.notifier.receivers.email.rendering import content
from services.notifier.receivers.outcome import Delivered, Outcome, Reason, Refused, Retry
from services.notifier.settings import SmtpSettings
from services.notifier.store.deliveries import Delivery

KIND: Final = "email"

#: Quoted-printable: any mail server takes it, and lines stay short.
_UTF8: Final = Charset("utf-8")
_UTF8.body_encoding = QP

_THREADS: Final = UUID("5c1a2c36-6b0e-5b0b-8f49-0d6a6f1f9b11")
_LONGEST_THREAD: Final = 20
"""So many alerts are referred to: the header must not grow without end."""

_FOR_GOOD: Final = 500
"""From here on an answer says that the same would be refused again (RFC 5321, 4.2.1)."""

_UNKNOWN_CLIENT: Final = frozenset({530, 535, 538})
"""The server wants a login, or TLS before it (RFC 4954, RFC 3207): not the message's fault."""

_START_TLS: Final = {"auto": None, "starttls": True, "implicit": False, "none": False}


@dataclass(frozen=True, slots=True)
class EmailReceiver:
    """A unit's mailbox."""

    name: str
    address: str
    kind: str = KIND
    fingerprint: str = ""
    language: Language = "vi"


class EmailSender:
    """Hands messages to one SMTP server."""

    def __init__(self, settings: SmtpSettings, password: str | None) -> None:
        self._settings = settings
        self._password = password

    async def send(self, receiver: EmailReceiver, delivery: Delivery) -> Outcome:
        """Send one letter; a refusal of the server for good (5xx) is final."""
        # Drawing charts takes a while in which nothing else should wait.
        message = await asyncio.to_thread(compose, receiver, delivery, self._settings)
        return await self.post(receiver.address, message)

    async def post(self, address: str, message: MIMEMultipart) -> Outcome:
        """Hand one message to the server."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                await aiosmtplib.send(
                    message,
                    sender=settings.sender,
                    recipients=[address],
                    hostname=settings.host,
                    port=settings.port,
                    username=settings.username,
                    password=self._password,
                    timeout=settings.timeout_seconds,
                    use_tls=settings.tls == "implicit",
                    start_tls=_START_TLS[settings.tls],
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refused_or_retry(error.recipients[0].code, error.recipients[0].message)
        except aiosmtplib.SMTPDataError as error:
            return _refused_or_retry(error.code, error.message)
        except aiosmtplib.SMTPResponseException as error:
            # Greeting, login, sender: ours to mend, and no letter must be lost over it.
            reason = Reason.CREDENTIALS if error.code >= _FOR_GOOD else Reason.BUSY
            return Retry(f"SMTP {error.code}: {error.message}", reason=reason)
        except (aiosmtplib.SMTPTimeoutError, TimeoutError) as error:
            return Retry(f"{type(error).__name__}: {error}", reason=Reason.TIMEOUT)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Retry(f"{type(error).__name__}: {error}")
        return Delivered()


def compose(receiver: EmailReceiver, delivery: Delivery, settings: SmtpSettings) -> MIMEMultipart:
    """The message: text with an HTML alternative and its charts, in the receiver's language."""
    letter = delivery.letter
    message = content(letter, receiver.language)
    address_headers(
        message,
        to=receiver.address,
        subject=letter.subject_in(receiver.language),
        delivery=delivery.id,
        at=letter.written_at,
        settings=settings,
    )
    for name, value in thread(letter, settings).items():
        message[name] = value
    message.replace_header("Content-Language", receiver.language)
    return message


def thread(letter: Letter, settings: SmtpSettings) -> dict[str, str]:
    """Headers by which letters about the same alert of a unit stand together.

    Nobody ever sent the messages they refer to: each alert has one id for its unit, the oldest is
    the root, and mail programs put together what refers to the same.
    """
    domain = settings.sender.rpartition("@")[2]
    ordered = sorted(letter.alerts, key=lambda alert: (alert.opened_at, alert.id))
    ids = [
        f"<{uuid5(_THREADS, f'{letter.audience}/{alert.id}')}.thread@{domain}>"
        for alert in ordered[:_LONGEST_THREAD]
    ]
    return {"In-Reply-To": ids[0], "References": " ".join(ids)} if ids else {}


def unsubscribing(receiver: str, settings: SmtpSettings) -> dict[str, str]:
    """How a receiver is told no more: RFC 2369, with one press (RFC 8058) where there is an address."""
    ways = []
    if settings.unsubscribe_url is not None:
        url = settings.unsubscribe_url.replace("{receiver}", quote(receiver, safe=""))
        ways.append(f"<{url}>")
    if settings.unsubscribe_mailto is not None:
        ways.append(f"<mailto:{settings.unsubscribe_mailto}?subject=unsubscribe>")
    headers = {"List-Unsubscribe": ", ".join(ways)} if ways else {}
    if settings.unsubscribe_url is not None:
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def address_headers(
    message: MIMEMultipart,
    *,
    to: str,
    subject: str,
    delivery: UUID,
    at: datetime,
    settings: SmtpSettings,
) -> None:
    """Write the headers that each of our messages has."""
    domain = settings.sender.rpartition("@")[2]
    message["From"] = formataddr((settings.sender_name, settings.sender))
    if settings.reply_to is not None:
        message["Reply-To"] = settings.reply_to
    message["To"] = to
    message["Subject"] = Header(subject, "utf-8")  # type: ignore[assignment]  # typeshed
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{delivery}@{domain}>"
    message["Content-Language"] = "vi"
    # RFC 3834: no absence notices, please.
    message["Auto-Submitted"] = "auto-generated"
    for name, value in unsubscribing(f"{KIND}:{to}", settings).items():
        message[name] = value


def text_part(text: str, kind: str) -> MIMEText:
    """A text as part of a message; `kind` is ``plain`` or ``html``."""
    return MIMEText(text, kind, _UTF8)  # type: ignore[arg-type]  # typeshed


def _refused_or_retry(code: int, reason: str) -> Outcome:
    error = f"SMTP {code}: {reason}"
    if code in _UNKNOWN_CLIENT:
        return Retry(error, reason=Reason.CREDENTIALS)
    return Refused(error) if code >= _FOR_GOOD else Retry(error, reason=Reason.BUSY)
