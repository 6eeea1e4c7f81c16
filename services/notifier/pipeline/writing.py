"""Put a letter together: its alerts with their figures, and the words for whom it goes to."""

from dataclasses import replace
from datetime import datetime

import asyncpg

from services.notifier.core import wording
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.letter import UNIT_PREFIX, Letter, audience_of, write
from services.notifier.core.stages import Planned
from services.notifier.links import Links
from services.notifier.store.background import background_for, figures_for


async def compose(
    connection: asyncpg.Connection, planned: Planned, domain: Domain, links: Links, now: datetime
) -> Letter:
    """Write the letter that is planned.

    Raises:
        LookupError: the unit of its alerts is not known.
    """
    firing = [
        replace(alert, reason=Reason.PROMISE_BROKEN) if alert.id in planned.broken else alert
        for alert in planned.alerts
    ]
    letter = write(
        firing,
        await figures_for(connection, firing, domain, now),
        domain,
        is_reminder=planned.kind == "reminder",
        now=now,
        background=await background_for(connection, planned.audience, firing, links, now),
    )
    if planned.audience == audience_of(firing[0]):
        return letter
    return letter.model_copy(update=_readdressed(planned, domain))


def _readdressed(planned: Planned, domain: Domain) -> dict[str, str]:
    """For whom it goes to when that is not whom its alerts are about."""
    update = {"audience": planned.audience}
    reader = domain.areas.get(planned.audience.removeprefix(UNIT_PREFIX))
    if reader is not None:
        update |= {
            "addressee": wording.office(reader),
            "addressee_en": wording.office_en(reader),
            "escalated_to": reader.name,
        }
    return update
