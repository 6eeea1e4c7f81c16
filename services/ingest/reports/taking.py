"""Takes reports in: kept with their events first, then published, then accepted.

A crash at any point loses nothing and doubles nothing. Before the transaction that keeps a report,
nothing has happened; after it, the events wait in the outbox and are published by whoever comes by,
under ids and times that are always the same, so that twice is once.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import structlog

from contracts.forms import compared_with, period_in_words
from contracts.rejected import ConnectorOrigin
from contracts.times import local_day
from contracts.tokens import Principal, Role
from services.chassis.clock import Clock
from services.chassis.failpoints import failpoint
from services.ingest.core.check import Knowledge, check
from services.ingest.core.verdicts import Refused
from services.ingest.periods import receipts
from services.ingest.pipeline import Pipeline
from services.ingest.publisher import BrokerAwayError
from services.ingest.repeating import repeat
from services.ingest.reports import store
from services.ingest.reports.core import checking
from services.ingest.reports.core.events import DOMAIN, SOURCE, events
from services.ingest.reports.core.faults import Code, Fault
from services.ingest.reports.core.figures import Figure
from services.ingest.reports.core.form import Form, NoFormError, Rules, taken_on
from services.ingest.reports.core.sent import Sent
from services.ingest.reports.metrics import ReportMetrics
from services.ingest.reports.sheet import Earlier, draw
from services.ingest.wire import Received

_TICK: Final = timedelta(microseconds=1)
_AREA: Final = "area:"
#: A report that has waited so long is published by whoever finds it.
_GRACE: Final = timedelta(seconds=5)
_EVERY_SECONDS: Final = 5.0


class RefusedError(Exception):
    """A report is not taken; `faults` is everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class File:
    """What came: its media type and bytes."""

    media_type: str
    content: bytes


