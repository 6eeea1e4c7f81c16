"""What a unit is measured against: the province's targets or its own, and the country's."""

from dataclasses import dataclass
from typing import Literal

from contracts.catalogue import Indicator
from contracts.pace import Milestone

#: `own`: targets of the unit's own, in the place of the province's.
Aim = Literal["provincial", "own", "national"]


@dataclass(frozen=True, slots=True)
class Line:
    """Targets, earliest first, and where the pace to them begins; None: at the first value seen.

    `is_own`: the targets are not the province's but the unit's own.
    """

    targets: tuple[Milestone, ...]
    baseline: Milestone | None = None
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Aims:
    """The line of the province (or the unit's own), and the country's where there is another."""

    province: Line
    national: Line | None = None

    @property
    def is_any(self) -> bool:
        """Whether there is a target at all."""
        lines = (self.province, self.national)
        return any(line is not None and line.targets for line in lines)

    def line(self, aim: Aim) -> Line:
        """The line that a standing of this aim was measured against."""
        return self.national if aim == "national" and self.national is not None else self.province


def of_catalogue(indicator: Indicator) -> Aims:
    """What the catalogue alone says."""
    baseline = indicator.baseline.milestone() if indicator.baseline is not None else None
    return Aims(Line(tuple(indicator.targets.dated()), baseline))
