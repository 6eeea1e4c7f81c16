"""Routes: a tree of matchers that says who is told what, how often, and when not.

An alert takes the first branch that fits, and there the first branch below it; a branch that goes
on lets the next ones be tried as well. Where no branch fits, the node itself is the route.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.notifier.core.alert import Alert
from services.notifier.core.letter import audience_of
from services.notifier.core.matching import Matcher, Traits
from services.notifier.core.schedule import Policy

ITS_OWN: Final = "unit"
"""Told to whom it is about: the unit, or the operators for a feed."""

_ALL: Final = Matcher()

GROUP_PREFIX: Final = "group:"
"""Before the name, in the audience of a group of receivers."""


@dataclass(frozen=True, slots=True)
class Route:
    """One node, with all that it inherits filled in.

    `to` is ``unit``, ``operators``, ``nobody`` or the audience of a group. `keeps_quiet` says
    whether it keeps to office hours; after `escalate_after` without an acknowledgement the unit
    above is told, None: never.
    """

    policy: Policy
    matcher: Matcher = _ALL
    to: str = ITS_OWN
    keeps_quiet: bool = True
    escalate_after: timedelta | None = None
    goes_on: bool = False
    branches: tuple["Route", ...] = ()

    def ways(self, traits: Traits) -> list["Route"]:
        """The nodes that an alert comes out at; none where this one does not fit."""
        if not self.matcher.fits(traits):
            return []
        found: list[Route] = []
        for branch in self.branches:
            below = branch.ways(traits)
            found += below
            if below and not branch.goes_on:
                break
        return found or [self]

    def audience(self, alert: Alert) -> str:
        """Whom an alert is told to on this way."""
        return audience_of(alert) if self.to == ITS_OWN else self.to
