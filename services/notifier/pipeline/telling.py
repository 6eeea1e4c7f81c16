"""Write letters: about one unit to it, about many to who is told of many, when the stages let it.

A letter, its deliveries and the marks on its alerts are one transaction: nothing is sent that is
not in the log, and nothing is told that has no letter. What is told, when and to whom is decided in
`core/stages.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Final

import asyncpg
import structlog

from contracts.times import local_day
from services.chassis.failpoints import failpoint
from services.notifier.core.causes import Domain
from services.notifier.core.inhibition import hushing
from services.notifier.core.letter import UNIT_PREFIX
from services.notifier.core.passage import Bound, Plan, Planned, Terms
from services.notifier.core.route import Route
from services.notifier.core.stages import gather, plan, together
from services.notifier.core.stop import Stop
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.writing import compose
from services.notifier.receivers.reading import Receivers
from services.notifier.routing import Routing
from services.notifier.stationery import PLAIN, Stationery
from services.notifier.store import Turn, alerts, deliveries, take_turn, told, works
from services.notifier.store.deliveries import Addressee
from services.notifier.store.works import NOTIFIER, Work

_UNITS_AT_ONCE: Final = 200
#: A look that took long is not repeated at once: looking takes at most a tenth of the time. What
#: writing letters takes does not count, or many letters would put off the next ones.
_SHORT_LOOK: Final = timedelta(milliseconds=250)
_REST_FACTOR: Final = 9


@dataclass(frozen=True, slots=True)
class _Day:
    """What holds for one day: audiences that exist, and units that have units below.

    `shared` are the audiences that are told of many units.
    """

    today: date
    audiences: frozenset[str]
    shared: tuple[str, ...]
    upper: tuple[str, ...]


class Telling:
    """The planner of messages."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        domain: Domain,
        receivers: Receivers,
        routing: Routing,
        metrics: NotifierMetrics,
        *,
        stationery: Stationery = PLAIN,
        on_written: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_written` is told whenever a letter may have come into the log."""
        self._pool = pool
        self._domain = domain
        self._receivers = receivers
        self._routing = routing
        self._metrics = metrics
        self._stationery = stationery
        self._on_written = on_written
        self._longest = _longest_interval(routing.root)
        self._day: _Day | None = None
        self._rests_until: datetime | None = None
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Write every letter that is due."""
        if self._rests_until is not None and now < self._rests_until:
            return
        looked = 0.0
        stopped: Counter[Stop] = Counter()
        raised: dict[str, list[str]] = defaultdict(list)
        shared: list[Bound] = []
        after = ""
        while True:
            started = perf_counter()
            async with self._pool.acquire() as connection:
                terms = await self._terms(connection, now)
                found = await told.page(connection, after, _UNITS_AT_ONCE)
                records = await told.records(connection, found, now - self._longest)
            plans = {area: plan(some, records[area], terms, now) for area, some in found.items()}
            looked += perf_counter() - started
            for area, planned in plans.items():
                stopped.update(reason for _, reason in planned.stopped)
                shared += planned.shared
                for letter in planned.letters:
                    if letter.kind == "escalation":
                        raised[letter.audience].append(area)
                if any(letter.kind != "escalation" for letter in planned.letters):
                    await self._tell(area, now)
            if len(found) < _UNITS_AT_ONCE:
                break
            after = max(found)
        for audience, areas in raised.items():
            await self._raise(audience, areas, now)
        stopped.update(await self._tell_shared(shared, terms, now))
        for reason in Stop:
            self._metrics.alerts_held.labels(reason.value).set(stopped[reason])
        took = timedelta(seconds=looked)
        self._rests_until = now + _REST_FACTOR * took if took > _SHORT_LOOK else None

    async def _terms(self, connection: asyncpg.Connection, now: datetime) -> Terms:
        if self._day is None or self._day.today != local_day(now):
            self._day = self._of_day(local_day(now))
        return Terms(
            domain=self._domain,
            routes=self._routing.root,
            audiences=self._day.audiences,
            hours=self._routing.hours,
            hushing=hushing(await told.hushing(connection, self._day.upper)),
            silences=await works.silences(connection, now, state="active"),
            raised=await told.raised(connection, now - self._longest),
            shared=await told.shared(connection, self._day.shared, now - self._longest),
        )

    def _of_day(self, today: date) -> _Day:
        """Who exists on a day: a unit that has ended is told nothing any more."""
        areas = self._domain.areas.on(today)
        units = {f"{UNIT_PREFIX}{area.area_id}" for area in areas}
        audiences = frozenset(
            one
            for one in self._receivers.audiences
            if not one.startswith(UNIT_PREFIX) or one in units
        )
        shared = sorted(one for one in audiences if not one.startswith(UNIT_PREFIX))
        upper = {area.parent_id for area in areas if area.parent_id is not None}
        return _Day(today, audiences, tuple(shared), tuple(sorted(upper)))

    async def _tell(self, area: str, now: datetime) -> None:
        """Tell a unit, and who else is told of it alone, what is due about it."""

        def due(plans: Sequence[Plan], _: Terms) -> Sequence[Planned]:
            return [one for one in _letters(plans) if one.kind != "escalation"]

        await self._log_letters([area], due, now)

    async def _raise(self, audience: str, areas: Sequence[str], now: datetime) -> None:
        """Tell a unit above of all units that do not answer, in one letter."""

        def due(plans: Sequence[Plan], _: Terms) -> Sequence[Planned]:
            raised = [
                one
                for one in _letters(plans)
                if one.kind == "escalation" and one.audience == audience
            ]
            return [together(raised)] if raised else []

        await self._log_letters(areas, due, now)

    async def _tell_shared(
        self, shared: Sequence[Bound], terms: Terms, now: datetime
    ) -> Iterator[Stop]:
        """Tell who is told of many units, each once; why what is not told is not."""
        gathered = gather(shared, terms, now)
        for audience in dict.fromkeys(letter.audience for letter in gathered.letters):
            about = {one.alert.key.area for one in shared if one.audience == audience}
            await self._tell_of_many(audience, sorted(about), now)
        return (reason for _, reason in gathered.stopped)

    async def _tell_of_many(self, audience: str, areas: Sequence[str], now: datetime) -> None:
        """Tell one audience of all units that it is to hear of, in one letter."""

        def due(plans: Sequence[Plan], terms: Terms) -> Sequence[Planned]:
            shared = [one for found in plans for one in found.shared if one.audience == audience]
            return gather(shared, terms, now).letters

        await self._log_letters(areas, due, now)

    async def _log_letters(
        self,
        areas: Sequence[str],
        due: Callable[[Sequence[Plan], Terms], Sequence[Planned]],
        now: datetime,
    ) -> None:
        """Write the letters that are due by what is planned about units, in one transaction."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await take_turn(connection, Turn.TELL):
                return
            # Look again under the lock: another process may have told it meanwhile.
            for letter in due(*await self._plans(connection, areas, now)):
                await self._write(connection, letter)
            failpoint("letter.before-commit")
        failpoint("letter.after-commit")
        self._on_written()

    async def _plans(
        self, connection: asyncpg.Connection, areas: Sequence[str], now: datetime
    ) -> tuple[list[Plan], Terms]:
        """What is due about units, each looked at as it stands."""
        firing = await told.of_areas(connection, areas)
        records = await told.records(connection, firing, now - self._longest)
        terms = await self._terms(connection, now)
        return [plan(some, records[area], terms, now) for area, some in firing.items()], terms

    async def _write(self, connection: asyncpg.Connection, planned: Planned) -> None:
        letter = await compose(connection, planned, self._domain, self._stationery)
        title = self._receivers.title(planned.audience)
        if title is not None:
            letter = letter.model_copy(update=title.addressed)
        receivers = self._receivers.of(planned.audience)
        message = await deliveries.log_letter(
            connection, letter, [Addressee(one.kind, one.name) for one in receivers]
        )
        told_now = [alert.id for alert in planned.alerts]
        if planned.kind == "escalation":
            for alert in told_now:
                await works.record(
                    connection,
                    Work("escalated", planned.at, NOTIFIER, planned.audience),
                    alert=alert,
                )
        else:
            await alerts.mark_told(connection, told_now, planned.at)
        self._log.info(
            "a letter is written",
            message=str(message),
            audience=planned.audience,
            area=letter.area,
            kind=planned.kind,
            alerts=len(told_now),
            receivers=len(receivers),
        )


def _letters(plans: Sequence[Plan]) -> list[Planned]:
    return [letter for found in plans for letter in found.letters]


def _longest_interval(route: Route) -> timedelta:
    """How far back the last message to an audience matters."""
    policy = route.policy
    own = max(policy.group_interval, policy.repeat_interval)
    return max([own, *map(_longest_interval, route.branches)])
