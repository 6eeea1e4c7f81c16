"""The quick twin of the contract's models: most records, read in a fraction of the time.

The twin is generated from the JSON Schemas of the models, so it follows the contract by itself. It
only ever says yes: what it cannot read, it leaves to the models, which refuse it with a reason or
know better. A property test holds the two equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

import msgspec

from contracts.events import EVENT_MODELS, MAX_ID_LENGTH, Data, domain_of
from contracts.subjects import SubjectKind


class Envelope(msgspec.Struct, gc=False):
    """The attributes, with data still unread."""

    specversion: Literal["1.0"]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_LENGTH)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    type: str
    subject: Annotated[str, msgspec.Meta(max_length=128)]
    time: str
    data: msgspec.Raw
    datacontenttype: Literal["application/json"] = "application/json"


@dataclass(frozen=True, slots=True)
class Twin:
    """Reads the data of one event type."""

    domain: str
    kinds: tuple[SubjectKind, ...]
    _decode: Callable[[msgspec.Raw], dict[str, Any]]
    _dates: tuple[str, ...]

    def read(self, data: msgspec.Raw) -> dict[str, Any] | None:
        """The listed fields of data; None where the models must look."""
        try:
            sent = self._decode(data)
            for name in self._dates:
                _check_day(sent[name])
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        return sent


@lru_cache(maxsize=65_536)
def _check_day(text: str) -> None:
    date.fromisoformat(text)


def _twin(event_type: str) -> Twin | None:
    """The twin of an event type, or None when its schema asks for more than a twin can tell."""
    model = EVENT_MODELS[event_type]
    data = model.model_fields["data"].annotation
    if not (isinstance(data, type) and issubclass(data, Data)):
        raise TypeError(f"the data of {event_type} is not a Data model")
    schema: Mapping[str, Any] = data.model_json_schema()
    required = set(schema.get("required", ()))
    fields: dict[str, Any] = {}
    for name, rule in schema["properties"].items():
        found = _type_of(rule)
        if found is None:
            return None
        fields[name] = found if name in required else NotRequired[found]
    dates = tuple(n for n, rule in schema["properties"].items() if rule.get("format") == "date")
    if not set(dates) <= required:
        return None
    decoder = msgspec.json.Decoder(TypedDict(f"_{data.__name__}", fields))  # type: ignore[operator]
    return Twin(domain_of(event_type), model.subject_kinds, decoder.decode, dates)


def _type_of(rule: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - a table, a form a line
    match rule:
        case {"const": value}:
            return Literal[value]
        case {"enum": values}:
            return Literal[tuple(values)]
        case {"type": "boolean"}:
            return bool
        case {"type": "integer", "minimum": lowest, "maximum": highest}:
            return Annotated[int, msgspec.Meta(ge=lowest, le=highest)]
        case {"type": "string", "format": "date"}:
            return Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
        case {"type": "string", "pattern": str(pattern)} if set(rule) <= _PATTERN_KEYS:
            # For Python's `$` a line may end before its end.
            return Annotated[str, msgspec.Meta(pattern=pattern.removesuffix("$") + r"\Z")]
        case {"anyOf": [{"type": "boolean"}, {"type": "null"}]}:
            return bool | None
    return None


_PATTERN_KEYS: Final = {"type", "pattern", "title", "description"}
#: Reads the attributes of a record, or raises ``msgspec.DecodeError`` where the models must look.
read_envelope: Final = msgspec.json.Decoder(Envelope).decode

#: Event types that have a twin; the others are read by their models.
TWINS: Final = {name: twin for name in EVENT_MODELS if (twin := _twin(name)) is not None}
