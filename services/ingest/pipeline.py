"""The way of events, whoever brought them: a verdict on each, publication, and the outcome."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
from joserfc.jwk import ECKey

from contracts.reasons import Reason
from contracts.rejected import Origin
from contracts.tokens import Principal
from contracts.topics import REJECTED_EVENTS, SUBJECT_EVENTS
from services.chassis.clock import Clock
from services.chassis.failpoints import failpoint
from services.ingest.core.check import Knowledge, check, refuse
from services.ingest.core.quick import quick_check
from services.ingest.core.verdicts import Accepted, Refused, Verdict
from services.ingest.metrics import IngestMetrics
from services.ingest.pauses import Pauses
from services.ingest.periods.receipts import Receipts
from services.ingest.publisher import Publisher, Record
from services.ingest.rejections import Refusal, records
from services.ingest.wire import Received

#: Other requests get their turn after so many verdicts.
_TURN: Final = 500

_encode = msgspec.json.Encoder().encode

OriginOf = Callable[[Received], Origin]
"""Says where an event came from; asked only about those that are refused."""


@dataclass(slots=True)
class Outcome:
    """What became of events, in their order."""

    accepted: list[Accepted] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Again:
    """The events of a rejection that is worked on, and whose they were."""

    events: Sequence[Received]
    origin_of: OriginOf
    caller: Principal


class Pipeline:
    """Takes events in: nothing is answered for before the broker has acknowledged it."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        publisher: Publisher,
        sealing_key: ECKey,
        max_event_bytes: int,
        metrics: IngestMetrics,
        clock: Clock,
        pauses: Pauses,
        receipts: Receipts | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._publisher = publisher
        self._sealing_key = sealing_key
        self._max_event_bytes = max_event_bytes
        self._metrics = metrics
        self._clock = clock
        self._pauses = pauses
        self._receipts = receipts

    async def take(
        self, events: Sequence[Received], origin_of: OriginOf, caller: Principal
    ) -> Outcome:
        """Decide about events, publish the accepted and keep the refused.

        Raises:
            BrokerAwayError: not everything was acknowledged, so nothing counts as accepted.
        """
        now = self._clock.now()
        outcome = await self._decide(events, origin_of, caller, now)
        accepted = [(event.subject.encode(), _encode(event.record)) for event in outcome.accepted]
        refused = await self._rejected(outcome.refusals, caller, now)
        with self._metrics.publishing.time():
            # Both are awaited to their end, so that no publication goes on unwatched.
            results = await asyncio.gather(
                self._publisher.publish(SUBJECT_EVENTS, accepted),
                self._publisher.publish(REJECTED_EVENTS, refused),
                return_exceptions=True,
            )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        failpoint("ingest.after-acknowledgement")
        await self._note(outcome.accepted)
        self._count(outcome, caller)
        return outcome

    async def take_again(self, rejections: Sequence[Again]) -> list[Outcome]:
        """Decide about events that had been refused, and publish those that are accepted now.

        What is refused again is kept already: it makes no new rejection and pauses nobody.

        Raises:
            BrokerAwayError: not everything was acknowledged, so nothing counts as accepted.
        """
        now = self._clock.now()
        outcomes = [
            await self._decide(one.events, one.origin_of, one.caller, now) for one in rejections
        ]
        accepted = [event for outcome in outcomes for event in outcome.accepted]
        await self._publisher.publish(
            SUBJECT_EVENTS, [(event.subject.encode(), _encode(event.record)) for event in accepted]
        )
        await self._note(accepted)
        self._metrics.accepted(accepted)
        return outcomes

    async def _decide(
        self, events: Sequence[Received], origin_of: OriginOf, caller: Principal, now: datetime
    ) -> Outcome:
        outcome = Outcome()
        for place, event in enumerate(events, start=1):
            verdict = self._verdict(event, caller, now)
            if isinstance(verdict, Refused):
                outcome.refusals.append(
                    Refusal(verdict, event.index, origin_of(event), event.original)
                )
            else:
                outcome.accepted.append(verdict)
            if place % _TURN == 0:
                await asyncio.sleep(0)
        return outcome

    def _verdict(self, event: Received, caller: Principal, now: datetime) -> Verdict:
        if len(event.original) > self._max_event_bytes:
            detail = f"an event may have {self._max_event_bytes} bytes; this one is larger"
            return refuse(event.decoded, Reason.TOO_LARGE, detail, caller.sources)
        if event.objection is not None:
            objection = event.objection
            return refuse(event.decoded, objection.reason, objection.detail, caller.sources)
        if not isinstance(event.decoded, dict):
            detail = "an event must be a JSON object"
            return refuse(event.decoded, Reason.BAD_ENVELOPE, detail, caller.sources)
        return quick_check(event.decoded, caller, now, self._knowledge) or check(
            event.decoded, caller, now, self._knowledge
        )

    async def _rejected(
        self, refusals: Sequence[Refusal], caller: Principal, now: datetime
    ) -> list[Record]:
        if not refusals:
            return []
        return await asyncio.to_thread(
            records,
            refusals,
            caller=caller,
            rejected_at=now,
            public_key=self._sealing_key,
        )

    async def _note(self, accepted: Sequence[Accepted]) -> None:
        if self._receipts is not None:
            await self._receipts.note(accepted)

    def _count(self, outcome: Outcome, caller: Principal) -> None:
        self._metrics.accepted(outcome.accepted)
        for refusal in outcome.refusals:
            self._metrics.rejected(refusal.verdict, caller)
        self._pauses.note(
            caller,
            accepted=[event.source for event in outcome.accepted],
            refused=[refusal.verdict.source for refusal in outcome.refusals],
        )
