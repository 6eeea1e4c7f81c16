"""Judge figures against their pace, and write what becomes of alerts.

Changed figures and pending alerts are judged every few seconds, all figures at intervals and on
each new local day: the pace moves and sources fall silent without an event. One process at a time
evaluates; alerts, and the events that tell of them, are written in one transaction with the marks
of what has been judged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Final

import asyncpg

from contracts.areas import Area
from contracts.times import local_day
from contracts.updates import Basis
from services.chassis.failpoints import failpoint
from services.notifier.core.alert import (
    NOBODY,
    SOURCE_PREFIX,
    Alert,
    Step,
    advance,
)
from services.notifier.core.causes import Domain
from services.notifier.core.course import Course
from services.notifier.core.decide import decide_ended, decide_silence, decide_unjudged
from services.notifier.core.figure import Figure, FigureKey, is_fresh, is_judged
from services.notifier.core.judging import Criteria, Judgement, judge
from services.notifier.metrics import NotifierMetrics
from services.notifier.rules import Rules
from services.notifier.store import Turn, alerts, await_turn, courses, figures, take_turn

_CHUNK: Final = 2_000
_START: Final = FigureKey("", "", "events")
_NO_COURSE: Final = Course()
_SILENCE_BASIS: Final[Basis] = "events"


@dataclass(frozen=True, slots=True)
class _Moment:
    """What all judgements of one transaction share."""

    now: datetime
    today: date
    heard: dict[str, datetime]


class Evaluating:
    """The evaluation, step by step."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        domain: Domain,
        rules: Rules,
        metrics: NotifierMetrics,
        *,
        full_pass_every: timedelta,
    ) -> None:
        self._pool = pool
        self._domain = domain
        self._rules = rules
        self._metrics = metrics
        self._full_pass_every = full_pass_every
        self._full_pass_at: datetime | None = None

    async def step(self, now: datetime) -> None:
        """Judge what has changed; and everything, when it is time for that."""
        started = perf_counter()
        await self._changed(now)
        self._metrics.evaluation.labels("changed").observe(perf_counter() - started)
        if self._is_full_pass_due(now):
            started = perf_counter()
            await self._everything(now)
            self._full_pass_at = now
            self._metrics.evaluation.labels("all").observe(perf_counter() - started)

    def _is_full_pass_due(self, now: datetime) -> bool:
        last = self._full_pass_at
        return (
            last is None or now - last >= self._full_pass_every or local_day(last) != local_day(now)
        )

    async def _changed(self, now: datetime) -> None:
        more = True
        last = _START
        while more:
            async with self._pool.acquire() as connection, connection.transaction():
                if not await take_turn(connection, Turn.EVALUATE):
                    return
                taken = await figures.take_changed(connection, last, _CHUNK)
                if not taken:
                    break
                await self._judge(connection, taken, now)
                failpoint("alerts.before-commit")
            failpoint("alerts.after-commit")
            more = len(taken) == _CHUNK
            # In the order of keys, for the index still holds those that were taken before.
            last = max(figure.key for figure in taken)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await take_turn(connection, Turn.EVALUATE):
                return
            await self._judge_feeds(connection, now)
            await self._end_reports(connection, local_day(now), now)
            pending = [alert.key for alert in await alerts.pending(connection)]
            await self._judge(
                connection, (await figures.of_keys(connection, pending)).values(), now
            )

    async def _everything(self, now: datetime) -> None:
        last = _START
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                # Waits, since another process that comes between two pages must not end the pass.
                await await_turn(connection, Turn.EVALUATE)
                page = await figures.after(connection, last, _CHUNK)
                await self._judge(connection, page, now)
            if len(page) < _CHUNK:
                return
            last = page[-1].key

    async def _judge(
        self, connection: asyncpg.Connection, some: Iterable[Figure], now: datetime
    ) -> None:
        moment = _Moment(now, local_day(now), await figures.feeds(connection))
        chosen = list(some)
        keys = [figure.key for figure in chosen]
        held = await alerts.open_of_keys(connection, keys)
        known = await courses.of_keys(connection, keys)
        kept: dict[FigureKey, Course] = {}
        steps = []
        for figure in chosen:
            before = known.get(figure.key, _NO_COURSE)
            step, course = self._judge_one(figure, held.get(figure.key), before, moment)
            steps.append(step)
            if course is not before:
                kept[figure.key] = course
        await courses.save(connection, kept)
        await alerts.apply(connection, _worth_writing(steps, held))

    def _judge_one(
        self, figure: Figure, alert: Alert | None, course: Course, moment: _Moment
    ) -> tuple[Step | None, Course]:
        """What becomes of the alert about a figure, and what is kept of the figure's past."""
        key = figure.key
        area = self._domain.areas.get(key.area)
        if area is not None and not area.is_valid(moment.today):
            step = self._end(key, alert, moment.now) if alert is not None else None
            return step, course
        criteria = self._criteria(key, area)
        if criteria is None:
            # No unit or no target (any more): only an alert of former times is to be decided.
            judgement = Judgement(decide_unjudged(alert.held), NOBODY, course) if alert else None
        else:
            feeds = self._domain.catalogue.feeds_of(criteria.indicator)
            fresh = is_fresh(figure, feeds, moment.heard, self._rules.freshness, moment.now)
            held = alert.held if alert is not None else None
            judgement = judge(held, figure, course, criteria, fresh=fresh, now=moment.now)
        if judgement is None:
            return None, course
        decision, stands = judgement.decision, judgement.standing
        self._metrics.judgements.labels(decision.reason.value).inc()
        step = advance(alert, decision, kind="pace", key=key, standing=stands, now=moment.now)
        return step, judgement.course

    def _criteria(self, key: FigureKey, area: Area | None) -> Criteria | None:
        """What a figure is judged by; None where there is no unit, indicator or target for it."""
        indicator = self._domain.catalogue.by_id.get(key.indicator)
        if indicator is None or area is None:
            return None
        aims = self._rules.aims(indicator, area)
        if not is_judged(indicator, key.basis, aims):
            return None
        return Criteria(indicator, area.level, aims, self._rules.rule(indicator.id, area.area_id))

    def _end(self, key: FigureKey, alert: Alert | None, now: datetime) -> Step | None:
        """What becomes of the alert of a unit that exists no more."""
        decision = decide_ended(alert.held if alert is not None else None)
        self._metrics.judgements.labels(decision.reason.value).inc()
        kind = alert.kind if alert is not None else "pace"
        return advance(alert, decision, kind=kind, key=key, standing=NOBODY, now=now)

    async def _judge_feeds(self, connection: asyncpg.Connection, now: datetime) -> None:
        heard = await figures.feeds(connection)
        held = await alerts.open_of_kind(connection, "source-silent")
        root = self._root(local_day(now))
        # A province may end as well: what stood under its name is ended, and stands under the next.
        steps = [self._end(key, alert, now) for key, alert in held.items() if key.area != root]
        for feed, heard_at in heard.items():
            key = FigureKey(root, SOURCE_PREFIX + feed, _SILENCE_BASIS)
            alert = held.get(key)
            decision = decide_silence(
                alert.held if alert is not None else None,
                heard_at,
                self._rules.freshness.limit(feed),
                now,
            )
            steps.append(
                advance(alert, decision, kind="source-silent", key=key, standing=NOBODY, now=now)
            )
        await alerts.apply(connection, _worth_writing(steps, held))

    async def _end_reports(
        self, connection: asyncpg.Connection, today: date, now: datetime
    ) -> None:
        """Nothing is asked any more of a unit that exists no more."""
        held = await alerts.open_of_kind(connection, "report")
        ended = {area.area_id for area in self._domain.areas if not area.is_valid(today)}
        steps = [self._end(key, alert, now) for key, alert in held.items() if key.area in ended]
        await alerts.apply(connection, _worth_writing(steps, held))

    def _root(self, today: date) -> str:
        """The province: what is about a whole feed stands at the top of the tree."""
        return next(area.area_id for area in self._domain.areas.on(today) if area.parent_id is None)


def _worth_writing(steps: Iterable[Step | None], held: dict[FigureKey, Alert]) -> Sequence[Step]:
    """Leave out what would write an alert as it already stands."""
    return [
        step
        for step in steps
        if step is not None and (step.dropped or held.get(step.alert.key) != step.alert)
    ]
