"""Takes rejections again, through the pipeline, as their callers.

What is accepted is with the broker before its rejection is closed; killed between the two, it is
taken once more, and repeats are harmless. What is refused again makes no new rejection.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import structlog
from joserfc.jwk import ECKey

from contracts.rejected import SealError, unseal
from services.chassis.clock import Clock
from services.chassis.failpoints import failpoint
from services.ingest.core.identifiers import redact
from services.ingest.pipeline import Again, OriginOf, Outcome, Pipeline
from services.ingest.rejecting.mapping import Meaning, NotRetriableError, subjects_of
from services.ingest.rejecting.metrics import RejectionMetrics
from services.ingest.rejecting.rows import fit
from services.ingest.rejecting.showing import masked
from services.ingest.rejecting.store import Rejection, Store, Whole, Work

#: Originals are large and are opened together, so they are taken a few at a time.
_AT_ONCE: Final = 100

_CLOSED: Final = "it has been accepted already, after an earlier retry"
_KEY: Final = (
    "the original cannot be opened: it was sealed for another key than NHIPSO_REJECTIONS__KEY_FILE"
)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one retry. `detail` says what is wrong, or why it cannot be retried."""

    id: UUID
    outcome: Literal["accepted", "refused", "impossible"]
    reason: str | None
    detail: str


class Retrying:
    """Works on rejections, and shows what they were."""

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        meaning: Callable[[], Meaning],
        *,
        private_key: ECKey,
        metrics: RejectionMetrics,
        clock: Clock,
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._meaning = meaning
        self._key = private_key
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def retry(self, ids: Sequence[UUID], by: str) -> list[Result]:
        """Take rejections again; those that are gone are passed over.

        Args:
            ids: of the rejections.
            by: who asks for it, for the record.

        Raises:
            BrokerAwayError: not everything was acknowledged; those that were not closed stay open.
        """
        results: list[Result] = []
        async with self._meaning() as meaning:
            for start in range(0, len(ids), _AT_ONCE):
                wholes = await self._store.read(ids[start : start + _AT_ONCE])
                results += await self._take(wholes, meaning, by)
        return results

    async def original(self, whole: Whole) -> tuple[Any, str]:
        """The masked original as JSON, or None; and why it is not shown."""
        try:
            original = await asyncio.to_thread(unseal, self._key, whole.sealed)
        except SealError:
            return None, _KEY
        async with self._meaning() as meaning:
            try:
                events = await meaning.events(whole, original, await meaning.caller(whole))
            except NotRetriableError:
                events = []
        shown = masked(original, subjects_of(events))
        return shown, "" if shown is not None else "it is no JSON, so no field can be told apart"

    async def _take(self, wholes: Sequence[Whole], meaning: Meaning, by: str) -> list[Result]:
        results: list[Result] = []
        asked: list[tuple[Rejection, Again]] = []
        originals = await asyncio.to_thread(_opened, self._key, wholes)
        for whole, original in zip(wholes, originals, strict=True):
            try:
                asked.append((whole.rejection, await _again(whole, original, meaning)))
            except NotRetriableError as error:
                results.append(Result(whole.rejection.id, "impossible", None, str(error)))
        outcomes = await self._pipeline.take_again([again for _, again in asked])
        failpoint("rejections.before-close")
        answered = [
            _result(rejection, outcome)
            for (rejection, _), outcome in zip(asked, outcomes, strict=True)
        ]
        await self._settle(answered, by)
        for result in (*results, *answered):
            self._metrics.worked.labels(result.outcome).inc()
        return results + answered

    async def _settle(self, results: Sequence[Result], by: str) -> None:
        now = self._clock.now()
        works = [
            Work(
                rejection=one.id,
                done_at=now,
                done_by=by,
                outcome="accepted" if one.outcome == "accepted" else "refused",
                reason=one.reason,
                note=one.detail,
            )
            for one in results
        ]
        await self._store.settle(works)
        accepted = sum(one.outcome == "accepted" for one in results)
        self._log.info("rejections were retried", by=by, retried=len(results), accepted=accepted)


async def _again(whole: Whole, original: bytes | None, meaning: Meaning) -> Again:
    if whole.rejection.state == "accepted":
        raise NotRetriableError(_CLOSED)
    refusal = meaning.refusal(whole.rejection)
    if refusal is not None:
        raise refusal
    if original is None:
        raise NotRetriableError(_KEY)
    caller = await meaning.caller(whole)
    return Again(await meaning.events(whole, original, caller), _always(whole.rejection), caller)


def _opened(key: ECKey, wholes: Sequence[Whole]) -> list[bytes | None]:
    return [_unsealed(key, whole.sealed) for whole in wholes]


def _unsealed(key: ECKey, sealed: str) -> bytes | None:
    try:
        return unseal(key, sealed)
    except SealError:
        return None


def _always(rejection: Rejection) -> OriginOf:
    return lambda _: rejection.origin


def _result(rejection: Rejection, outcome: Outcome) -> Result:
    if outcome.refusals:
        verdict = outcome.refusals[0].verdict
        return Result(rejection.id, "refused", verdict.reason.value, fit(redact(verdict.detail)))
    detail = "" if outcome.accepted else "the mapping makes no event of this record now"
    return Result(rejection.id, "accepted", None, detail)
