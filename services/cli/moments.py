"""How a moment is shown: in the province's local time, as its offices read a clock."""

from typing import Any

from contracts.times import LOCAL_ZONE, parse_rfc3339


def local_time(moment: Any, timespec: str = "seconds") -> str | None:
    """An RFC 3339 moment as local date and time; None for what is no moment.

    `timespec` is the finest part shown, as `datetime.isoformat` names it.
    """
    try:
        local = parse_rfc3339(str(moment)).astimezone(LOCAL_ZONE)
    except ValueError:
        return None
    return local.replace(tzinfo=None).isoformat(" ", timespec)
