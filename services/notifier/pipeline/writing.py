"""Put a letter together: its alerts with their figures, and the words for whom it goes to."""

from dataclasses import replace

import asyncpg

from services.notifier.core import wording
from services.notifier.core.agency import agency_of
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.letter import (
    OPERATORS,
    OPERATORS_EN,
    OPERATORS_VI,
    UNIT_PREFIX,
    Letter,
    audience_of,
    write,
    write_above,
)
from services.notifier.core.route import GROUP_PREFIX
from services.notifier.core.stages import Planned
from services.notifier.links import Links
from services.notifier.store.background import background_for, figures_for


async def compose(
    connection: asyncpg.Connection, planned: Planned, domain: Domain, links: Links
) -> Letter:
    """Write the letter that is planned.

    Raises:
        LookupError: the unit of its alerts is not known.
    """
    now = planned.at
    firing = [
        replace(alert, reason=Reason.PROMISE_BROKEN) if alert.id in planned.broken else alert
        for alert in planned.alerts
    ]
    area = firing[0].key.area
    above = domain.areas.get(planned.audience.removeprefix(UNIT_PREFIX))
    if above is not None and any(alert.key.area != area for alert in firing):
        page = links.page(above.area_id)
        return write_above(firing, above, domain, now=now, page_url=page)
    letter = write(
        firing,
        await figures_for(connection, firing, domain, now),
        domain,
        is_reminder=planned.kind == "reminder",
        now=now,
        background=replace(
            await background_for(connection, planned.audience, firing),
            page_url=links.page(area),
            acknowledge_url=links.acknowledge(planned.audience, area, now),
        ),
    )
    if planned.audience == audience_of(firing[0]):
        days = planned.patience.days if planned.patience is not None else None
        return letter.model_copy(update={"patience_days": days})
    return letter.model_copy(update=_readdressed(planned, domain))


def _readdressed(planned: Planned, domain: Domain) -> dict[str, str]:
    """For whom it goes to when that is not whom its alerts are about."""
    update = {"audience": planned.audience}
    if planned.audience == OPERATORS:
        return update | {"addressee": OPERATORS_VI, "addressee_en": OPERATORS_EN}
    if planned.audience.startswith(GROUP_PREFIX):
        name = planned.audience.removeprefix(GROUP_PREFIX)
        return update | {"addressee": name, "addressee_en": name}
    agency = agency_of(planned.audience, domain.agencies)
    if agency is not None:
        return update | {"addressee": agency.name, "addressee_en": agency.name}
    reader = domain.areas.get(planned.audience.removeprefix(UNIT_PREFIX))
    if reader is not None:
        update |= {
            "addressee": wording.office(reader),
            "addressee_en": wording.office_en(reader),
            "escalated_to": reader.name,
        }
    return update
