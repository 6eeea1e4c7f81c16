"""The message by which an operator tries a receiver: it says that it is a test, and nothing else."""

from datetime import datetime
from typing import Final

from contracts.areas import Area
from services.notifier.core.letter import Letter

AUDIENCE_PREFIX: Final = "test:"
"""Before the receiver's name: a test is of no other audience, so it puts off no letter."""


def audience(receiver: str) -> str:
    """What the log of messages calls the audience of a receiver's tests."""
    return f"{AUDIENCE_PREFIX}{receiver}"


def trial(receiver: str, area: Area, now: datetime) -> Letter:
    """The test of a receiver; `area` is the province, where what is about no unit stands."""
    return Letter(
        audience=audience(receiver),
        area=area.area_id,
        area_name=area.name,
        addressee=receiver,
        written_at=now,
        is_reminder=False,
        alerts=(),
        is_test=True,
    )
