"""What a unit is measured against, over scoring's figures: its own targets, and the country's.

Scoring tells the province's targets to everybody. The notifier knows the rules by which a unit is
judged, and letters speak of these; a page that a letter links to must not say otherwise. Values
are scoring's, targets and pace the notifier's, and what follows from both is worked out here as
scoring does it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

from contracts.pace import gap_people
from contracts.projection import Projection, towards
from services.dashboard import wording
from services.dashboard.answers import FigureAnswer, LineAnswer, ProjectionAnswer

F = TypeVar("F", bound=FigureAnswer)

_OWN: Final = "Mục tiêu riêng của đơn vị"
_NATIONAL: Final = "Mục tiêu quốc gia"
_COMMON: Final = "Mục tiêu chung của tỉnh"
_OWN_PACE: Final = "Tiến độ riêng của đơn vị"


def measured(figure: F, lines: Sequence[LineAnswer]) -> F:
    """A figure against the line that its unit is judged by, the first one; as it is without any."""
    if not lines or _is_same(figure, lines[0]):
        return figure
    line = lines[0]
    gap = None
    if figure.numerator is not None and figure.denominator is not None:
        gap = gap_people(figure.numerator, figure.denominator, line.pace)
    trend = _projected(figure, line.target)
    return figure.model_copy(
        update={
            "target": line.target,
            "pace": line.pace,
            "gap_people": gap,
            "projected_on": None if trend is None else trend.met_on,
            "projection": None if trend is None else ProjectionAnswer(state=trend.state),
        }
    )


def whose(figure: FigureAnswer, lines: Sequence[LineAnswer]) -> str:
    """Whose target a figure is judged by, where it is not simply the province's."""
    if not lines:
        return ""
    if lines[0].aim == "own":
        return _OWN
    if lines[0].aim == "national":
        return _NATIONAL
    return "" if _is_same(figure, lines[0]) else _OWN_PACE


def others(figure: FigureAnswer, lines: Sequence[LineAnswer]) -> tuple[str, ...]:
    """The other targets of a figure, the province's among them, each with its pace."""
    said = [_said(whose(figure, [line]) or _COMMON, line.target, line.pace) for line in lines[1:]]
    is_told = any(_is_same(figure, line) for line in lines)
    if lines and figure.target is not None and not is_told:
        said.append(_said(_COMMON, figure.target, figure.pace))
    return tuple(said)


def _said(name: str, target: Decimal | None, pace: Decimal | None) -> str:
    said = f"{name}: {'–' if target is None else wording.percent(target)}"
    return said if pace is None else f"{said}, tiến độ {wording.percent(pace)}"


def _is_same(figure: FigureAnswer, line: LineAnswer) -> bool:
    return (figure.target, figure.pace) == (line.target, line.pace)


def _projected(figure: FigureAnswer, target: Decimal | None) -> Projection | None:
    told = figure.projection
    if told is None or told.based_on is None or figure.value is None:
        return None
    days = told.based_on
    return towards(target, figure.value, told.slope_per_day, days.first, days.last)
