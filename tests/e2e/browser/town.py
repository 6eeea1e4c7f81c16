"""Two invented communes, small enough to know every figure of them by heart.

In the first 30 of 80 adults have a smartphone, so that it lags; in the second 100 of 120. There all
but 5 have an electronic signature: too few to be told, so that words stand there in both.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.events import EVENT_MODELS, TYPE_PREFIX
from contracts.examples import edge_example
from contracts.subjects import SubjectKind
from tests.e2e.hard.stream import Item

COMMUNE: Final = "2025:02647"
NEIGHBOUR: Final = "2025:02671"
PROVINCE: Final = "2025:15"
ADULTS: Final = 80
WITH_PHONE: Final = 30
#: What the province comes to once all of it is counted: an indicator of each source, and how many.
PROVINCE_HAS: Final[Mapping[str, int]] = {
    "ds.smartphone": 130,
    "ds.e-signature": 168,
    "ds.health-record": 173,
    "ds.e-payment-account": 173,
    "ds.online-public-services": 173,
    "ds.digital-skills": 173,
    "dt.soc.1": 40,
    "dt.soc.5": 70,
}

_REGISTERED: Final = f"{TYPE_PREFIX}identity.citizen-registered.v1"
_SIGNED: Final = f"{TYPE_PREFIX}identity.e-signature-changed.v1"
_PHONE: Final = f"{TYPE_PREFIX}telecom.subscription-changed.v1"
_FIRM: Final = f"{TYPE_PREFIX}registry.organisation-changed.v1"
_REPORT: Final = f"{TYPE_PREFIX}report.figures-submitted.v1"
#: What would take people away again.
_LEFT_OUT: Final = frozenset(
    f"{TYPE_PREFIX}identity.{name}.v1"
    for name in ("residence-changed", "citizen-departed", "party-membership-changed")
)
_NEIGHBOURS: Final = 120
#: How many of the neighbours have something that not all of them have.
_HAVE: Final = {_PHONE: 100, _SIGNED: 115}
_FIRMS: Final = 40


def settled(now: datetime) -> Iterator[Item]:
    """Who lives there, what they have, the firms, and a report of last month."""
    kinds = [
        name
        for name, model in EVENT_MODELS.items()
        if model.subject_kinds[0] is SubjectKind.CITIZEN and name not in _LEFT_OUT
    ]
    for name in kinds:
        for number in range(ADULTS):
            if name == _REGISTERED:
                yield _of_citizen(name, number, now, _lives_in(COMMUNE))
            elif number < WITH_PHONE if name == _PHONE else number % 3:
                yield _of_citizen(name, number, now, {})
        for number in range(_HAVE.get(name, _NEIGHBOURS)):
            lives = _lives_in(NEIGHBOUR) if name == _REGISTERED else {}
            yield _of_citizen(name, ADULTS + number, now, lives)
    for number in range(_FIRMS):
        yield _item(_FIRM, now, f"firm-{number}", f"organisation:{number:010}", {})
    month = now.replace(day=1) - timedelta(days=1)
    told = {"indicator": "dt.soc.5", "period": f"{month:%Y-%m}"}
    yield _item(
        _REPORT, now, "report", f"area:{COMMUNE}", told | {"numerator": 70, "denominator": 95}
    )


def more_phones(count: int, now: datetime) -> list[Item]:
    """As many people of the first commune get a smartphone."""
    first = WITH_PHONE
    return [_of_citizen(_PHONE, number, now, {}) for number in range(first, first + count)]


def _lives_in(area: str) -> dict[str, Any]:
    return {"area": area.partition(":")[2]}


def _of_citizen(name: str, number: int, now: datetime, data: Mapping[str, Any]) -> Item:
    return _item(name, now, f"{name}-{number}", f"citizen:000{number:09}", data)


def _item(name: str, now: datetime, event_id: str, subject: str, data: Mapping[str, Any]) -> Item:
    """The contract's example of a type, about somebody else and with other data."""
    event = edge_example(name)
    event |= {"id": event_id, "time": now.isoformat(), "subject": subject}
    event["data"] |= data
    return Item(event["source"], event)
