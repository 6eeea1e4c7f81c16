"""The form of the catalogue: what a fact, a condition, a population and an indicator are.

A *fact* is the latest event of one type about a subject, or only the time of the latest one. A
*condition* is a yes-or-no question to facts and today's date. A *population* says who counts in the
denominator, an *indicator* who of them counts in the numerator.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.canonical import canonical_json
from contracts.events import EVENT_MODELS, TYPE_PREFIX
from contracts.pace import Milestone
from contracts.subjects import SubjectKind

#: Bit masks are stored as signed 64-bit integers, so this many indicators can be counted.
MAX_BITS = 63

Scalar = bool | int | str | None
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Entry(BaseModel):
    """Frozen; a key that the form does not know is an error, because it is a misspelt rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Entry):
    """A name in Vietnamese and in English."""

    vi: str
    en: str


class Fact(Entry):
    """What is kept of one event type.

    `slot` is the fact's place in a subject's packed state: never changed, never given again.
    `keeps` is ``latest`` (time, id and data of the latest event) or ``last-time`` (only when it
    last happened). `where` narrows to events whose data have these values.
    """

    name: Name
    slot: Annotated[int, Field(ge=0, le=255)]
    event: str
    keeps: Literal["latest", "last-time"] = "latest"
    where: dict[str, Scalar] = Field(default_factory=dict)

    @property
    def event_type(self) -> str:
        """The full event type, with the contract's prefix."""
        return TYPE_PREFIX + self.event

    @model_validator(mode="after")
    def _names_the_contract(self) -> Self:
        model = EVENT_MODELS.get(self.event_type)
        if model is None:
            raise ValueError(f"fact {self.name}: the contract has no event type {self.event}")
        data = model.model_fields["data"].annotation
        fields = getattr(data, "model_fields", {})
        for field in self.where:
            if field not in fields:
                raise ValueError(f"fact {self.name}: {self.event} has no field {field!r}")
        return self


class SubjectRules(Entry):
    """How a kind of subject is there at all: from which facts its presence and area follow.

    A subject is present when its `present` fact is later than its `absent` one. Its area is the
    one named last by the `area` facts.
    """

    kind: SubjectKind
    facts: tuple[Fact, ...]
    present: Name
    absent: Name
    area: tuple[Name, ...]
    birth_date: Name | None = None

    def fact(self, name: str) -> Fact:
        """The fact of that name.

        Raises:
            KeyError: when this kind of subject has no such fact.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Fact]:
        return {fact.name: fact for fact in self.facts}

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        slots = [fact.slot for fact in self.facts]
        names = {fact.name for fact in self.facts}
        if len(set(slots)) != len(slots) or len(names) != len(slots):
            raise ValueError(f"{self.kind}: two facts share a slot or a name")
        for name in (self.present, self.absent, *self.area, self.birth_date):
            if name is not None and name not in names:
                raise ValueError(f"{self.kind}: there is no fact {name}")
        return self


class FactCondition(Entry):
    """A fact is there.

    With `is`, its fields have (one of) these values; with `within_days`, its latest time lies at
    most so many local days before today.
    """

    fact: Name
    values: Annotated[dict[str, tuple[Scalar, ...]], Field(alias="is")] = Field(
        default_factory=dict
    )
    within_days: Annotated[int, Field(ge=0, le=36_500)] | None = None

    @field_validator("values", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tuple(v) if isinstance(v, list) else (v,) for key, v in value.items()}
        return value


class LatestCondition(Entry):
    """Several facts speak of one thing: the latest one decides. Each is ``<fact>.<field>``."""

    latest: Annotated[tuple[str, ...], Field(min_length=2)]
    value: Annotated[Scalar, Field(alias="is")]

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of fact name and field."""
        pairs = (entry.partition(".") for entry in self.latest)
        return tuple((fact, field) for fact, _, field in pairs)


class AgeRange(Entry):
    """Full years, both ends included."""

    lowest: Annotated[int, Field(alias="from", ge=0, le=150)]
    highest: Annotated[int | None, Field(alias="to", ge=0, le=150)] = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.highest is not None and self.highest < self.lowest:
            raise ValueError(f"nobody is from {self.lowest} to {self.highest} years old")
        return self


class AgeCondition(Entry):
    """The subject's age today, in full years."""

    age: AgeRange


Condition = FactCondition | LatestCondition | AgeCondition


class All(Entry):
    """Every one of these."""

    all: Annotated[tuple["Expression", ...], Field(min_length=1)]


class AnyOf(Entry):
    """At least one of these."""

    any: Annotated[tuple["Expression", ...], Field(min_length=1)]


class Not(Entry):
    """The opposite."""

    negated: Annotated["Expression", Field(alias="not")]


class Satisfied(Entry):
    """What another indicator asks of its numerator."""

    indicator: str


Expression = Annotated[str | All | AnyOf | Not | Satisfied, Field(union_mode="left_to_right")]


class Population(Entry):
    """Who counts in a denominator: present subjects of one kind, for which `where` holds."""

    name: Name
    text: Text
    subject: SubjectKind
    where: Expression | None = None


