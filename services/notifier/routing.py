"""Read routes and office hours from YAML and refuse what does not hold together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import time, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts import yaml_file
from contracts.areas import Level
from contracts.holidays import Holidays
from contracts.updates import Severity
from services.notifier.core.alert import AlertKind
from services.notifier.core.causes import Domain
from services.notifier.core.letter import OPERATORS
from services.notifier.core.matching import Matcher
from services.notifier.core.quiet import OfficeHours
from services.notifier.core.route import GROUP_PREFIX, ITS_OWN, Route
from services.notifier.core.schedule import Policy
from services.notifier.rules.model import Duration

NOBODY: Final = "nobody"

_RESERVED: Final = frozenset({ITS_OWN, OPERATORS, NOBODY})


class RoutesError(ValueError):
    """A file of routes that cannot be used, with the place that is wrong."""


def _some(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _clock(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('want a time of day as text, such as "07:30"')  # noqa: TRY004 - for pydantic
    return value


Texts = Annotated[frozenset[str], BeforeValidator(_some)]
ClockTime = Annotated[time, BeforeValidator(_clock)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _MatchEntry(_Entry):
    unit: Texts = frozenset()
    level: Annotated[frozenset[Level], BeforeValidator(_some)] = frozenset()
    indicator: Texts = frozenset()
    set: Texts = frozenset()
    severity: Annotated[frozenset[Severity], BeforeValidator(_some)] = frozenset()
    kind: Annotated[frozenset[AlertKind], BeforeValidator(_some)] = frozenset()


class _RouteEntry(_Entry):
    match: _MatchEntry = _MatchEntry()
    to: Annotated[str, Field(min_length=1)] | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    keep_quiet: bool | None = None
    escalate_after: Duration | Literal["never"] | None = None
    goes_on: Annotated[bool, Field(alias="continue")] = False
    routes: tuple["_RouteEntry", ...] = ()


class _HoursEntry(_Entry):
    opens: ClockTime
    closes: ClockTime
    weekdays: Annotated[
        frozenset[Annotated[int, Field(ge=1, le=7)]],
        Field(min_length=1),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens must lie before closes")
        return self


class _File(_Entry):
    office_hours: _HoursEntry | None = None
    route: _RouteEntry

    @model_validator(mode="after")
    def _root_takes_all(self) -> Self:
        if self.route.match != _MatchEntry():
            raise ValueError("the first route takes every alert; put its match into routes below")
        return self


@dataclass(frozen=True, slots=True)
class Routing:
    """Routes, office hours, and the audiences that routes name beside units and operators."""

    root: Route
    hours: OfficeHours | None

    @property
    def groups(self) -> set[str]:
        """The audiences of groups that some route names."""
        return {way for way in _targets(self.root) if way.startswith(GROUP_PREFIX)}


def read(path: Path, domain: Domain, policy: Policy, holidays: Holidays | None) -> Routing:
    """Read a file of routes.

    Args:
        path: the file.
        domain: knows the units, indicators and sets that matchers may name.
        policy: the intervals where the file says nothing.
        holidays: the public holidays; None: no quiet hours are kept.

    Raises:
        RoutesError: naming the file and the place that is wrong.
    """
    file = yaml_file.read(path, _File, RoutesError, name=f"the routes in {path}")
    for place, match in _matches(file.route, "route"):
        if unknown := _unknown(match, domain):
            raise RoutesError(f"the routes in {path}: {place}.match: there is no {unknown}")
    root = _route(file.route, Route(policy))
    hours = file.office_hours
    if holidays is None or hours is None:
        return Routing(root, None)
    return Routing(
        root,
        OfficeHours(
            hours.opens, hours.closes, hours.weekdays, holidays.is_holiday, holidays.is_made_up
        ),
    )


def shipped() -> Path:
    """The routes that come with the service."""
    with resources.as_file(resources.files("services.notifier") / "routes.yaml") as path:
        return path


def _route(entry: _RouteEntry, above: Route) -> Route:
    policy = Policy(
        group_wait=_or(entry.group_wait, above.policy.group_wait),
        group_interval=_or(entry.group_interval, above.policy.group_interval),
        repeat_interval=_or(entry.repeat_interval, above.policy.repeat_interval),
    )
    patience = above.escalate_after if entry.escalate_after is None else entry.escalate_after
    match = entry.match
    here = Route(
        policy=policy,
        matcher=Matcher(
            units=match.unit,
            levels=frozenset(match.level),
            indicators=match.indicator,
            sets=match.set,
            severities=frozenset(match.severity),
            kinds=frozenset(match.kind),
        ),
        to=above.to if entry.to is None else _target(entry.to),
        keeps_quiet=above.keeps_quiet if entry.keep_quiet is None else entry.keep_quiet,
        escalate_after=None if patience == "never" else patience,
        goes_on=entry.goes_on,
    )
    return replace(here, branches=tuple(_route(one, here) for one in entry.routes))


def _or(wanted: timedelta | None, inherited: timedelta) -> timedelta:
    return inherited if wanted is None else wanted


def _target(to: str) -> str:
    return to if to in _RESERVED else f"{GROUP_PREFIX}{to}"


def _targets(route: Route) -> Iterable[str]:
    yield route.to
    for branch in route.branches:
        yield from _targets(branch)


def _matches(entry: _RouteEntry, place: str) -> Iterable[tuple[str, _MatchEntry]]:
    yield place, entry.match
    for number, branch in enumerate(entry.routes):
        yield from _matches(branch, f"{place}.routes.{number}")


def _unknown(match: _MatchEntry, domain: Domain) -> str | None:
    """What a matcher names that is not there: it would never fit, and nobody would notice."""
    sets = {indicator.set for indicator in domain.catalogue}
    unknown = [
        *(f"unit {one}" for one in match.unit if domain.areas.get(one) is None),
        *(f"indicator {one}" for one in match.indicator if one not in domain.catalogue.by_id),
        *(f"set {one}" for one in match.set if one not in sets),
    ]
    return min(unknown, default=None)
