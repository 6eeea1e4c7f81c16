"""Messages of a Zalo Official Account (OA) to a follower, by its Open API v3.

The API answers 200 and says in `error` how it went. What the codes mean is read off its list of
codes (developers.zalo.me, "Mã lỗi"); one that is not known here is tried again.
"""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from services.chassis.clock import Clock
from services.notifier.core.wording import Language
from services.notifier.receivers.answering import outcome_of, unanswered
from services.notifier.receivers.chat.message import ChatMessage
from services.notifier.receivers.chat.tokens import TokenError, ZaloTokens
from services.notifier.receivers.outcome import Delivered, Outcome, Reason, Refused, Retry

KIND: Final = "zalo"
API: Final = "https://openapi.zalo.me"

LONGEST: Final = 2000
"""Characters of a text message."""

_TOKEN: Final = frozenset({-216, -220})
"""The access token is not valid, or not any more."""

_PATIENCE: Final = frozenset({-32, -211, -218, -321})
"""Too many requests, out of quota, out of money."""

_OURS: Final = frozenset({-209, -212, -219, -221, -223, -224, -235, -240, -242, -320})
"""The app or the OA may not do this; an operator can mend it."""

_NEVER: Final = frozenset({-201, -210, -213, -217, -227, -230, -232, -233, -244, -248})
"""This message, or this person: does not follow, blocks, has not written for seven days."""

_GONE: Final = frozenset({-204, -205})
"""The OA is no more."""

_LONGEST_ERROR: Final = 120


@dataclass(frozen=True, slots=True)
class ZaloReceiver:
    """A follower of the OA, by the id that the OA knows them by."""

    name: str
    user_id: str
    fingerprint: str = ""
    kind: str = KIND
    language: Language = "vi"


class ZaloChat:
    """Posts consultation messages of one OA."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        tokens: ZaloTokens,
        *,
        timeout: float,
        clock: Clock,
        api: str = API,
    ) -> None:
        """`timeout` is seconds for one request, from the connection to the answer."""
        self._session = session
        self._tokens = tokens
        self._timeout = timeout
        self._clock = clock
        self._url = f"{api.rstrip('/')}/v3.0/oa/message/cs"

    async def post(self, receiver: ZaloReceiver, message: ChatMessage) -> Outcome:
        """Post one message; with a new access token where the old one is refused."""
        body = {
            "recipient": {"user_id": receiver.user_id},
            "message": {"text": message.within(LONGEST)},
        }
        try:
            access = await self._tokens.access()
            outcome, code = await self._ask(body, access)
            if code in _TOKEN:
                access = await self._tokens.access(refused=access)
                outcome, _ = await self._ask(body, access)
        except TokenError as error:
            return Retry(str(error), reason=error.reason)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return unanswered(error)
        return outcome

    async def _ask(self, body: object, access: str) -> tuple[Outcome, int | None]:
        async with (
            asyncio.timeout(self._timeout),
            self._session.post(
                self._url, json=body, headers={"access_token": access}, allow_redirects=False
            ) as answer,
        ):
            if answer.status != HTTPStatus.OK:
                retry_after = answer.headers.get("retry-after")
                return outcome_of(answer.status, retry_after, self._clock.now()), None
            text = await answer.text(errors="replace")
        try:
            said = json.loads(text)
            code = int(said["error"])
        except (ValueError, KeyError, TypeError):
            return Retry("the answer is not of Zalo's form", reason=Reason.SERVER_ERROR), None
        return read(code, str(said.get("message", ""))), code


def read(code: int, message: str) -> Outcome:
    """What a code of the API means."""
    error = f"Zalo {code}: {message}"[:_LONGEST_ERROR]
    if code == 0:
        return Delivered()
    if code in _GONE:
        return Refused(error, Reason.GONE)
    if code in _NEVER:
        return Refused(error)
    if code in _TOKEN or code in _OURS:
        return Retry(error, reason=Reason.CREDENTIALS)
    return Retry(error, reason=Reason.BUSY if code in _PATIENCE else Reason.SERVER_ERROR)
