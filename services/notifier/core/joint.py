"""Letters about several units: one above about all that do not answer, one to who is told of many.

Each unit has a line, the worst first; the alerts stand in the letter as data.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.areas import Area, Areas
from contracts.times import local_day
from services.notifier.core import wording
from services.notifier.core.alert import Alert
from services.notifier.core.causes import Domain
from services.notifier.core.detail import compared, summary
from services.notifier.core.letter import (
    NO_BACKGROUND,
    UNIT_PREFIX,
    Background,
    Letter,
    worst_first,
)
from services.notifier.core.parts import LetterAlert, LetterSince, LetterUnit


def write_above(
    alerts: Iterable[Alert], above: Area, domain: Domain, *, now: datetime, page_url: str | None
) -> Letter:
    """Write the letter to the unit above about several units that do not answer.

    Raises:
        LookupError: one of the units is not known.
    """
    return Letter(
        audience=f"{UNIT_PREFIX}{above.area_id}",
        area=above.area_id,
        area_name=above.name,
        addressee=wording.office(above),
        addressee_en=wording.office_en(above),
        written_at=now,
        is_reminder=False,
        alerts=tuple(_parts(worst_first(alerts), domain, None, now)),
        page_url=page_url,
        escalated_to=above.name,
    )


def write_units(
    alerts: Iterable[Alert],
    audience: str,
    domain: Domain,
    *,
    is_reminder: bool,
    now: datetime,
    background: Background = NO_BACKGROUND,
) -> Letter:
    """Write the letter about several units to who is told of many; whom to address is left open.

    Raises:
        LookupError: there is no alert, or one of the units is not known.
    """
    ordered = worst_first(alerts)
    about = domain.areas[over_all([one.key.area for one in ordered], domain.areas)]
    return Letter(
        audience=audience,
        area=about.area_id,
        area_name=about.name,
        addressee=audience,
        written_at=now,
        is_reminder=is_reminder,
        alerts=tuple(_parts(ordered, domain, background.last, now)),
        page_url=background.page_url,
        acknowledge_url=background.acknowledge_url,
    )


def over_all(units: Sequence[str], areas: Areas) -> str:
    """The lowest unit that all of these are or lie below; the top of the first, if there is none."""
    lineages = [areas.lineage_upward(one) for one in dict.fromkeys(units)]
    shared = set[str].intersection(*map(set, lineages))
    return next((one for one in lineages[0] if one in shared), lineages[0][-1])


def _parts(
    ordered: Iterable[Alert], domain: Domain, last: Letter | None, now: datetime
) -> Iterable[LetterAlert]:
    today = local_day(now)
    before = {one.id: one for one in last.alerts} if last is not None else {}
    for alert in ordered:
        area = domain.areas[alert.key.area]
        part = summary(alert, domain, today).model_copy(
            update={"area": area.area_id, "area_name": area.name}
        )
        if last is not None and alert.id in before:
            part = compared(part, before[alert.id], last.written_at)
        yield part


def since_last(letter: Letter, background: Background, domain: Domain) -> LetterSince | None:
    """Which units the last letter did not name, and which it named that have caught up."""
    last = background.last
    if last is None:
        return None
    now = dict.fromkeys(map(letter.area_of, letter.alerts))
    named = set(map(last.area_of, last.alerts))
    former: dict[str, list[LetterAlert]] = {}
    for one in last.lagging:
        former.setdefault(last.area_of(one), []).append(one)
    return LetterSince(
        on=last.written_at,
        new=tuple(area for area in now if area not in named),
        recovered=tuple(
            LetterUnit(area=area, area_name=domain.areas[area].name)
            for area, some in former.items()
            if area not in now
            and domain.areas.get(area) is not None
            and all(one.id in background.recovered for one in some)
        ),
    )
