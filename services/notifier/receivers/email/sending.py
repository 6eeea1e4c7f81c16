"""Send a letter by e-mail. Its Message-ID follows from the delivery, so a resend is recognised."""

import asyncio
from dataclasses import dataclass
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from typing import Final

import aiosmtplib

from services.notifier.receivers.email.rendering import as_html, as_text
from services.notifier.receivers.outcome import Delivered, Outcome, Reason, Refused, Retry
from services.notifier.settings import SmtpSettings
from services.notifier.store.deliveries import Delivery

KIND: Final = "email"

#: Quoted-printable: any mail server takes it, and lines stay short.
_UTF8: Final = Charset("utf-8")
_UTF8.body_encoding = QP

_START_TLS: Final = {"auto": None, "starttls": True, "implicit": False, "none": False}


@dataclass(frozen=True, slots=True)
class EmailReceiver:
    """A unit's mailbox."""

    name: str
    address: str
    kind: str = KIND
    fingerprint: str = ""


class EmailSender:
    """Hands messages to one SMTP server."""

    def __init__(self, settings: SmtpSettings, password: str | None) -> None:
        self._settings = settings
        self._password = password

    async def send(self, receiver: EmailReceiver, delivery: Delivery) -> Outcome:
        """Send one message; a refusal of the server for good (5xx) is final."""
        settings = self._settings
        message = compose(receiver, delivery, settings)
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                await aiosmtplib.send(
                    message,
                    sender=settings.sender,
                    recipients=[receiver.address],
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
        except aiosmtplib.SMTPAuthenticationError as error:
            # Ours to mend, and the letter must not be lost over it.
            return Retry(f"SMTP {error.code}: {error.message}", reason=Reason.CREDENTIALS)
        except aiosmtplib.SMTPResponseException as error:
            return _refused_or_retry(error.code, error.message)
        except (aiosmtplib.SMTPTimeoutError, TimeoutError) as error:
            return Retry(f"{type(error).__name__}: {error}", reason=Reason.TIMEOUT)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Retry(f"{type(error).__name__}: {error}")
        return Delivered()


def compose(receiver: EmailReceiver, delivery: Delivery, settings: SmtpSettings) -> MIMEMultipart:
    """The message: text with an HTML alternative.

    Built by the older classes of `email`: the newer ones drop a blank where a long subject in
    Vietnamese is folded.
    """
    letter = delivery.letter
    domain = settings.sender.rpartition("@")[2]
    message = MIMEMultipart("alternative")
    message["From"] = formataddr((settings.sender_name, settings.sender))
    message["To"] = receiver.address
    message["Subject"] = Header(letter.subject, "utf-8")  # type: ignore[assignment]  # typeshed
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{delivery.id}@{domain}>"
    message["Content-Language"] = "vi"
    # RFC 3834: no absence notices, please.
    message["Auto-Submitted"] = "auto-generated"
    message.attach(MIMEText(as_text(letter), "plain", _UTF8))  # type: ignore[arg-type]  # typeshed
    message.attach(MIMEText(as_html(letter), "html", _UTF8))  # type: ignore[arg-type]  # typeshed
    return message


def _refused_or_retry(code: int, reason: str) -> Outcome:
    error = f"SMTP {code}: {reason}"
    return Refused(error) if code >= 500 else Retry(error, reason=Reason.BUSY)
