"""The quick way to a verdict: it accepts most fit events in a fraction of the time.

It only ever says yes. Whatever is not plainly fit (an extension, free text, an odd way to write a
time or an id, and every fault) it leaves to `check`, which is the law and alone refuses. The form
of each type is made from the contract's schema, so it follows the contract by itself; a property
test holds both ways equal, record by record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec

from contracts.areas import Areas
from contracts.events import EVENT_MODELS, MAX_ID_LENGTH, Data, domain_of
from contracts.subjects import PERSONAL_KINDS, SubjectKind, edge_pattern
from contracts.times import FURTHEST_AHEAD, local_day, parse_rfc3339
from contracts.tokens import Principal
from services.ingest.core.check import Knowledge
from services.ingest.core.envelope import JSON, is_uri_reference
from services.ingest.core.identifiers import Identifier
from services.ingest.core.verdicts import Accepted

#: From here on no reading of a time, at whatever offset, shows a day before the contract's first.
_SURELY_LATE: Final = datetime(2000, 1, 3, tzinfo=UTC)
_CITIZEN_DIGITS: Final = 12
_CITIZEN: Final = SubjectKind.CITIZEN.value
_PERSONAL: Final = frozenset(kind.value for kind in PERSONAL_KINDS)


@dataclass(frozen=True, slots=True)
class _Rule:
    domain: str
    form: type[msgspec.Struct]
    """What a fit event looks like; it forbids extensions and ignores unlisted data."""
    fields: frozenset[str]
    days: tuple[str, ...]
    """Fields that hold a date: their form allows 30 February."""


def quick_check(
    raw: Mapping[str, Any], principal: Principal, now: datetime, knowledge: Knowledge
) -> Accepted | None:
    """The acceptance that `check` would give; None where `check` must look."""
    event_type = raw.get("type")
    rule = _RULES.get(event_type) if isinstance(event_type, str) else None
    if rule is None or rule.domain not in principal.domains or not _has_form(raw, rule):
        return None
    event_id, source, subject, data = raw["id"], raw["source"], raw["subject"], raw["data"]
    kind, _, identifier = subject.partition(":")
    moment = _moment(raw["time"], now)
    if (
        moment is None
        or source not in principal.sources
        or not _is_plain(source)
        or not event_id.isprintable()
        or _may_repeat(kind, identifier, event_id, source)
        or not _is_area_known(data, moment, knowledge.areas)
    ):
        return None
    if kind in _PERSONAL:
        subject = f"{kind}:{knowledge.pseudonymiser.pseudonym(subject)}"
    listed = data
    if not data.keys() <= rule.fields:
        listed = {name: data[name] for name in data if name in rule.fields}
    record = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": f"{moment.isoformat()[:-6]}Z",
        "datacontenttype": JSON,
        "data": listed,
    }
    return Accepted(record, moment, rule.domain, len(data) - len(listed))


def _has_form(raw: Mapping[str, Any], rule: _Rule) -> bool:
    try:
        msgspec.convert(raw, rule.form)
        for name in rule.days:
            date.fromisoformat(raw["data"][name])
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _moment(written: str, now: datetime) -> datetime | None:
    try:
        moment = parse_rfc3339(written)
    except ValueError:
        return None
    return moment if moment >= _SURELY_LATE and moment - now <= FURTHEST_AHEAD else None


def _is_area_known(data: Mapping[str, Any], moment: datetime, areas: Areas) -> bool:
    code = data.get("area")
    if code is None:
        return True
    # Where a type does not list it, it may be anything; the law drops it there.
    return isinstance(code, str) and areas.commune(code, local_day(moment)) is not None


def _may_repeat(kind: str, identifier: str, event_id: str, source: str) -> bool:
    """Whether the id or the source may show the identifier; the forms of data leave no room."""
    if kind not in _PERSONAL:
        return False
    if kind != _CITIZEN:
        person = Identifier(identifier)
        return person.appears_in(event_id) or person.appears_in(source)
    compact = event_id.replace("-", "")
    if compact.isalnum() and compact.isascii():
        # Without separators, escapes and other scripts a number has no disguise.
        return identifier in compact
    return Identifier(identifier).appears_in(event_id)


@lru_cache(maxsize=1024)
def _is_plain(source: str) -> bool:
    """Whether this is a source by its form, and has no room for a citizen's number."""
    digits = sum(sign.isdigit() for sign in source)
    return is_uri_reference(source) and "%" not in source and digits < _CITIZEN_DIGITS


def _rule(event_type: str) -> _Rule | None:
    """The rule of an event type, or None when its schema asks for more than a form can tell."""
    model = EVENT_MODELS[event_type]
    data = model.model_fields["data"].annotation
    if not (isinstance(data, type) and issubclass(data, Data)):
        raise TypeError(f"the data of {event_type} is not a Data model")
    schema: Mapping[str, Any] = data.model_json_schema()
    households = SubjectKind.HOUSEHOLD in model.subject_kinds
    required = set(schema.get("required", ()))
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, said in schema["properties"].items():
        found = _type_of(said)
        # A household's code may be any word or number, also one that is a fit value.
        if found is None or (households and name != "area" and said.get("type") != "boolean"):
            return None
        fields.append(
            (name, found) if name in required else (name, found | msgspec.UnsetType, msgspec.UNSET)
        )
    days = tuple(n for n, said in schema["properties"].items() if said.get("format") == "date")
    if not required.issuperset(days):
        return None
    form = msgspec.defstruct(
        f"_{model.__name__}",
        [
            ("specversion", Literal["1.0"]),
            ("id", Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_LENGTH)]),
            ("source", str),
            ("subject", _text(edge_pattern(*model.subject_kinds))),
            ("time", str),
            ("data", msgspec.defstruct(f"_{data.__name__}", fields, kw_only=True, gc=False)),
            ("datacontenttype", Literal["application/json"], JSON),
        ],
        tag_field="type",
        tag=event_type,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )
    return _Rule(domain_of(event_type), form, frozenset(schema["properties"]), days)


def _type_of(said: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - a table, a form a line
    """The type of a field in which no citizen's number can stand; None where one could."""
    match said:
        case {"const": str(value)} if _is_word(value):
            return Literal[value]
        case {"enum": [*values]} if all(map(_is_word, values)):
            return Literal[tuple(values)]
        case {"type": "boolean"}:
            return bool
        case {"type": "integer", "minimum": int(lowest), "maximum": int(highest)} if (
            0 <= lowest <= highest < 10 ** (_CITIZEN_DIGITS - 1)
        ):
            return Annotated[int, msgspec.Meta(ge=lowest, le=highest)]
        case {"type": "string", "format": "date"}:
            return _text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
        case {"type": "string", "pattern": "^[0-9]{5}$"}:  # an area, which is looked up
            return _text("^[0-9]{5}$")
        case {"anyOf": [{"type": "boolean"}, {"type": "null"}]}:
            return bool | None
    return None


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and re.search(r"[0-9]", value) is None


def _text(pattern: str) -> Any:
    # For Python's `$` a text may end with a line's end.
    whole = rf"\A{pattern.removeprefix('^').removesuffix('$')}\Z"
    return Annotated[str, msgspec.Meta(pattern=whole)]


#: Event types that have a quick way; the others take the long one.
_RULES: Final = {name: rule for name in EVENT_MODELS if (rule := _rule(name)) is not None}
