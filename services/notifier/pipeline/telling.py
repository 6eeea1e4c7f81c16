"""Write letters: one an audience, of all that fires there, when the schedule says so.

A letter, its deliveries and the marks on its alerts are one transaction: nothing is sent that is
not in the log, and nothing is told that has no letter.
"""

from datetime import date, datetime

import asyncpg
import structlog

from contracts.times import local_day
from services.chassis.failpoints import failpoint
from services.notifier.core.causes import Domain
from services.notifier.core.letter import OPERATORS, UNIT_PREFIX, write
from services.notifier.core.schedule import Group, Policy, due
from services.notifier.links import NO_LINKS, Links
from services.notifier.receivers.reading import Receivers
from services.notifier.store import Turn, alerts, deliveries, take_turn
from services.notifier.store.background import background_for, figures_for
from services.notifier.store.deliveries import Addressee


class Telling:
    """The planner of messages."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        domain: Domain,
        receivers: Receivers,
        policy: Policy,
        links: Links = NO_LINKS,
    ) -> None:
        self._pool = pool
        self._domain = domain
        self._receivers = receivers
        self._policy = policy
        self._links = links
        self._log = structlog.get_logger(__name__)

    async def step(self, now: datetime) -> None:
        """Write every letter that is due."""
        async with self._pool.acquire() as connection:
            groups = await alerts.groups(connection, self._addressed(local_day(now)))
        for group in groups:
            if due(group, self._policy, now) is not None:
                await self._tell(group.audience, now)

    def _addressed(self, today: date) -> list[str]:
        """The audiences that exist today: a unit that has ended is told nothing any more."""
        units = {f"{UNIT_PREFIX}{area.area_id}" for area in self._domain.areas.on(today)}
        return [one for one in self._receivers.audiences if one == OPERATORS or one in units]

    async def _tell(self, audience: str, now: datetime) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if not await take_turn(connection, Turn.TELL):
                return
            # Look again under the lock: another process may have told it meanwhile.
            group = await self._group(connection, audience)
            kind = due(group, self._policy, now) if group is not None else None
            if kind is None:
                return
            firing = await alerts.firing_of(connection, audience)
            letter = write(
                firing,
                await figures_for(connection, firing, self._domain, now),
                self._domain,
                is_reminder=kind == "reminder",
                now=now,
                background=await background_for(connection, audience, firing, self._links, now),
            )
            addressees = [
                Addressee(receiver.kind, receiver.name) for receiver in self._receivers.of(audience)
            ]
            message = await deliveries.log_letter(connection, letter, addressees)
            await alerts.mark_told(connection, [alert.id for alert in firing], now)
            failpoint("letter.before-commit")
        failpoint("letter.after-commit")
        self._log.info(
            "a letter is written",
            message=str(message),
            audience=audience,
            kind=kind,
            alerts=len(firing),
            receivers=len(addressees),
        )

    async def _group(self, connection: asyncpg.Connection, audience: str) -> Group | None:
        return next(iter(await alerts.groups(connection, [audience])), None)
