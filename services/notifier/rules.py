"""Read the rules of judgement from YAML and refuse what does not hold together."""

import re
from datetime import timedelta
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from contracts.updates import Severity
from services.notifier.core.rule import Freshness, Rule

_DURATION: Final = re.compile(r"(\d+)([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class RulesError(ValueError):
    """Rules that cannot be used, with the place that is wrong."""


def _duration(value: Any) -> timedelta:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("want a duration such as 90s, 30m, 12h or 3d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Points = Annotated[Decimal, Field(ge=0, le=100)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleEntry(_Entry):
    """One rule as its file writes it."""

    tolerance: Points
    hysteresis: Points
    minimum_denominator: Annotated[int, Field(ge=1)]
    hold_for: Annotated[Duration, Field(alias="for")]
    severities: dict[Severity, Points] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _resolvable(self) -> Self:
        if self.hysteresis > self.tolerance:
            raise ValueError("hysteresis exceeds tolerance: a unit on its pace would go on firing")
        return self

    def rule(self, hold_for: timedelta | None) -> Rule:
        """The rule, with another duration where one is given."""
        steps = sorted(self.severities.items(), key=lambda step: -step[1])
        return Rule(
            tolerance=self.tolerance,
            hysteresis=self.hysteresis,
            minimum_denominator=self.minimum_denominator,
            hold_for=self.hold_for if hold_for is None else hold_for,
            severities=tuple((points, severity) for severity, points in steps),
        )


class FreshnessEntry(_Entry):
    """How long feeds may be silent."""

    default: Duration
    feeds: dict[str, Duration] = Field(default_factory=dict)


class _File(_Entry):
    rules: RuleEntry
    freshness: FreshnessEntry


class Rules:
    """The rules in force."""

    def __init__(self, rule: Rule, freshness: Freshness) -> None:
        self._rule = rule
        self.freshness = freshness

    def rule(self, indicator: str) -> Rule:  # noqa: ARG002 - rules by set have their place here
        """The rule for one indicator."""
        return self._rule

    def minimum_denominator(self, indicator: str) -> int:
        """Below how many subjects a share of that indicator means nothing."""
        return self.rule(indicator).minimum_denominator


def read(path: Path, *, hold_for: timedelta | None = None) -> Rules:
    """Read a rules file; `hold_for`, if given, stands in for its ``for``.

    Raises:
        RulesError: naming the file and the entry that is wrong.
    """
    try:
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _File.model_validate(parsed)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RulesError(f"the rules in {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RulesError(f"the rules in {path}: {place}: {first['msg']}") from error
    return Rules(
        file.rules.rule(hold_for),
        Freshness(default=file.freshness.default, feeds=file.freshness.feeds),
    )


def shipped() -> Path:
    """The rules that come with the service."""
    with resources.as_file(resources.files("services.notifier") / "rules.yaml") as path:
        return path
