"""What a row of each file says: a unit, and a unit that takes over from another."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Level = Literal["province", "district", "commune"]
LEVELS: Final[tuple[Level, ...]] = ("province", "district", "commune")


@dataclass(frozen=True, slots=True)
class Area:
    """One unit. Valid from the first to the last day, both included; None means open.

    Its `area_id` (``<code system>:<code>``) names it for ever and is given to no other unit; its
    code is, once it has ended.
    """

    area_id: str
    code: str
    name: str
    level: Level
    parent_id: str | None
    valid_from: date | None
    valid_to: date | None
    latitude: float | None
    longitude: float | None
    area_km2: float | None

    def is_valid(self, on: date) -> bool:
        """Whether the unit exists on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class Succession:
    """One unit takes over from another on a day: wholly, or one of `from_parts` parts.

    Of a split, one successor `takes_residents`: those of whom no later event says where they are.
    Where the old unit stays whole nothing needs to be said (None).
    """

    from_area_id: str
    to_area_id: str
    effective_on: date
    from_parts: int
    takes_residents: bool | None = None

    @property
    def inherits(self) -> bool:
        """Whether residents and figures of the old unit go to this successor."""
        return self.from_parts == 1 if self.takes_residents is None else self.takes_residents
