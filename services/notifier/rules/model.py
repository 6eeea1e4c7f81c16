"""The form of the rules file. A key that the form does not know is refused: it is a misspelt rule."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from contracts.areas import Level
from contracts.catalogue.model import Baseline, Targets
from contracts.updates import Severity
from services.notifier.core.rule import ALL_LEVELS, Falling, Freshness, Rule, Shift

_DURATION: Final = re.compile(r"(\d{1,6})([smhd])")
_SHORTEST_FALL: Final = timedelta(days=7)
_LONGEST_FALL: Final = timedelta(days=366)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class RulesError(ValueError):
    """Rules that cannot be used, with the rule and the field that are wrong."""


def _duration(value: Any) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("want a duration such as 90s, 30m, 12h or 3d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Points = Annotated[Decimal, Field(ge=0, le=100)]
Levels = Annotated[frozenset[Level], Field(min_length=1)]


class Entry(BaseModel):
    """Frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FallingEntry(Entry):
    """From how many points of loss, within how many days, a unit falls."""

    points: Annotated[Decimal, Field(gt=0, le=100)]
    within: Duration

    @field_validator("within")
    @classmethod
    def _some_weeks(cls, within: timedelta) -> timedelta:
        if not _SHORTEST_FALL <= within <= _LONGEST_FALL:
            raise ValueError("want 7d to 366d: of fewer days nothing can be told")
        return within


class ShiftEntry(Entry):
    """From what change of the denominator on nothing is judged, and for how long."""

    percent: Annotated[Decimal, Field(gt=0)]
    settle: Duration


class Layer(Entry):
    """What a set, an indicator or a unit has of its own; what is absent is as one layer above."""

    tolerance: Points | None = None
    hysteresis: Points | None = None
    minimum_denominator: Annotated[int | None, Field(ge=1)] = None
    hold_for: Annotated[Duration | None, Field(alias="for")] = None
    severities: dict[Severity, Points] | None = None
    late: dict[Severity, Duration] | None = None
    levels: Levels | None = None
    falling: FallingEntry | None = None
    denominator_shift: ShiftEntry | None = None

    @property
    def own(self) -> dict[str, Any]:
        """The keys that the file gives; `falling` and `denominator_shift` may be switched off."""
        may_be_off = {"falling", "denominator_shift"}
        return {
            name: getattr(self, name)
            for name in self.model_fields_set & set(Layer.model_fields)
            if getattr(self, name) is not None or name in may_be_off
        }


class RuleEntry(Layer):
    """The rule for everything, which says all that a rule needs."""

    tolerance: Points
    hysteresis: Points
    minimum_denominator: Annotated[int, Field(ge=1)]
    hold_for: Annotated[Duration, Field(alias="for")]


class OwnEntry(Layer):
    """What one unit has of its own for one indicator: also targets, and where its pace begins."""

    targets: Targets | None = None
    baseline: Baseline | None = None


class UnitEntry(Entry):
    """What one unit has of its own: for everything, and for single indicators."""

    rules: Layer = Layer()
    indicators: dict[str, OwnEntry] = Field(default_factory=dict)


class NationalEntry(Entry):
    """The targets of the whole country, where they are not the province's, and their document.

    `levels`: the units that are judged by them as well.
    """

    source: str = ""
    levels: Levels = frozenset({"province"})
    targets: dict[str, Targets] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _cites_its_document(self) -> Self:
        if self.targets and not self.source.strip():
            raise ValueError("targets without a source; name the document that they stand in")
        return self


class FreshnessEntry(Entry):
    """How long feeds may be silent."""

    default: Duration
    feeds: dict[str, Duration] = Field(default_factory=dict)

    def freshness(self) -> Freshness:
        """The limits as a value."""
        return Freshness(default=self.default, feeds=self.feeds)


class File(Entry):
    """The whole file."""

    rules: RuleEntry
    sets: dict[str, Layer] = Field(default_factory=dict)
    indicators: dict[str, Layer] = Field(default_factory=dict)
    units: dict[str, UnitEntry] = Field(default_factory=dict)
    national: NationalEntry = NationalEntry()
    freshness: FreshnessEntry


def merged(general: RuleEntry, *layers: tuple[str, Layer], hold_for: timedelta | None) -> Rule:
    """The rule that layers come to, the last one the strongest.

    Args:
        general: the rule for everything.
        layers: each with the place in the file where it stands.
        hold_for: stands in for every ``for``, if given.

    Raises:
        RulesError: naming the rule whose fields do not go together.
    """
    said: dict[str, Any] = general.own
    place = "rules"
    for name, layer in layers:
        if layer.own:
            place = name
        said |= layer.own
    if said["hysteresis"] > said["tolerance"]:
        raise RulesError(
            f"{place}: hysteresis exceeds tolerance: a unit on its pace would go on firing"
        )
    waits: timedelta = said["hold_for"] if hold_for is None else hold_for
    falling, shift = said.get("falling"), said.get("denominator_shift")
    return Rule(
        tolerance=said["tolerance"],
        hysteresis=said["hysteresis"],
        minimum_denominator=said["minimum_denominator"],
        hold_for=waits,
        severities=_steps(said.get("severities") or {}),
        late=_steps(said.get("late") or {}),
        levels=said.get("levels") or ALL_LEVELS,
        falling=Falling(falling.points, falling.within) if falling is not None else None,
        shift=_shift(shift, waits, said["hold_for"]) if shift is not None else None,
    )


def _shift(entry: ShiftEntry, waits: timedelta, said: timedelta) -> Shift:
    """Whoever shortens the wait (a demonstration, a test) waits for this less in proportion."""
    settle = entry.settle * (waits / said) if waits < said else entry.settle
    return Shift(entry.percent, settle)


def _steps(by_severity: dict[Severity, Any]) -> tuple[tuple[Any, Severity], ...]:
    """From where on each severity holds, the largest first."""
    steps = sorted(by_severity.items(), key=lambda step: step[1], reverse=True)
    return tuple((start, severity) for severity, start in steps)
