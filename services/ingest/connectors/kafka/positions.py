"""Where to read on in each partition, and what is gone. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, RootModel

from services.ingest.connectors.connector import Cursor, position_in


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read on, by partition.

    `gone` counts the offsets that the topic's retention has removed before they were read.
    `again` names the partitions that end before the cursor: the topic was made anew, or its end was
    lost, so they are read from the beginning.
    """

    positions: dict[int, int]
    gone: dict[int, int]
    again: list[int]


class _Offsets(RootModel[dict[Annotated[str, Field(pattern=r"^[0-9]+$")], int]]):
    """The cursor: by partition the next offset."""

    model_config = ConfigDict(strict=True)


def offsets_of(cursor: Cursor | None) -> dict[str, int] | None:
    """Read a cursor.

    Raises:
        SourceError: it is not of this kind of connector.
    """
    return None if cursor is None else position_in(cursor, _Offsets, "kafka").root


def start(
    cursor: Mapping[str, int] | None, earliest: Mapping[int, int], ends: Mapping[int, int]
) -> Start:
    """Where to read on.

    Args:
        cursor: the next offset of each partition, as kept; one it lacks is read from the beginning.
        earliest: the first offset that each partition has.
        ends: the offset after the last of each.
    """
    found = Start({}, {}, [])
    for partition, first in earliest.items():
        kept = (cursor or {}).get(str(partition))
        if kept is None or first <= kept <= ends[partition]:
            found.positions[partition] = first if kept is None else kept
            continue
        found.positions[partition] = first
        if kept < first:
            found.gone[partition] = first - kept
        else:
            found.again.append(partition)
    return found