class Reports:
    """The taking in of reports, and the forms for them."""

    def __init__(
        self,
        *,
        rules: Rules,
        knowledge: Knowledge,
        pool: asyncpg.Pool,
        pipeline: Pipeline,
        metrics: ReportMetrics,
        clock: Clock,
    ) -> None:
        self.rules = rules
        self._knowledge = knowledge
        self._pool = pool
        self._pipeline = pipeline
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def template(self, form: Form) -> bytes:
        """The form as a workbook, with what has been reported before."""
        beside = compared_with(form.period)
        found = await store.figures_of(self._pool, form.reporter.subject, [form.period, *beside])
        version, current = found.get(form.period, (0, {}))
        earlier = [
            Earlier(period_in_words(period), found.get(period, (0, {}))[1]) for period in beside
        ]
        if current:
            earlier.insert(0, Earlier(f"Đã gửi (lần {version})", current))
        return await asyncio.to_thread(draw, form, current, earlier)

    async def take(
        self, sent: Sent, form: Form, file: File, caller: Principal
    ) -> tuple[store.Kept, bool]:
        """Take a report in; returns what is kept, and whether it is a new version.

        The file that made the latest version is that version again: who has lost the answer may
        send once more.

        Raises:
            RefusedError: something is wrong with it; nothing is kept.
            BrokerAwayError: it is kept, and will be accepted once the broker is back.
        """
        kept, is_new = await self._keep(sent, form, file, caller)
        failpoint("reports.kept")
        await self._publish(kept)
        self._metrics.reports.labels("accepted" if is_new else "repeated").inc()
        report = await store.read(self._pool, kept)
        if report is None:
            raise LookupError(f"report {kept} was kept and is gone")
        return report, is_new

    async def figures(self, report: UUID) -> dict[str, Figure]:
        """The figures that hold with a report, by indicator."""
        return await store.figures(self._pool, report)

    async def run(self) -> None:
        """Publish what a crash or an absent broker has left, again and again until cancelled."""
        await repeat("finish reports", self.finish, every_seconds=_EVERY_SECONDS)

    async def finish(self) -> None:
        """Publish every report that has waited for long enough."""
        for report in await store.waiting(self._pool, self._clock.now() - _GRACE):
            try:
                await self._publish(report)
            except BrokerAwayError:
                break
            self._log.info("a report was finished", report=str(report))
        self._metrics.waiting.set(await store.count_waiting(self._pool))

    async def _keep(
        self, sent: Sent, form: Form, file: File, caller: Principal
    ) -> tuple[UUID, bool]:
        """Keep a report as pending; returns its id, and whether it is a new version."""
        subject, sha256 = form.reporter.subject, hashlib.sha256(file.content).digest()
        async with self._pool.acquire() as connection, connection.transaction():
            await store.take_turn(connection, subject, form.period)
            latest = await store.latest(connection, subject, form.period)
            if latest is not None and latest.sha256 == sha256:
                return latest.id, False
            now = self._clock.now()
            late = caller.role is Role.OPERATOR
            if (fault := taken_on(form, local_day(now), also_late=late)) is not None:
                raise RefusedError([fault])
            before = await store.figures(connection, latest.id) if latest is not None else {}
            checked = checking.check(sent, form, before, self._knowledge.indicators)
            if checked.faults:
                raise RefusedError(checked.faults)
            number, submitted = await store.last_version(connection, subject, form.period)
            # A correction's later time wins, also where clocks of two processes disagree.
            moment = now if submitted is None else max(now, submitted + _TICK)
            said = events(form.reporter, form.period, number + 1, moment, checked.figures)
            self._check(said, now)
            new = store.New(
                id=uuid4(),
                reporter=subject,
                period=form.period,
                version=number + 1,
                submitted_at=moment,
                sub=caller.sub,
                role=caller.role,
                media_type=file.media_type,
                sha256=sha256,
                file=file.content,
                figures=checked.figures,
                remarks=checked.remarks,
                events=said,
            )
            await store.keep(connection, new)
            return new.id, True

    def _check(self, said: Sequence[dict[str, object]], now: datetime) -> None:
        """See that the pipeline will take the events, before anything is kept."""
        verdicts = [check(event, _caller("report"), now, self._knowledge) for event in said]
        refused = [verdict.detail for verdict in verdicts if isinstance(verdict, Refused)]
        if refused:
            raise ValueError(f"a checked figure makes a bad event: {refused[0]}")

    async def _publish(self, report: UUID) -> None:
        """Publish a report's events and end its waiting.

        Raises:
            BrokerAwayError: the broker has not acknowledged; it goes on waiting.
        """
        kept = await store.read(self._pool, report)
        if kept is None or kept.state != "pending":
            return
        received = [
            Received(index, json.loads(event), event)
            for index, event in enumerate(await store.events(self._pool, report))
        ]
        outcome = await self._pipeline.take(
            received,
            lambda event: ConnectorOrigin(
                connector="reports", place=f"report {report}, event {event.index + 1}"
            ),
            _caller(kept.sub),
        )
        failpoint("reports.published")
        async with self._pool.acquire() as connection, connection.transaction():
            if outcome.refusals:
                detail = outcome.refusals[0].verdict.detail
                self._log.error("a kept report was refused", report=str(report), detail=detail)
                await store.settle(connection, report, "refused", detail=detail)
                return
            now = self._clock.now()
            if await store.settle(connection, report, "accepted", accepted_at=now):
                await self._receive(connection, kept)

    async def _receive(self, connection: asyncpg.Connection, kept: store.Kept) -> None:
        """Note for the periods what a unit has reported; agencies belong to none."""
        if not kept.reporter.startswith(_AREA):
            return
        await receipts.note(
            connection,
            area_id=kept.reporter.removeprefix(_AREA),
            period=kept.period,
            indicators=sorted(await store.figures(connection, kept.id)),
            version=kept.version,
            received_at=kept.submitted_at,
        )


def find_form(rules: Rules, sent: Sent, area: str | None, period: str | None) -> Form:
    """The form that a report fills in, by what it says itself and what was asked with it.

    Raises:
        RefusedError: neither says it, they disagree, or there is no such form.
    """
    pairs = ((Code.OTHER_REPORTER, sent.area, area), (Code.OTHER_PERIOD, sent.period, period))
    faults = [
        Fault(code, values={"said": said, "asked": asked})
        for code, said, asked in pairs
        if said is not None and asked is not None and said != asked
    ]
    reporter, of_period = area or sent.area, period or sent.period
    if reporter is None or of_period is None:
        faults.append(Fault(Code.NO_REPORTER))
    if faults or reporter is None or of_period is None:
        raise RefusedError(faults)
    try:
        return rules.form(reporter, of_period)
    except NoFormError as error:
        raise RefusedError([error.fault]) from None


def _caller(sub: str) -> Principal:
    """In whose name the events of a report travel: the sender's, as the source of reports."""
    return Principal(
        sub=sub, role=Role.SOURCE, sources=frozenset({SOURCE}), domains=frozenset({DOMAIN})
    )
