"""The rules of a declared mapping, held against the contract when they are read."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from contracts.events import EVENT_MODELS, Data
from contracts.subjects import PERSONAL_KINDS
from services.ingest.core.declared_values import As, Template, TimeForm, column_of, comparable

Scalar = bool | int | float | str | None
_Template = Annotated[InstanceOf[Template], BeforeValidator(Template.parse)]
_FieldName = Annotated[str, Field(min_length=1)]

_STRICT: Final = ConfigDict(frozen=True, extra="forbid", strict=True)


class TimeField(BaseModel):
    """When it happened: a field and how the time is written in it.

    `zone` is for local times and days, Asia/Ho_Chi_Minh if it is left out, and for epoch numbers
    that count the time on the wall.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: _FieldName
    form: TimeForm
    zone: ZoneInfo | None = None

    @model_validator(mode="after")
    def _zone_means_something(self) -> Self:
        if self.zone is not None and self.form == "rfc3339":
            raise ValueError("zone: a time in RFC 3339 has its own offset; leave the zone out")
        return self


class DataField(BaseModel):
    """One field of an event's data.

    A constant, or a field of the row, read `as` something or looked up in `values`.
    """

    model_config = _STRICT

    field: _FieldName | None = None
    read_as: Annotated[As | None, Field(alias="as")] = None
    values: dict[Scalar, Scalar] | None = None
    constant: Scalar = None
    _known: dict[tuple[str, Any], Scalar] = PrivateAttr()

    def model_post_init(self, _: Any, /) -> None:
        """Prepare `values` for looking up."""
        known = (self.values or {}).items()
        self._known = {comparable(value): meaning for value, meaning in known}

    @property
    def known(self) -> Mapping[tuple[str, Any], Scalar]:
        """What `values` says, by comparable value."""
        return self._known

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = self.model_fields_set
        if ("constant" in given) == (self.field is not None):
            raise ValueError("give either field or constant")
        if self.read_as is not None and self.values is not None:
            raise ValueError("give either as or values: values say already what comes out")
        if "constant" in given and given - {"constant"}:
            raise ValueError("a constant needs neither as nor values")
        if self.values is not None and not self.values:
            raise ValueError("values is empty; list what the field may hold")
        return self


class EventRule(BaseModel):
    """One type of event that a row may become."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    when: dict[_FieldName, Annotated[list[Scalar], Field(min_length=1, strict=True)]] = {}
    id: _Template | None = None
    subject: _Template
    time: TimeField
    data: dict[str, DataField]

    @model_validator(mode="after")
    def _fits_the_contract(self) -> Self:
        if self.type not in EVENT_MODELS:
            raise ValueError("type is none of the contract's; GET /v1/schemas lists them")
        self._check_subject()
        fields = fields_of(self.type)
        unknown = sorted(self.data.keys() - fields)
        if unknown:
            raise ValueError(
                f"data.{unknown[0]}: the type has no such field; it has {', '.join(sorted(fields))}"
            )
        for name, info in fields.items():
            if name in self.data:
                _check_values(name, self.data[name], info)
            elif info.is_required():
                raise ValueError(f"data.{name} is required by the type; map it")
        return self

    def _check_subject(self) -> None:
        kind, colon, _ = self.subject.literals[0].partition(":")
        kinds = EVENT_MODELS[self.type].subject_kinds
        if not colon or kind not in kinds:
            raise ValueError(
                f"subject must begin with {' or '.join(f'{each}:' for each in kinds)}; "
                "with several kinds, write one rule for each, with when"
            )
        if kind not in PERSONAL_KINDS:
            return
        for field in self.subject.fields:
            if self.id is not None and field in self.id.fields:
                raise ValueError(
                    f"id uses the field {field}, which identifies the {kind} and may stand in "
                    "subject alone; use another, or leave id out"
                )


class DeclaredMapping(BaseModel):
    """The rules of a table or record type; each rule that fits a row makes one event of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: Annotated[tuple[EventRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        for index, rule in enumerate(self.events):
            for earlier in self.events[:index]:
                if rule.id and rule.id == earlier.id and not _exclude_each_other(rule, earlier):
                    raise ValueError(
                        f"events.{index}.id is the same as an earlier rule's for the same row, and "
                        "an id names one event; put a word of its own into it"
                    )
        return self


def columns_of(rules: Sequence[EventRule]) -> frozenset[str]:
    """The columns, or members of an object, that the rules look at."""
    return frozenset(
        column_of(field)
        for rule in rules
        for field in (
            *rule.when,
            *(rule.id.fields if rule.id else ()),
            *rule.subject.fields,
            rule.time.field,
            *(how.field for how in rule.data.values() if how.field is not None),
        )
    )


def identifying_fields(rules: Sequence[EventRule]) -> frozenset[str]:
    """The columns that identify citizens or households."""
    return frozenset(
        column_of(field)
        for rule in rules
        if rule.subject.literals[0].partition(":")[0] in PERSONAL_KINDS
        for field in rule.subject.fields
    )


def _check_values(name: str, how: DataField, info: FieldInfo) -> None:
    """Object to what a mapping itself writes into the data and the contract does not take."""
    if how.values is not None:
        if not all(
            _takes(info, value) or (value is None and not info.is_required())
            for value in how.values.values()
        ):
            raise ValueError(f"data.{name}.values: the contract does not take one of them")
    elif how.field is None and not _takes(info, how.constant):
        raise ValueError(f"data.{name}.constant: the contract does not take this value")


def _takes(info: FieldInfo, value: Scalar) -> bool:
    form: Any = Annotated[info.annotation, Field(), *info.metadata]
    adapter: TypeAdapter[Any] = TypeAdapter(form, config=ConfigDict(strict=True))
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def takes_null(event_type: str, name: str) -> bool:
    """Whether a field of a type's data may be null."""
    return _takes(fields_of(event_type)[name], None)


def fields_of(event_type: str) -> Mapping[str, FieldInfo]:
    """The fields of a type's data, by their names."""
    data = EVENT_MODELS[event_type].model_fields["data"].annotation
    if not (isinstance(data, type) and issubclass(data, Data)):
        raise TypeError(f"the data of {event_type} is not a Data model")
    return data.model_fields


def _exclude_each_other(one: EventRule, other: EventRule) -> bool:
    return any(
        {comparable(value) for value in one.when[field]}.isdisjoint(
            comparable(value) for value in other.when[field]
        )
        for field in one.when.keys() & other.when.keys()
    )
