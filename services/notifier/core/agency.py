"""Which agency of the province is told of an alert, beside the unit that it is about."""

from typing import Final

from contracts.agencies import Agencies, Agency
from services.notifier.core.alert import Alert
from services.notifier.core.causes import Domain

AGENCY_PREFIX: Final = "agency:"
"""Before the code, in the audience of an agency."""


def agency_told(alert: Alert, domain: Domain) -> str | None:
    """The audience of the agency that answers for the province's figure; None for all else."""
    area = domain.areas.get(alert.key.area)
    if alert.kind != "pace" or area is None or area.level != "province":
        return None
    code = domain.agencies.answering(alert.key.indicator)
    return None if code is None else f"{AGENCY_PREFIX}{code}"


def agency_of(audience: str, agencies: Agencies) -> Agency | None:
    """The agency of an audience; None where the audience is none of an agency, or not known."""
    if not audience.startswith(AGENCY_PREFIX):
        return None
    return agencies.get(audience.removeprefix(AGENCY_PREFIX))
