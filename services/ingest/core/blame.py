"""Which field of an event a refusal is about, for reports that have a column for it."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.reasons import Reason

#: Faults of several fields follow one another: ``data.level: …; data.activated: …``.
_DATA: Final = re.compile(r"(?:^|; )data\.([a-z0-9_]+)")
_COLUMN: Final = re.compile(r"column ([a-z0-9_]+):")
_FIRST_WORD: Final = re.compile(r"(?:the )?([a-z_]+)\b")
_ATTRIBUTES: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
)
_BY_REASON: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.UNKNOWN_TYPE: "type",
        Reason.BAD_DATA: "data",
        Reason.BAD_SUBJECT: "subject",
        Reason.BAD_TIME: "time",
        Reason.UNKNOWN_AREA: "area",
        Reason.SOURCE_NOT_ALLOWED: "source",
    }
)


def field_at_fault(reason: Reason, detail: str) -> str | None:
    """The field that a refusal names, several parted by commas; None when it is about none."""
    column = _COLUMN.match(detail)
    if column is not None:
        return column[1]
    fields = _DATA.findall(detail)
    if fields:
        return ", ".join(dict.fromkeys(fields))
    if reason is Reason.SOURCE_NOT_ALLOWED:
        return "type" if "domain" in detail else "source"
    word = _FIRST_WORD.match(detail)
    if word is not None and word[1] in _ATTRIBUTES:
        return word[1]
    return _BY_REASON.get(reason)
