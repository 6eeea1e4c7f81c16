"""When something is to happen, counted from the last day of a period."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class OnDay(BaseModel):
    """A day of a month: of the period's last month, or so many months later.

    In a month that is shorter it is the month's last day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: Annotated[int, Field(ge=1, le=31)]
    months_later: Annotated[int, Field(ge=0, le=12)] = 0


#: Days after the last day of a period (before it with a minus), or a day of a month.
When = Annotated[int, Field(ge=-366, le=366)] | OnDay


def resolve(when: int | OnDay, last_day: date) -> date:
    """The day that is meant for a period with this last day."""
    if isinstance(when, int):
        return last_day + timedelta(days=when)
    months = last_day.year * 12 + last_day.month - 1 + when.months_later
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(when.day, monthrange(year, month)[1]))
