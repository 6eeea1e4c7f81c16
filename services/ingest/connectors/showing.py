"""Abridges a cursor for whoever looks at it: some hold thousands of digests. Pure."""

from itertools import islice
from typing import Any, Final

from services.ingest.connectors.connector import Cursor

#: As many as a topic of ours has partitions, unless it is set otherwise.
MOST_MEMBERS: Final = 12
MOST_LETTERS: Final = 80
_LEVELS: Final = 3


def shown(cursor: Cursor | None) -> Any:
    """The beginning of a cursor and how much more there is; a short one as it is."""
    return _shown(cursor, _LEVELS)


def _shown(value: Any, levels: int) -> Any:
    if isinstance(value, str) and len(value) > MOST_LETTERS:
        return value[:MOST_LETTERS] + "…"
    if not isinstance(value, dict | list) or not value:
        return value
    if levels == 0:
        return f"{len(value):,} members"
    more = len(value) - MOST_MEMBERS
    if isinstance(value, dict):
        first = {
            _shown(name, 0): _shown(member, levels - 1)
            for name, member in islice(value.items(), MOST_MEMBERS)
        }
        return first | ({"…": f"{more:,} more"} if more > 0 else {})
    members = [_shown(member, levels - 1) for member in value[:MOST_MEMBERS]]
    return members + ([f"… {more:,} more"] if more > 0 else [])
