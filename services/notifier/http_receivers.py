"""How receivers fare, over HTTP: operators and leaders read, operators enable."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel

from contracts.events import EventTime
from contracts.tokens import ClaimsError, Principal, Role, principal
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier
from services.notifier.http import Api
from services.notifier.store import receivers


class ReceiverAnswer(BaseModel):
    """One receiver; `failures` are those in a row, `waiting` counts its deliveries."""

    name: str
    kind: str
    waiting: int
    failures: int
    resting_until: EventTime | None
    served_at: EventTime | None
    disabled_at: EventTime | None
    disabled_reason: str | None
    enabled_at: EventTime | None
    enabled_by: str | None


class ReceiversAnswer(BaseModel):
    """Receivers, those that need a hand first."""

    receivers: list[ReceiverAnswer]


class EnableRequest(BaseModel, extra="forbid"):
    """Which receiver, by its name in the log of deliveries."""

    name: str


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


def add_receiver_routes(app: FastAPI, *, verifier: TokenVerifier, api: Callable[[], Api]) -> None:
    """Add the routes of receivers to an app; `api` is asked at each request."""
    router = APIRouter(prefix="/v1/receivers", tags=["receivers"])
    Who = Annotated[Principal, Depends(Reader(verifier))]  # noqa: N806 - an annotation

    @router.get("")
    async def list_receivers(_: Who) -> ReceiversAnswer:
        """How receivers fare; disabled ones first."""
        async with api().pool.acquire() as connection:
            found = await receivers.listed(connection)
        return ReceiversAnswer(
            receivers=[ReceiverAnswer.model_validate(one, from_attributes=True) for one in found]
        )

    @router.post("/enable", status_code=204)
    async def enable_receiver(who: Who, wanted: EnableRequest) -> None:
        """Send again to a receiver that had said that it wants no more (410)."""
        if who.role is not Role.OPERATOR:
            raise Problem(403, detail="Only operators enable a receiver.")
        known = api()
        async with known.pool.acquire() as connection:
            done = await receivers.enable(connection, wanted.name, known.clock.now(), by=who.sub)
        if not done:
            raise Problem(404, detail=f"There is no disabled receiver {wanted.name!r}.")

    app.include_router(router)