class Source(Entry):
    """The official text that an indicator comes from: document and sentence, word for word."""

    document: str
    sentence: str


class Targets(Entry):
    """Percent to be reached by 31 December of a year."""

    by_2025: Annotated[Decimal | None, Field(alias="2025", ge=0, le=100)] = None
    by_2030: Annotated[Decimal | None, Field(alias="2030", ge=0, le=100)] = None

    def dated(self) -> list[Milestone]:
        """The targets with the days on which they fall due, earliest first."""
        pairs = ((date(2025, 12, 31), self.by_2025), (date(2030, 12, 31), self.by_2030))
        return [Milestone(day, percent) for day, percent in pairs if percent is not None]


class Baseline(Entry):
    """A configured start of the pace: a value in percent on a day."""

    on: date
    percent: Annotated[Decimal, Field(ge=0, le=100)]

    def milestone(self) -> Milestone:
        """The baseline as the first point of the pace."""
        return Milestone(self.on, self.percent)


class Indicator(Entry):
    """One indicator.

    `bit` is its place in the masks of a subject: never changed, never given again. An indicator
    that only reports can feed has no population, numerator or bit. `unit` is ``percent`` or
    ``quantity`` (a number that is no share).
    """

    id: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9-]+(\.[a-z0-9-]+)?$")]
    set: str
    name: Text
    feed: str
    bit: Annotated[int, Field(ge=0, lt=MAX_BITS)] | None = None
    population: Name | None = None
    numerator: Expression | None = None
    criteria: tuple[str, ...] = ()
    unit: Literal["percent", "quantity"] = "percent"
    targets: Targets = Targets()
    baseline: Baseline | None = None
    source: Source
    note: str | None = None

    @property
    def is_reported_only(self) -> bool:
        """Whether only reports of units can feed it."""
        return self.population is None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = {self.bit is not None, self.population is not None, self.numerator is not None}
        if len(given) != 1:
            raise ValueError(f"{self.id}: bit, population and numerator go together")
        if self.is_reported_only != (self.feed == "report"):
            raise ValueError(f"{self.id}: feed report and only that goes without a population")
        return self


class Catalogue(Entry):
    """All rules of one version."""

    version: Annotated[int, Field(ge=1)]
    subjects: tuple[SubjectRules, ...]
    conditions: dict[Name, Condition]
    populations: tuple[Population, ...]
    indicators: tuple[Indicator, ...]

    def __iter__(self) -> Iterator[Indicator]:  # type: ignore[override]
        return iter(self.indicators)

    @cached_property
    def by_id(self) -> Mapping[str, Indicator]:
        """Indicator id → indicator."""
        return {indicator.id: indicator for indicator in self.indicators}

    @cached_property
    def counted(self) -> tuple[Indicator, ...]:
        """The indicators that events feed, in the order of their bits."""
        found = [indicator for indicator in self.indicators if indicator.bit is not None]
        return tuple(sorted(found, key=lambda indicator: indicator.bit or 0))

    @cached_property
    def by_kind(self) -> Mapping[SubjectKind, SubjectRules]:
        """Subject kind → its rules."""
        return {rules.kind: rules for rules in self.subjects}

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that decides who counts where; names, targets and sources do not.

        32 hexadecimal digits, the same on every machine. Two catalogues of one fingerprint give the
        same masks; the order of entries and the names of populations do not matter.
        """
        form: dict[str, Any] = {
            "subjects": sorted(
                (_rules_form(rules) for rules in self.subjects), key=lambda form: str(form["kind"])
            ),
            "conditions": {
                name: condition.model_dump(mode="json", by_alias=True)
                for name, condition in self.conditions.items()
            },
            "indicators": [
                {
                    "bit": indicator.bit,
                    "id": indicator.id,
                    "population": self.population_of(indicator).model_dump(
                        mode="json", by_alias=True, include={"subject", "where"}
                    ),
                    "numerator": _expression_form(indicator.numerator),
                }
                for indicator in self.counted
            ],
        }
        return hashlib.sha256(canonical_json(form).encode()).hexdigest()[:32]

    def population_of(self, indicator: Indicator) -> Population:
        """The population of a counted indicator.

        Raises:
            KeyError: for an indicator that only reports feed.
        """
        return {population.name: population for population in self.populations}[
            indicator.population or ""
        ]

    def feeds_of(self, indicator: Indicator) -> frozenset[str]:
        """The event domains that an indicator depends on; a composite has those of its criteria."""
        if indicator.feed != "composite":
            return frozenset({indicator.feed})
        return frozenset().union(*(self.feeds_of(self.by_id[one]) for one in indicator.criteria))


def _rules_form(rules: SubjectRules) -> dict[str, Any]:
    """Rules of a kind of subject as JSON, facts in the order of their slots."""
    form = rules.model_dump(mode="json", by_alias=True)
    return form | {"facts": sorted(form["facts"], key=lambda fact: fact["slot"])}


def _expression_form(expression: Expression | None) -> Any:
    """An expression as JSON, as the YAML files write it."""
    if expression is None or isinstance(expression, str):
        return expression
    return expression.model_dump(mode="json", by_alias=True)
