"""How receivers fare, over HTTP: operators and leaders read, operators enable and test."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel

from contracts.events import EventTime
from contracts.times import local_day
from contracts.tokens import ClaimsError, Principal, Role, principal
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.notifier.core.trial import audience, trial
from services.notifier.http import Api
from services.notifier.receivers.reading import Receivers
from services.notifier.store import deliveries, receivers
from services.notifier.store.deliveries import Addressee


class ReceiverAnswer(BaseModel):
    """One receiver; `failures` are those in a row, `waiting` counts its deliveries.

    `audiences` are those it is told for by the receivers file (``unit:<area id>``, ``operators`` …);
    none where the file does not name it. `failing_since` is the first attempt since the last that
    was taken, `last_error` what came of the last one.
    """

    name: str
    kind: str
    audiences: list[str]
    waiting: int
    failures: int
    failing_since: EventTime | None
    last_error: str | None
    resting_until: EventTime | None
    served_at: EventTime | None
    disabled_at: EventTime | None
    disabled_reason: str | None
    enabled_at: EventTime | None
    enabled_by: str | None


class ReceiversAnswer(BaseModel):
    """Receivers, those that need a hand first."""

    receivers: list[ReceiverAnswer]


class ReceiverRequest(BaseModel, extra="forbid"):
    """Which receiver, by its name in the log of deliveries."""

    name: str


class TrialAnswer(BaseModel):
    """The delivery of a test; `GET /v1/deliveries/{delivery}` says how it goes.

    While its `next_attempt_at` is not after `asked_at`, it has not been tried since.
    """

    delivery: UUID
    asked_at: EventTime


class Reader:
    """Who asks; units and sources may not."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def __call__(self, request: Request) -> Principal:
        """Read it out of the request's token.

        Raises:
            Problem: 401 for a token that is not valid, 403 for one that may not read receivers.
        """
        try:
            who = principal(self._verifier.verify(request.headers.get("authorization")))
        except ClaimsError as error:
            raise Problem(403, detail=f"{error}; get a token with the right claims") from None
        if who.role not in (Role.OPERATOR, Role.LEADER):
            raise Problem(403, detail="Receivers are shown to operators and leaders alone.")
        return who


class Operator(Reader):
    """Who asks; operators alone may."""

    def __call__(self, request: Request) -> Principal:
        """Read it out of the request's token.

        Raises:
            Problem: 401 for a token that is not valid, 403 for one that is no operator's.
        """
        who = super().__call__(request)
        if who.role is not Role.OPERATOR:
            raise Problem(403, detail="Only operators enable and test a receiver.")
        return who


def add_receiver_routes(
    app: FastAPI, *, verifier: TokenVerifier, api: Callable[[], Api], known: Receivers
) -> None:
    """Add the routes of receivers to an app; `api` is asked at each request."""
    router = APIRouter(prefix="/v1/receivers", tags=["receivers"])
    Reading = Annotated[Principal, Depends(Reader(verifier))]  # noqa: N806 - an annotation
    Operating = Annotated[Principal, Depends(Operator(verifier))]  # noqa: N806 - an annotation

    @router.get("")
    async def list_receivers(_: Reading) -> ReceiversAnswer:
        """How receivers fare; disabled ones first."""
        async with api().pool.acquire() as connection:
            found = await receivers.listed(connection)
        return ReceiversAnswer(
            receivers=[
                ReceiverAnswer(**asdict(one), audiences=known.audiences_of(one.name))
                for one in found
            ]
        )

    @router.post("/enable", status_code=204)
    async def enable_receiver(who: Operating, wanted: ReceiverRequest) -> None:
        """Send again to a receiver that had said that it wants no more (410)."""
        here = api()
        async with here.pool.acquire() as connection:
            done = await receivers.enable(connection, wanted.name, here.clock.now(), by=who.sub)
        if not done:
            raise Problem(404, detail=f"There is no disabled receiver {wanted.name!r}.")

    @router.post("/test", status_code=202)
    async def try_receiver(_: Operating, wanted: ReceiverRequest) -> TrialAnswer:
        """Send a message that says that it is a test, the way all others go; no alert is made.

        It is logged before it is sent. A receiver that rests after failures is tried at once; while
        a test still waits for it, that one is named and no other is made.
        """
        receiver = known.by_name.get(wanted.name)
        if receiver is None:
            mirrored = wanted.name in {one.name for one in known.mirrors}
            why = (
                "is an Alertmanager, which is told what fires every minute and takes no messages"
                if mirrored
                else "is not in the receivers file"
            )
            raise Problem(409 if mirrored else 404, detail=f"{wanted.name!r} {why}.")
        here = api()
        now = here.clock.now()
        province = next(
            area for area in here.domain.areas.on(local_day(now)) if area.parent_id is None
        )
        async with here.pool.acquire() as connection, connection.transaction():
            if await receivers.is_disabled(connection, wanted.name):
                raise Problem(
                    409, detail=f"{wanted.name!r} is disabled; enable it first, then test it."
                )
            delivery = await deliveries.log_test(
                connection,
                trial(wanted.name, province, now),
                Addressee(receiver.kind, receiver.name),
            )
            await receivers.wake(connection, wanted.name, now, audience(wanted.name))
        return TrialAnswer(delivery=delivery, asked_at=now)

    app.include_router(router)
