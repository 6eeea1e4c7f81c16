"""What the pages withhold: few people, as letters do, and what sums of units would tell of them.

The pages are open to everybody. `contracts/disclosure.py` has the rule; here it is held against
what a page knows. Nothing that hangs on a withheld figure is shown: no share, gap, day, trend,
rank or report beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from contracts.disclosure import Count, Withheld, given_away, highest_share, may_be_people, withheld
from services.dashboard import wording
from services.dashboard.answers import FigureAnswer, IndicatorAnswer, TargetAnswer

F = TypeVar("F", bound=FigureAnswer)

#: `given-away`: sums would tell few people in another unit.
Hidden = Withheld | Literal["given-away"]

Family = tuple[str, str]
"""A unit above and an indicator."""

Families = Mapping[Family, Mapping[str, Count]]
"""Unit above and indicator → how many count in each unit right below."""

MINIMUM_DENOMINATOR: Final = 30
"""What the notifier's rules say by default; used where it tells no other."""


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in place of a share, and of how many it is."""

    value: str
    counted: str


class Shield:
    """Says of each figure of a page whether it is withheld."""

    def __init__(
        self,
        catalogue: Iterable[IndicatorAnswer],
        targets: Iterable[TargetAnswer],
        families: Families,
    ) -> None:
        """`families`: all that the page has units of, above or below."""
        self._people = {one.id: is_of_people(one) for one in catalogue}
        self._minimums = {
            one.indicator: one.minimum_denominator
            for one in targets
            if one.minimum_denominator is not None
        }
        self._given_away = {
            (area, indicator)
            for (above, indicator), counts in families.items()
            for area in given_away(counts, total=above, minimum_denominator=self._least(indicator))
        }

    def hides(
        self, area: str, indicator: str, numerator: int | None, denominator: int | None
    ) -> Hidden | None:
        """Why a figure is withheld; None where it may be shown."""
        why = withheld(
            numerator,
            denominator,
            minimum_denominator=self._least(indicator) if denominator else 0,
            people=self.is_of_people(indicator),
        )
        return why or ("given-away" if self.is_given_away(area, indicator) else None)

    def is_given_away(self, area: str, indicator: str) -> bool:
        """Whether a figure is withheld for the sake of few people elsewhere."""
        return (area, indicator) in self._given_away

    def is_of_people(self, indicator: str) -> bool:
        """Whether an indicator may count people."""
        return self._people.get(indicator, True)

    def _least(self, indicator: str) -> int:
        return self._minimums.get(indicator, MINIMUM_DENOMINATOR)


def is_of_people(indicator: IndicatorAnswer) -> bool:
    """Whether an indicator may count people."""
    return may_be_people(indicator.population.subject if indicator.population else None)


def has_family(indicator: IndicatorAnswer) -> bool:
    """Whether its counts of people are those of the units below, added up."""
    return indicator.population is not None and is_of_people(indicator)


def without_figures(figure: F) -> F:
    """A figure of which its target and its pace alone are left."""
    return figure.model_copy(
        update=dict.fromkeys(
            (
                "numerator",
                "denominator",
                "value",
                "gap_people",
                "projected_on",
                "projection",
                "reported",
            )
        )
    )


def words(why: Hidden, denominator: int | None, noun: str) -> Words:
    """What is said in place of a figure that is withheld."""
    if why == "few-reached" and denominator:
        few = f"{wording.fewer()} / {wording.count(denominator)} {noun}"
        return Words(f"dưới {wording.percent(highest_share(denominator))}", few)
    if why == "few-missing" and denominator:
        few = f"còn {wording.fewer()} / {wording.count(denominator)} {noun} chưa đạt"
        return Words("Gần đạt hết", few)
    if why == "few-counted":
        return Words("Không nêu", "số đối tượng quá ít")
    return Words("Không nêu", "để không lộ số liệu của đơn vị khác có ít người")
