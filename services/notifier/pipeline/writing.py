"""Put a letter together: its alerts with their figures, and the words for whom it goes to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg

from services.notifier.core import wording
from services.notifier.core.agency import agency_of
from services.notifier.core.alert import SOURCE_PREFIX, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.joint import over_all, since_last, write_above, write_units
from services.notifier.core.letter import (
    OPERATORS,
    OPERATORS_EN,
    OPERATORS_VI,
    UNIT_PREFIX,
    Letter,
    audience_of,
    write,
)
from services.notifier.core.parts import LetterAlert
from services.notifier.core.passage import Planned
from services.notifier.core.route import GROUP_PREFIX
from services.notifier.links import Links
from services.notifier.stationery import Stationery
from services.notifier.store import figures
from services.notifier.store.background import background_for, background_shared, figures_for


async def compose(
    connection: asyncpg.Connection, planned: Planned, domain: Domain, stationery: Stationery
) -> Letter:
    """Write the letter that is planned.

    Raises:
        LookupError: the unit of its alerts is not known.
    """
    firing = [
        replace(alert, reason=Reason.PROMISE_BROKEN) if alert.id in planned.broken else alert
        for alert in planned.alerts
    ]
    letter = await _written(connection, planned, firing, domain, stationery.links)
    heard = await figures.feeds(connection) if letter.sources else {}
    parts = [
        one.model_copy(update={"promised_on": planned.broken.get(one.id)}) for one in letter.alerts
    ]
    return letter.model_copy(
        update={
            "alerts": tuple(
                one if one.kind != "source-silent" else _since_heard(one, heard, domain)
                for one in parts
            ),
            "contact": None if letter.is_for_operators else stationery.contact,
        }
    )


async def _written(
    connection: asyncpg.Connection,
    planned: Planned,
    firing: Sequence[Alert],
    domain: Domain,
    links: Links,
) -> Letter:
    now, audience = planned.at, planned.audience
    is_shared = not audience.startswith(UNIT_PREFIX)
    areas = list(dict.fromkeys(alert.key.area for alert in firing))
    if len(areas) > 1 and not is_shared:
        above = domain.areas[audience.removeprefix(UNIT_PREFIX)]
        page = links.page(above.area_id)
        return write_above(firing, above, domain, now=now, page_url=page)
    about = over_all(areas, domain.areas)
    background = (
        await background_shared(connection, audience, firing)
        if is_shared
        else await background_for(connection, audience, firing)
    )
    background = replace(
        background,
        page_url=links.page(about),
        acknowledge_url=links.acknowledge(audience, about, now),
    )
    is_reminder = planned.kind == "reminder"
    if len(areas) > 1:
        letter = write_units(
            firing, audience, domain, is_reminder=is_reminder, now=now, background=background
        )
    else:
        letter = write(
            firing,
            await figures_for(connection, firing, domain, now),
            domain,
            is_reminder=is_reminder,
            now=now,
            background=background,
        )
    if is_shared:
        letter = letter.model_copy(update={"since": since_last(letter, background, domain)})
    if audience == audience_of(firing[0]):
        days = planned.patience.days if planned.patience is not None else None
        return letter.model_copy(update={"patience_days": days})
    return letter.model_copy(update=_readdressed(audience, domain))


def _since_heard(one: LetterAlert, heard: Mapping[str, datetime], domain: Domain) -> LetterAlert:
    """What is known of a silent feed: when it was heard last, and how long it may be silent."""
    feed = one.indicator.removeprefix(SOURCE_PREFIX)
    limit = domain.longest_silence(feed)
    return one.model_copy(
        update={
            "heard_at": heard.get(feed),
            "silent_after": int(limit.total_seconds()) if limit is not None else None,
        }
    )


def _readdressed(audience: str, domain: Domain) -> dict[str, str]:
    """For whom it goes to when that is not whom its alerts are about."""
    update = {"audience": audience}
    if audience == OPERATORS:
        return update | {"addressee": OPERATORS_VI, "addressee_en": OPERATORS_EN}
    if audience.startswith(GROUP_PREFIX):
        name = audience.removeprefix(GROUP_PREFIX)
        return update | {"addressee": name, "addressee_en": name}
    agency = agency_of(audience, domain.agencies)
    if agency is not None:
        return update | {"addressee": agency.name, "addressee_en": agency.name}
    reader = domain.areas.get(audience.removeprefix(UNIT_PREFIX))
    if reader is not None:
        update |= {
            "addressee": wording.office(reader),
            "addressee_en": wording.office_en(reader),
            "escalated_to": reader.name,
        }
    return update
