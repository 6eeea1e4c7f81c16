"""What an HTTP receiver's answer means."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

import aiohttp

from services.chassis.retry_after import wish
from services.notifier.receivers.outcome import Delivered, Outcome, Reason, Refused, Retry

_NEVER: Final = frozenset(
    {
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""The same content would be answered in the same way for ever."""

_PATIENCE: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_CREDENTIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def outcome_of(status: int, retry_after: str | None, now: datetime) -> Outcome:
    """What a status means. What an operator may yet mend (401, 404 …) is tried again."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Delivered()
    error = f"HTTP {status}"
    if status == HTTPStatus.GONE:
        return Refused(f"{error}: the receiver wants no more", Reason.GONE)
    if status in _NEVER:
        return Refused(f"{error}: the receiver will not take this message")
    if status in _PATIENCE:
        reason = Reason.BUSY
    elif status in _CREDENTIALS:
        reason = Reason.CREDENTIALS
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        reason = Reason.SERVER_ERROR
    else:
        reason = Reason.REJECTED
    return Retry(error, wish(retry_after, now), reason)


def unanswered(error: Exception) -> Retry:
    """No answer came. The text of these errors may hold the URL, and with it a token."""
    late = isinstance(error, TimeoutError | aiohttp.ServerTimeoutError)
    reason = Reason.TIMEOUT if late else Reason.UNREACHABLE
    return Retry(f"no answer: {type(error).__name__}", reason=reason)
